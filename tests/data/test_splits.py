from dataclasses import replace

import pytest

from hallo_lit.data.splits import held_out, split_rows
from hallo_lit.data.store import ClipStore, StoreWriter
from hallo_lit.errors import UserError

from .stores import SPEC, item

NAMES = [f"person {number}" for number in range(200)]


@pytest.mark.parametrize(("people", "expected"), [(0, 0), (1, 0), (2, 1), (9, 1), (10, 1), (11, 2), (190, 19)])
def test_a_tenth_rounded_up_and_never_everybody(people, expected):
    assert len(held_out(NAMES[:people])) == expected


def test_depends_on_names_and_seed_only():
    assert held_out(NAMES) == held_out(reversed(NAMES * 3))
    assert held_out(NAMES) != held_out(NAMES, seed=1)
    assert held_out(NAMES, 0.0) == set()
    assert len(held_out(NAMES, 1.0)) == 199


def test_hardly_anybody_changes_sides_when_persons_join():
    before, after = held_out(NAMES[:100]), held_out(NAMES[:110])
    assert len(before - after) <= 2


def store(root, *clips):
    """clips: (source, identity, split)."""
    with StoreWriter(root, SPEC) as writer:
        for seed, (source, identity, split) in enumerate(clips):
            writer.add(replace(item(5, seed), source=source, identity=identity, split=split))
    return ClipStore(root)


def test_no_person_is_on_both_sides(tmp_path):
    clips = store(tmp_path, *((f"{i}.mp4", f"p{i % 12}", "") for i in range(60)))
    rows = split_rows(clips)
    people = {side: {clips.identity(row) for row in found} for side, found in rows.items()}
    assert sorted(rows["train"] + rows["test"]) == list(range(60))
    assert not people["train"] & people["test"]
    assert len(people["test"]) == 2


def test_a_written_split_holds_for_the_whole_person(tmp_path):
    clips = store(tmp_path, ("0.mp4", "a", "test"), ("1.mp4", "a", ""), ("2.mp4", "b", ""), ("3.mp4", "c", "train"))
    assert split_rows(clips, 0.9) == {"train": [2, 3], "test": [0, 1]}


def test_persons_written_for_training_stay_there(tmp_path):
    clips = store(tmp_path, *((f"{i}.mp4", f"p{i}", "train" if i < 3 else "") for i in range(6)))
    assert set(split_rows(clips, 0.99)["test"]) <= {3, 4, 5}
    assert len(split_rows(clips, 0.99)["test"]) == 2


def test_a_person_written_on_both_sides_is_refused(tmp_path):
    clips = store(tmp_path, ("0.mp4", "a", "test"), ("1.mp4", "a", "train"))
    with pytest.raises(UserError, match="clips of a for training"):
        split_rows(clips)


def test_without_names_the_source_tells(tmp_path):
    names = ["WDA_AmyKlobuchar0_000.mp4", "WDA_AmyKlobuchar1_003.mp4", "x/talk.mp4", "y/talk.mp4"]
    clips = store(tmp_path, *((name, "", "") for name in names))
    for seed in range(20):
        rows = split_rows(clips, 0.3, seed)
        assert {0, 1} <= set(rows["train"]) or {0, 1} <= set(rows["test"])
        assert rows["test"]
