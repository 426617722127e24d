"""The whole job on strange and spoilt videos; everything runs in this process on small pictures."""

from __future__ import annotations

import json
import os
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch

from hallo_lit.data.clip_file import read_header, read_tensors
from hallo_lit.data.preprocess import clipping, planning
from hallo_lit.data.preprocess.report import read_report, summarise
from hallo_lit.data.preprocess.run import Outcome, preprocess
from hallo_lit.data.store import ClipStore, Encoder, check_store
from hallo_lit.data.store_writer import writing
from hallo_lit.errors import UserError
from hallo_lit.media.audio import read_audio
from hallo_lit.media.video import VideoWriter, probe, read_clip

from .videos import astronaut, seeded_codec, speech, swaying, write_video

HERE = {"_target_": "hallo_lit.data.preprocess.engines.processes.Processes", "workers": 0}
MEL = {"_target_": "hallo_lit.components.audio_encoder.mel.LogMel", "layers": 4, "width": 8}
CONV = {
    "_target_": "hallo_lit.components.face_encoder.conv.ConvFaceEncoder",
    "width": 16,
    "size": 32,
    "channels": [8, 16],
}


def run(videos: Path | str, out: Path, audio: dict | None = MEL, features: dict | None = None, **sections) -> Outcome:
    return preprocess(
        {
            "videos": str(videos),
            "out": str(out),
            "engine": HERE,
            "crop": {"size": 128},
            "features": {"audio": audio, "identity": CONV, **(features or {})},
            **sections,
        }
    )


def stamps(store: Path) -> dict[str, int]:
    return {str(p.relative_to(store)): p.stat().st_mtime_ns for p in (store / "clips").rglob("*") if p.is_file()}


def on_wall(at: tuple[float, float], face: float = 110) -> np.ndarray:
    """The face cut out and put before a patterned wall that stands still, 240 x 426."""
    rng = np.random.default_rng(5)
    wall = cv2.resize(rng.integers(60, 200, (16, 28, 3), np.uint8), (426, 240), interpolation=cv2.INTER_CUBIC)
    picture = astronaut((240, 426), face, at)
    mask = np.zeros((240, 426), np.float32)
    cv2.ellipse(mask, (round(at[0]), round(at[1])), (round(face * 0.62), round(face * 0.75)), 0, 0, 360, 1, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 4)[..., None]
    return (picture * mask + wall * (1 - mask)).astype(np.uint8)


def two_people(count: int) -> Iterator[np.ndarray]:
    for i in range(count):
        left = astronaut((240, 240), 110, (120 + 3 * np.sin(i / 8), 115))
        yield np.concatenate([left, astronaut((240, 240), 100, (120, 118 + 2 * np.sin(i / 9)))[:, ::-1]], 1)


