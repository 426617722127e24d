from collections import Counter
from itertools import product
from random import Random

import pytest

from hallo_lit.data.clips import ClipPolicy, Span, audio_rows, consecutive
from hallo_lit.errors import UserError

REFERENCES = ("anywhere", "outside", "first")
STARTS = ("repeat_reference", "repeat_first", "require")
POLICIES = [
    ClipPolicy(frames, motion, reference, distance, start)
    for frames, motion, reference, distance, start in product((1, 2, 5), (0, 1, 2), REFERENCES, (1, 2, 4), STARTS)
]


class Scripted(Random):
    """Gives the numbers it is told to."""

    def __init__(self, *numbers: float) -> None:
        super().__init__(0)
        self.numbers = list(numbers)

    def random(self) -> float:
        return self.numbers.pop(0)


def samples(policy: ClipPolicy, length: int):
    """Every sample that the policy allows."""
    for start in policy.starts(length):
        before, after = policy.references(length, start)
        for reference in (*before, *after):
            yield policy.at(start, reference)


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_every_possible_sample_is_well_formed(policy):
    for length in range(policy.needed, policy.needed + 8):
        found = list(samples(policy, length))
        assert found
        for sample in found:
            frames = list(sample.frames)
            assert len(frames) == policy.frames
            assert frames == list(range(frames[0], frames[0] + policy.frames))
            assert 0 <= frames[0] <= frames[-1] < length
            assert len(sample.past) == policy.motion
            assert 0 <= sample.reference < length
            real = list(range(frames[0] - policy.motion, frames[0]))
            stand_in = sample.reference if policy.start == "repeat_reference" else 0
            assert list(sample.past) == [i if i >= 0 else stand_in for i in real]


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_all_clips_are_reached(policy):
    length = policy.needed + 7
    starts = set(policy.starts(length))
    last = length - policy.frames
    expected = set(range(last + 1))
    if policy.start == "require":
        expected -= set(range(policy.motion))
    elif policy.start == "repeat_reference":
        expected -= set(range(1, policy.motion))
    assert starts == expected


@pytest.mark.parametrize("policy", [p for p in POLICIES if p.start == "repeat_reference"], ids=str)
def test_past_is_all_real_or_all_the_reference(policy):
    for sample in samples(policy, policy.needed + 6):
        real = sample.past == tuple(range(sample.frames[0] - policy.motion, sample.frames[0]))
        assert real or sample.past == (sample.reference,) * policy.motion


@pytest.mark.parametrize("policy", [p for p in POLICIES if p.reference == "outside"], ids=str)
def test_outside_keeps_its_distance_or_goes_as_far_as_it_can(policy):
    for length in range(policy.needed, policy.needed + 9):
        for start in policy.starts(length):
            clip = range(start, start + policy.frames)
            gap = {i: min(abs(i - j) for j in clip) for i in range(length)}
            allowed = {i for i in gap if gap[i] >= policy.min_distance}
            before, after = policy.references(length, start)
            chosen = {*before, *after}
            assert len(chosen) == len(before) + len(after)
            if allowed:
                assert chosen == allowed
            else:
                assert len(chosen) == 1
                assert gap[chosen.pop()] == max(gap.values()) > 0


def test_anywhere_covers_the_whole_video_and_first_only_the_first_frame():
    assert [*ClipPolicy().references(20, 3)[0]] == list(range(20))
    assert [list(r) for r in ClipPolicy(reference="first").references(20, 3)] == [[0], []]


@pytest.mark.parametrize("length", range(17))
def test_a_video_shorter_than_clip_motion_and_reference_gives_no_sample(length):
    assert ClipPolicy().needed == 17
    assert not ClipPolicy().starts(length)
    assert ClipPolicy().starts(17)


def test_pairs_of_the_first_stage():
    policy = ClipPolicy.pairs(30)
    assert policy.needed == 2
    for sample in samples(policy, 100):
        assert abs(sample.frames[0] - sample.reference) >= 30
        assert sample.past == ()
    assert {(s.frames[0], s.reference) for s in samples(policy, 5)} == {(0, 4), (1, 4), (2, 4), (3, 0), (4, 0)}