def only_sound(path: Path, video: bool) -> None:
    """An mp4 without pictures; with `video` it has a track for them."""
    with av.open(str(path), "w") as output:
        if video:
            stream = output.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        sound = output.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(speech(1.0)[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 16000, 0
        output.mux(sound.encode(frame))
        output.mux(sound.encode(None))


def make_zoo(folder: Path) -> None:
    def save(name: str, frames, fps: float = 25, seconds: float = 1.2, **options) -> None:
        write_video(folder / name, frames, fps, speech(seconds, len(name)), **options)

    save("30 fps.mp4", swaying(36, 30), 30)
    times = np.cumsum([0, *np.random.default_rng(0).uniform(0.02, 0.06, 29)]).tolist()
    save("vfr.mkv", swaying(30), times=times)
    save("240 fps.mp4", swaying(200, 240), 240, 200 / 240)
    save("1 fps.mp4", swaying(4, 1), 1, 4)
    save("rotated.mp4", (np.rot90(frame) for frame in swaying(30)), rotation=-90)
    save("two people.mp4", two_people(30))
    save(
        "no face.mp4", (np.full((120, 160, 3), 40 + i % 90, np.uint8) + noise for i, noise in enumerate([wall()] * 75))
    )
    save("short.mp4", swaying(16), seconds=0.64)
    save("sound ends early.mp4", swaying(50), seconds=1.0)
    save("leaves.mp4", (on_wall((150 + max(0, i - 25) * 9, 115)) for i in range(65)), seconds=2.6)
    save("small.mp4", swaying(30, face=50))
    save("blurred.mp4", (cv2.GaussianBlur(frame, (0, 0), 5) for frame in swaying(30)))
    save("shaking.mp4", (on_wall((180 + 28 * np.sin(1.9 * i), 115)) for i in range(30)))
    save("panning.mp4", (astronaut(at=(100 + 4 * i, 115)) for i in range(30)))
    save("silent.mp4", swaying(30))
    write_video(folder / "silent.mp4", swaying(30), wave=np.zeros(19200, np.float32))
    write_video(folder / "no sound.mp4", swaying(30))
    only_sound(folder / "no pictures.mp4", video=False)
    only_sound(folder / "zero frames.mp4", video=True)
    dark = (frame[:, ::-1] // 3 for frame in swaying(28))
    save("cut.mp4", [*swaying(30), *dark], seconds=58 / 25)
    good = (folder / "30 fps.mp4").read_bytes()
    (folder / "truncated.mp4").write_bytes(good[: len(good) // 2])
    (folder / "text.mp4").write_text("no video at all")
    (folder / "empty.mp4").write_bytes(b"")
    shutil.copy(folder / "30 fps.mp4", folder / "ünï çødé 名前.v1.2.mp4")
    for i, name in enumerate(("a/face.mp4", "b/face.mp4", "it's, a [test] {x}=1.mp4")):
        save(name, swaying(28 + i), seconds=1.6)


def wall() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 60, (120, 160, 3), np.uint8)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory) -> tuple[Path, dict[str, dict]]:
    folder = tmp_path_factory.mktemp("zoo")
    make_zoo(folder)
    outcome = run(folder, folder / "store")
    return folder / "store", {line["source"]: line for line in outcome.lines}


VERDICTS = {
    "30 fps.mp4": ("undecided", "too short to compare"),
    "vfr.mkv": ("undecided", "too short to compare"),
    "240 fps.mp4": ("undecided", "too short to compare"),
    "rotated.mp4": ("undecided", "too short to compare"),
    "sound ends early.mp4": ("undecided", "1.0 s are too short"),
    "leaves.mp4": ("undecided", "too short to compare"),
    "silent.mp4": ("undecided", "speech is heard in only 0%"),
    "cut.mp4": ("undecided", "too short to compare"),
    "ünï çødé 名前.v1.2.mp4": ("undecided", "too short to compare"),
    "a/face.mp4": ("undecided", "too short to compare"),
    "b/face.mp4": ("undecided", "too short to compare"),
    "it's, a [test] {x}=1.mp4": ("undecided", "too short to compare"),
    "1 fps.mp4": ("rejected", "1 fps is too low"),
    "two people.mp4": ("rejected", "another face"),
    "no face.mp4": ("rejected", "no face was found"),
    "short.mp4": ("rejected", "16 frames"),
    "small.mp4": ("rejected", "pixels high"),
    "blurred.mp4": ("rejected", "blurred"),
    "shaking.mp4": ("rejected", "times its height per second"),
    "panning.mp4": ("rejected", "camera"),
    "no sound.mp4": ("rejected", "no sound track"),
    "no pictures.mp4": ("unreadable", "no pictures"),
    "zero frames.mp4": ("unreadable", "no pictures"),
    "truncated.mp4": ("unreadable", ""),
    "text.mp4": ("unreadable", ""),
    "empty.mp4": ("unreadable", "empty"),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_verdicts(zoo, name):
    line = zoo[1][name]
    status, words = VERDICTS[name]
    assert line["verdict"] == status, line
    assert any(words in reason for reason in line["reasons"]), line
    assert all("\n" not in reason and "Traceback" not in reason for reason in line["reasons"])


def test_every_input_has_one_line_in_the_report(zoo):
    store, lines = zoo
    assert set(lines) == set(VERDICTS)
    assert [line["source"] for line in read_report(store)] == sorted(VERDICTS)
    assert (store / "report.png").stat().st_size > 10_000


def test_the_store_is_whole_and_leaves_nothing_lying_about(zoo):
    store, lines = zoo
    report = check_store(store)
    assert report.ok, report.summary()
    assert report.notes == []
    ids = {clip["id"] for line in lines.values() for clip in line["clips"] if clip["verdict"] != "rejected"}
    assert {clip.row.id for clip in ClipStore(store)} == ids
    assert report.features == dict.fromkeys(
        ("audio", "boxes", "identity", "landmarks", "locator", "regions", "video"), len(ids)
    )


def test_clips_are_cropped_at_25_fps_with_the_sound_of_their_time(zoo):
    store, lines = zoo
    for name in ("240 fps.mp4", "vfr.mkv", "rotated.mp4", "cut.mp4"):
        for clip in lines[name]["clips"]:
            path = store / "clips" / clip["id"][:2] / f"{clip['id']}.mp4"
            info = probe(path)
            frames = round((clip["end"] - clip["start"]) * 25)
            assert (info.width, info.height, info.fps, info.frames) == (128, 128, 25, frames)
            heard = read_audio(path).numpy()
            said = speech(58 / 25, len("cut.mp4")) if name == "cut.mp4" else None
            if said is not None:
                piece = said[round(clip["start"] * 16000) : round(clip["end"] * 16000)]
                assert np.corrcoef(heard[: len(piece)], piece[: len(heard)])[0, 1] > 0.9


def test_cuts_divide_a_source_to_the_frame(zoo):
    spans = [(round(clip["start"] * 25), round(clip["end"] * 25)) for clip in zoo[1]["cut.mp4"]["clips"]]
    assert spans == [(0, 30), (30, 58)]


def test_a_face_that_leaves_is_kept_until_it_does(zoo):
    (clip,) = [c for c in zoo[1]["leaves.mp4"]["clips"] if c["verdict"] == "undecided"]
    assert 25 <= round(clip["end"] * 25) <= 56


def test_the_face_is_where_the_crop_says(zoo):
    """In the middle, as high as asked for, upright also when a flag turns the picture; masks and boxes agree."""
    store, lines = zoo
    for name in ("rotated.mp4", "30 fps.mp4"):
        (clip,) = lines[name]["clips"]
        tensors = read_tensors(store / "clips" / clip["id"][:2] / f"{clip['id']}.safetensors")
        left, top, right, bottom = np.median(tensors["boxes"][:, 0], axis=0)
        assert (bottom - top) / 128 == pytest.approx(0.62, abs=0.08)
        assert (left + right) / 2 == pytest.approx(64, abs=10)
        lips = np.median(tensors["boxes"][:, 1], axis=0)
        assert top < lips[1] < lips[3] < bottom
        assert tensors["regions"].shape == (3, 64, 64)
        assert tensors["landmarks"].shape == (round((clip["end"] - clip["start"]) * 25), 478, 3)
        np.testing.assert_allclose(tensors["locator"][:2], tensors["boxes"][:, 0, :2].min(0), atol=2)
        assert tensors["audio"].shape[1:] == (4, 8)
        assert tensors["identity"].shape == (16,)


def test_equal_content_is_stored_once(zoo):
    _, lines = zoo
    pair = [lines["30 fps.mp4"], lines["ünï çødé 名前.v1.2.mp4"]]
    assert sum("duplicate_of" in line for line in pair) == 1
    assert pair[0]["clips"] == pair[1]["clips"]
    assert lines["a/face.mp4"]["clips"] != lines["b/face.mp4"]["clips"]


def test_a_second_run_does_nothing_and_says_the_same(zoo, monkeypatch):
    store, lines = zoo
    before, report = stamps(store), (store / "report.jsonl").read_bytes()
    monkeypatch.setattr("hallo_lit.data.preprocess.run.work", None)
    outcome = run(store.parent, store)
    assert outcome.reused == len(lines)
    assert stamps(store) == before
    assert (store / "report.jsonl").read_bytes() == report


@pytest.fixture
def store(face_clip, tmp_path) -> Path:
    run(face_clip, tmp_path / "store")
    return tmp_path / "store"


def no_rendering(monkeypatch) -> None:
    def refuse(*_args, **_kwargs):
        raise AssertionError("rendered again")

    monkeypatch.setattr(clipping, "render", refuse)
    monkeypatch.setattr(planning, "analyse", refuse)


def test_another_encoder_replaces_its_own_features_only(face_clip, store, monkeypatch):
    clip = ClipStore(store)[0]
    before, video = read_tensors(clip.path), clip.video.stat().st_mtime_ns
    no_rendering(monkeypatch)
    other = {**MEL, "width": 12}
    run(face_clip, store, other)
    after = read_tensors(clip.path)
    assert after["audio"].shape[2] == 12
    assert clip.video.stat().st_mtime_ns == video
    for name in set(before) - {"audio"}:
        np.testing.assert_array_equal(after[name], before[name])
    header = read_header(clip.path)
    assert header.encoders["audio"] == Encoder.of(other)
    assert header.encoders["identity"] == Encoder.of(CONV)
    ClipStore(store).require(["audio"], {"audio": Encoder.of(other)})


def test_thresholds_drop_and_restore_clips_without_measuring_again(face_clip, store, monkeypatch):
    id = ClipStore(store)[0].row.id
    with monkeypatch.context() as patch:
        no_rendering(patch)
        strict = run(face_clip, store, filters={"min_face": 900.0})
    assert strict.lines[0]["verdict"] == "rejected"
    assert "sync_r" in strict.lines[0]["clips"][0]["measured"] or "mouth" in strict.lines[0]["clips"][0]["measured"]
    assert stamps(store) == {}
    run(face_clip, store)
    assert ClipStore(store)[0].row.id == id
    assert check_store(store).ok


def test_latents_are_those_of_the_codec(face_clip, tmp_path):
    codec = {"_target_": f"{seeded_codec.__module__}.seeded_codec", "seed": 3}
    run(face_clip, tmp_path / "store", features={"latents": codec})
    clip = ClipStore(tmp_path / "store")[0]
    assert clip.read("latents_mean").shape == (50, 4, 64, 64)
    frame = torch.from_numpy(read_clip(clip.video, 7, 1)).movedim(-1, 1).float() / 127.5 - 1
    with torch.no_grad():
        mean, std = seeded_codec(3).moments(frame)
    np.testing.assert_allclose(clip.read("latents_mean", 7, 8), mean.numpy(), atol=5e-3)
    np.testing.assert_allclose(clip.read("latents_std", 7, 8), std.numpy(), atol=5e-3)


def test_a_separator_hears_the_sound_first(face_clip, store):
    before = ClipStore(store)[0].read("audio")
    separator = {
        "_target_": "torchaudio.functional.highpass_biquad",
        "_partial_": True,
        "sample_rate": 16000,
        "cutoff_freq": 3000.0,
    }
    run(face_clip, store, features={"separator": separator})
    assert not np.allclose(ClipStore(store)[0].read("audio"), before, atol=0.1)


def test_a_table_names_parts_people_and_places(face_clip, tmp_path):
    table = tmp_path / "list.csv"
    rows = ["path,start,end,left,top,right,bottom,identity,split"]
    rows += [f"{face_clip},0.2,1.0,,,,,Ann,test", f"{face_clip},1.0,2.0,0.2,0.1,0.8,0.9,Bob,train"]
    rows += [f"{face_clip},5,9,,,,,,", "gone.mp4,,,,,,,,", f"{face_clip},1,x,,,,,,"]
    table.write_text("\n".join(rows), encoding="utf-8")
    outcome = run(table, tmp_path / "store")
    assert [line["verdict"] for line in outcome.lines] == ["undecided"] * 2 + ["unreadable"] * 3
    by_identity = {clip.row.identity: clip for clip in ClipStore(tmp_path / "store")}
    assert {name: clip.row.split for name, clip in by_identity.items()} == {"Ann": "test", "Bob": "train"}
    assert {name: clip.row.frames for name, clip in by_identity.items()} == {"Ann": 20, "Bob": 25}
    left, top, right, bottom = outcome.lines[1]["clips"][0]["box"]
    assert (left + right) / 2 == pytest.approx(160, abs=1)
    assert right - left == pytest.approx(192, abs=1)
    assert (bottom - top) == pytest.approx(192, abs=1)

    table.write_text("\n".join(rows).replace("Ann", "Anna"), encoding="utf-8")
    run(table, tmp_path / "store")
    assert {clip.row.identity for clip in ClipStore(tmp_path / "store")} == {"Anna", "Bob"}


def test_a_video_that_was_replaced_takes_its_old_clips_along(tmp_path):
    video = write_video(tmp_path / "in" / "face.mp4", swaying(25), wave=speech(1.0))
    run(video.parent, tmp_path / "store")
    old = ClipStore(tmp_path / "store")[0].row.id
    write_video(video, swaying(30, face=140), wave=speech(1.2))
    run(video.parent, tmp_path / "store")
    (new,) = ClipStore(tmp_path / "store")
    assert new.row.id != old
    assert new.row.frames == 30


def test_a_store_grows_and_its_report_with_it(face_clip, store, tmp_path):
    write_video(tmp_path / "more" / "other.mp4", swaying(20), wave=speech(0.8))
    (tmp_path / "more" / "broken.mp4").touch()
    (tmp_path / "more" / "twice.csv").write_text("path\nother.mp4\nother.mp4\nbroken.mp4\n")
    outcome = run(tmp_path / "more" / "twice.csv", store)
    assert [line["source"] for line in outcome.lines] == ["other.mp4", "other.mp4", "broken.mp4"]
    assert [line["source"] for line in read_report(store)] == ["face.mp4", "other.mp4", "other.mp4", "broken.mp4"]
    assert len(ClipStore(store)) == 2
    assert summarise(read_report(store)).seconds == pytest.approx(2.8)
    run(face_clip, store)
    assert len(read_report(store)) == 4


def test_a_broken_clip_is_made_again_and_debris_goes(face_clip, store):
    clip = ClipStore(store)[0]
    for debris in (clip.path.with_name(".part-00.mp4"), store / "tmp" / "x.mp4", store / ".part-1.json"):
        debris.write_bytes(b"x")
    next((store / "preprocess" / "clips").iterdir()).joinpath(".part-2.json").touch()
    clip.path.write_bytes(clip.path.read_bytes()[:1000])
    assert not check_store(store).ok
    clip.path.unlink()
    run(face_clip, store)
    report = check_store(store)
    assert report.ok
    assert report.notes == []
    assert not list(store.rglob(".part-*"))


def test_videos_without_sound_can_be_kept_for_the_appearance_stage(tmp_path):
    write_video(tmp_path / "in" / "mute.mp4", swaying(20))
    outcome = run(tmp_path / "in", tmp_path / "store", filters={"sound": "optional"})
    assert outcome.lines[0]["verdict"] == "undecided"
    header = ClipStore(tmp_path / "store")[0].header()
    assert "identity" in header.features
    assert "audio" not in header.features


def test_a_full_disk_stops_the_run_with_one_sentence_and_nothing_is_lost(face_clip, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))  # no file may grow beyond this
        with pytest.raises(UserError, match="No space left"):
            run(face_clip, tmp_path / "store")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list((tmp_path / "store").rglob(".part-*"))
    assert run(face_clip, tmp_path / "store").lines[0]["verdict"] == "undecided"
    assert check_store(tmp_path / "store").ok


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"videos": ""}, "videos"),
        ({"out": None}, "out"),
        ({"crop": {"size": 8}}, "crop.size"),
        ({"features": {"regions": "round"}}, "regions"),
        ({"features": {"audio": {"_target_": "hallo_lit.nothing.Here"}}}, "hallo_lit.nothing"),
        ({"filters": {"max_yaw": "far"}}, "max_yaw"),
        ({"tracking": {"backend": "dlib"}}, "backend"),
        ({"crop": {"preset": "fasst"}}, "fasst"),
        ({"features": {"device": "cdua"}}, "cdua"),
        ({"engine": {**HERE, "workers": -3}}, "engine.workers=-3"),
    ],
)
def test_wrong_settings_are_refused_before_any_work(face_clip, tmp_path, change, words):
    with pytest.raises(UserError, match=words):
        preprocess({"videos": str(face_clip), "out": str(tmp_path / "store"), "engine": HERE, **change})
    assert not list(tmp_path.rglob("*.mp4"))
    assert not (tmp_path / "store").exists()


def test_the_report_is_plain_json_even_with_names_that_are_no_unicode(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / os.fsdecode(b"\xff\xfe.mp4")).write_bytes(b"x")
    run(folder, tmp_path / "store")
    (line,) = (json.loads(text) for text in (tmp_path / "store" / "report.jsonl").read_text().splitlines())
    assert line["verdict"] == "unreadable"


def test_self_made_clips_keep_their_split_and_need_no_judge_of_lips(tmp_path):
    """What `hallo-lit synthesize` writes says so; its lips are right by construction."""
    video = tmp_path / "in" / "made.mp4"
    video.parent.mkdir()
    about = {"made_by": "hallo-lit synthesize", "split": "test"}
    with VideoWriter(video, (240, 320), 25, torch.from_numpy(speech(1.0)), about) as writer:
        for frame in swaying(25):
            writer.write(frame)
    outcome = run(video.parent, tmp_path / "store")
    assert outcome.lines[0]["verdict"] == "kept"
    assert ClipStore(tmp_path / "store")[0].row.split == "test"


def test_a_bad_line_of_a_table_costs_nobody_else_anything(face_clip, tmp_path):
    table = tmp_path / "list.csv"
    table.write_text(f"path,start\n,1\n{face_clip},x\n{tmp_path},\n{face_clip},\n{face_clip},0.5\n", encoding="utf-8")
    outcome = run(table, tmp_path / "store")
    assert [line["verdict"] for line in outcome.lines] == ["unreadable"] * 3 + ["undecided"] * 2
    words = ("`path` is empty", "could not convert", "cannot be read (Is a directory)")
    for line, word in zip(outcome.lines[:3], words, strict=True):
        assert word in line["reasons"][0]
    assert len({line["path"] for line in outcome.lines[:3]}) == 3