def test_draws_are_uniform_over_clips_and_references():
    policy, length, random = ClipPolicy(3, 2, "outside", 2), 9, Random(1)
    counts = Counter((s.frames[0], s.reference) for s in (policy.draw(length, random) for _ in range(20_000)))
    starts = Counter()
    for (start, _), count in counts.items():
        starts[start] += count
    assert set(starts) == set(policy.starts(length))
    for start in starts:
        assert starts[start] == pytest.approx(20_000 / len(starts), rel=0.1)
        references = [reference for first, reference in counts if first == start]
        assert {*references} == {i for r in policy.references(length, start) for i in r}
        for reference in references:
            assert counts[start, reference] == pytest.approx(starts[start] / len(references), rel=0.2)


def test_draw_takes_exactly_two_numbers_and_reaches_both_ends():
    policy = ClipPolicy(3, 2, "outside")
    almost_one = 1 - 2**-53
    for first, second in product((0.0, almost_one), repeat=2):
        random = Scripted(first, second)
        sample = policy.draw(10, random)
        assert not random.numbers
        assert sample.frames[0] == (0 if first == 0 else 7)
    assert policy.draw(10, Scripted(0.5, 0.0)).reference == 0
    assert policy.draw(10, Scripted(0.5, almost_one)).reference == 9


@pytest.mark.parametrize(
    "bad",
    [
        {"frames": 0},
        {"motion": -1},
        {"min_distance": 0},
        {"audio_radius": -1},
        {"reference": "inside"},
        {"start": "zeros"},
    ],
)
def test_impossible_policies_are_refused(bad):
    with pytest.raises(UserError):
        ClipPolicy(**bad)


@pytest.mark.parametrize(("length", "count", "radius"), product((1, 2, 5, 8), (1, 2, 5), (0, 1, 2, 3)))
def test_audio_windows_are_clamped_at_the_ends_of_the_recording(length, count, radius):
    for start in range(length - count + 1):
        rows, windows = audio_rows(range(start, start + count), length, radius)
        assert 0 <= rows.start < rows.stop <= length
        assert len(windows) == count
        for frame, window in zip(range(start, start + count), windows, strict=True):
            wanted = [min(max(frame + k, 0), length - 1) for k in range(-radius, radius + 1)]
            assert [rows[i] for i in window] == wanted
        assert {rows[i] for window in windows for i in window} == set(rows)


@pytest.mark.parametrize(("total", "frames"), product(range(40), (1, 2, 7, 14)))
def test_consecutive_spans_cover_everything_once(total, frames):
    spans = list(consecutive(total, frames))
    kept = [i for span in spans for i in range(span.start, span.start + span.kept)]
    assert kept == list(range(total))
    assert all(span.frames == frames for span in spans)
    for span in spans:
        rows = span.rows(total)
        assert len(rows) == frames
        assert rows[: span.kept] == list(range(span.start, span.start + span.kept))
        assert set(rows[span.kept :]) <= {total - 1}


def test_last_span_repeats_the_last_row():
    assert list(consecutive(5, 3))[-1] == Span(3, 3, 2)
    assert Span(3, 3, 2).rows(5) == [3, 4, 4]
    with pytest.raises(ValueError, match="at least one"):
        list(consecutive(5, 0))


def test_scattered_frames_are_all_different_and_rise():
    policy = ClipPolicy(4, 0, scattered=True)
    drawn = [policy.draw(12, Random(seed)) for seed in range(200)]
    for indices in drawn:
        assert list(indices.frames) == sorted({*indices.frames} - {indices.reference})
        assert len(indices.frames) == 4
    assert {indices.reference for indices in drawn} == set(range(12))
    assert {indices.frames[0] for indices in drawn} > {0, 1, 2, 3}
    rows, windows = audio_rows((2, 9), 11, 2)
    assert [[rows.start + place for place in window] for window in windows] == [[0, 1, 2, 3, 4], [7, 8, 9, 10, 10]]
    with pytest.raises(UserError, match="motion=0"):
        ClipPolicy(4, 2, scattered=True)


def test_weights_say_how_often_scattered_frames_come():
    policy, weights = ClipPolicy(2, 0, scattered=True), [1.0] * 8 + [8.0] * 2
    counts, references = [0] * 10, [0] * 10
    for seed in range(4000):
        drawn = policy.draw(10, Random(seed), weights)
        assert len({*drawn.frames, drawn.reference}) == 3
        assert list(drawn.frames) == sorted(drawn.frames)
        references[drawn.reference] += 1
        for frame in drawn.frames:
            counts[frame] += 1
    rare, common = sum(counts[8:]) / 2, sum(counts[:8]) / 8
    assert 3 < rare / common < 8  # without replacement, less than 8
    assert sum(references[:8]) / 8 == pytest.approx(8 * sum(references[8:]) / 2, rel=0.35)