def test_a_replaced_file_leaves_the_clip_to_the_other_that_holds_the_same(tmp_path):
    first = write_video(tmp_path / "in" / "a.mp4", swaying(25), wave=speech(1.0))
    shutil.copy(first, tmp_path / "in" / "b.mp4")
    lines = run(first.parent, tmp_path / "store").lines
    assert lines[1]["duplicate_of"] == str(first)
    write_video(first, swaying(30, face=140), wave=speech(1.2))
    a, b = run(first.parent, tmp_path / "store").lines
    assert "duplicate_of" not in b
    assert b["clips"][0]["id"] == lines[0]["clips"][0]["id"] != a["clips"][0]["id"]
    assert {clip.row.id for clip in ClipStore(tmp_path / "store")} == {line["clips"][0]["id"] for line in (a, b)}
    assert run(first.parent, tmp_path / "store").reused == 2


def test_lines_of_other_parts_of_a_file_stay_in_the_report(face_clip, tmp_path):
    def parts(*spans: tuple[str, str]) -> Outcome:
        table = tmp_path / "list.csv"
        table.write_text("path,start,end\n" + "".join(f"{face_clip},{a},{b}\n" for a, b in spans))
        return run(table, tmp_path / "store")

    def starts() -> list[float]:
        return sorted(line["clips"][0]["start"] for line in read_report(tmp_path / "store"))

    parts(("0", "0.8"))
    parts(("1", "2"))
    assert starts() == [0, 1]
    assert len(ClipStore(tmp_path / "store")) == 2
    parts(("1", "2"), ("0", "0.8"))
    assert starts() == [0, 1]
    run(face_clip, tmp_path / "store")
    assert starts() == [0, 0, 1]


def test_a_damaged_report_ends_no_run(face_clip, store):
    path = store / "report.jsonl"
    old = {"source": "old.mp4", "path": "/old.mp4", "verdict": "rejected", "reasons": ["old"], "clips": []}
    path.write_bytes(b'\xff{"source": "x"\n{"path": 3}\n' + json.dumps(old).encode() + b"\n" + path.read_bytes()[:100])
    run(face_clip, store)
    assert [line["source"] for line in read_report(store)] == ["old.mp4", "face.mp4"]


def test_what_others_have_in_the_making_stays(face_clip, store):
    made = [store / "tmp" / "x.mp4", store / ".part-1.json"]
    for path in made:
        path.write_bytes(b"x")
    with writing(store):
        run(face_clip, store)
    assert all(path.exists() for path in made)
    run(face_clip, store)
    assert not any(path.exists() for path in made)


def test_a_store_with_clips_without_sound_says_so_when_audio_is_asked_for(tmp_path):
    write_video(tmp_path / "in" / "mute.mp4", swaying(20))
    write_video(tmp_path / "in" / "face.mp4", swaying(25), wave=speech(1.0))
    run(tmp_path / "in", tmp_path / "store", filters={"sound": "optional"})
    with pytest.raises(UserError, match=r"1 of 2 clips .* have no sound .* filters\.sound=required"):
        ClipStore(tmp_path / "store").require(["audio"])
    assert check_store(tmp_path / "store").notes == [
        "1 clips have no sound and so no audio features; filters.sound=required takes them out"
    ]
    run(tmp_path / "in", tmp_path / "store")
    ClipStore(tmp_path / "store").require(["audio"])
    assert check_store(tmp_path / "store").notes == []
