import json
import pickle

import numpy as np
import pytest
import torch

from hallo_lit.data import hallo_json
from hallo_lit.data.clips import ClipPolicy
from hallo_lit.data.dataset import ClipDataset, SampleSpec
from hallo_lit.data.hallo_json import import_list
from hallo_lit.data.store import ClipStore, Encoder, StoreSpec, StoreWriter, check_store
from hallo_lit.data.store_writer import unwritten
from hallo_lit.errors import UserError
from hallo_lit.media.image import save_png
from hallo_lit.media.video import VideoWriter, read_clip

from .stores import make_store

FRAMES = 24


def grey(size, box=None) -> np.ndarray:
    mask = np.zeros((*size, 3), np.uint8)
    if box is not None:
        left, top, right, bottom = box
        mask[top:bottom, left:right] = 255
    return mask


@pytest.fixture
def original(tmp_path):
    """A folder as the original's preprocessing leaves it, with one video."""
    root = tmp_path / "data set"
    folders = ("videos", "images/talk", "face_mask", "sep_pose_mask", "sep_face_mask", "sep_lip_mask")
    for folder in (*folders, "face_emb", "audio_emb"):
        (root / folder).mkdir(parents=True)
    with VideoWriter(root / "videos/talk.mp4", (48, 64)) as film:
        for number in range(FRAMES):
            picture = np.full((48, 64, 3), 8 * number, np.uint8)
            film.write(picture)
            save_png(root / f"images/talk/{number + 1:04d}.png", picture)
    save_png(root / "face_mask/talk.png", grey((48, 64), (10, 6, 40, 36)))
    for number, name in enumerate(("pose", "face", "lip")):
        save_png(root / f"sep_{name}_mask/talk.png", grey((64, 64), (number, 0, 20, 20)))
    torch.save(np.arange(512, dtype=np.float32), root / "face_emb/talk.pt")
    torch.save(torch.arange(FRAMES + 2.0)[:, None, None].expand(-1, 12, 768).clone(), root / "audio_emb/talk.pt")
    return root


def stage_two(root, **other):
    entry = {
        "video_path": f"{root}/videos/talk.mp4",
        "mask_path": f"{root}/face_mask/talk.png",
        "sep_mask_border": f"{root}/sep_pose_mask/talk.png",
        "sep_mask_face": f"{root}/sep_face_mask/talk.png",
        "sep_mask_lip": f"{root}/sep_lip_mask/talk.png",
        "face_emb_path": f"{root}/face_emb/talk.pt",
        "audio_path": f"{root}/audios/talk.wav",
        "vocals_emb_base_all": f"{root}/audio_emb/talk.pt",
    }
    return {key: value for key, value in {**entry, **other}.items() if value is not None}


def write(root, *entries):
    path = root / "list.json"
    path.write_text(json.dumps(entries))
    return path


def test_stage_two(original, tmp_path):
    wav2vec = Encoder("Wav2Vec2", "1" * 16)
    report = import_list(write(original, stage_two(original)), tmp_path / "store", {"audio": wav2vec})
    assert not report.faults
    store = ClipStore(tmp_path / "store")
    store.require(["video", "audio", "regions"], {"audio": wav2vec})
    clip = store[0]
    assert (clip.row.id,) == report.clips
    assert (clip.row.frames, clip.row.size) == (FRAMES, (48, 64))
    assert clip.read("audio").shape == (FRAMES, 12, 768)
    assert clip.read("audio", 5, 6).flatten().tolist() == [5.0] * 12 * 768
    assert clip.read("identity").tolist() == list(range(512))
    assert clip.read("locator").tolist() == [10, 6, 40, 36]
    assert clip.read("regions").shape == (3, 64, 64)
    assert [int(mask[0].argmax()) for mask in clip.read("regions")] == [0, 1, 2]
    assert check_store(tmp_path / "store").ok
    sample = ClipDataset(store, SampleSpec(size=(32, 32)))[0]
    assert sample.frames.shape == (14, 3, 32, 32)


def test_stage_one(original, tmp_path):
    entry = {
        "image_path": "images/talk",  # relative to the list
        "mask_path": "face_mask/talk.png",
        "face_emb": "face_emb/talk.pt",
    }
    import_list(write(original, entry), tmp_path / "store")
    store = ClipStore(tmp_path / "store")
    assert store[0].row.features == {"video", "identity", "locator"}
    data = ClipDataset(store, SampleSpec(ClipPolicy.pairs(10), audio=False, masks="none"))
    sample = data[0]
    assert sample.frames.shape == (1, 3, 48, 64)
    levels = {round((float(picture.mean()) + 1) * 127.5 / 8) for picture in (sample.frames[0], sample.portrait)}
    assert len(levels) == 2
    before = store[0].path.stat().st_mtime_ns
    import_list(write(original, entry), tmp_path / "store")
    assert store[0].path.stat().st_mtime_ns == before
    assert check_store(tmp_path / "store").notes == []


def test_unusable_entries_are_named_and_the_others_kept(original, tmp_path):
    torch.save(torch.zeros(99, 12, 768), original / "long.pt")
    save_png(original / "black.png", grey((48, 64)))
    save_png(original / "small.png", grey((32, 32)))
    (original / "evil.pt").write_bytes(pickle.dumps(print))
    with VideoWriter(original / "fast.mp4", (48, 64), fps=30) as film:
        film.write(grey((48, 64)))
        film.write(grey((48, 64)))
    cases = {
        "face_emb_path is missing": {"face_emb_path": None},
        "does not exist": {"mask_path": "nowhere.png"},
        "24 frames and 99 rows": {"vocals_emb_base_all": f"{original}/long.pt"},
        "face mask": {"mask_path": f"{original}/black.png"},
        "differ in size": {"sep_mask_lip": f"{original}/small.png"},
        "read safely": {"face_emb_path": f"{original}/evil.pt"},
        "30 frames per second": {"video_path": f"{original}/fast.mp4"},
        "paths": None,
    }
    entries = [3 if change is None else stage_two(original, **change) for change in cases.values()]
    path = write(original, *entries, stage_two(original))
    report = import_list(path, tmp_path / "store")
    assert len(report.clips) == 1
    assert len(report.faults) == len(cases)
    for number, (words, fault) in enumerate(zip(cases, report.faults, strict=True), 1):
        assert fault.startswith(f"{path}, entry {number}: ")
        assert words in fault
        assert "\n" not in fault


def test_pickles_that_run_code_do_not(original, tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "written"), "w"))

    torch.save(Evil(), original / "face_emb/talk.pt")
    with pytest.raises(UserError, match="read safely"):
        import_list(write(original, stage_two(original)), tmp_path / "store")
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize(
    ("text", "words"), [("[]", "the list is empty"), ("{}", "not a JSON list"), ("x", "not a JSON list")]
)
def test_files_that_are_no_list(tmp_path, text, words):
    (tmp_path / "list.json").write_text(text)
    with pytest.raises(UserError, match=words):
        import_list(tmp_path / "list.json", tmp_path / "store")
    with pytest.raises(UserError, match="cannot be read"):
        import_list(tmp_path / "nowhere.json", tmp_path / "store")


def stage_one(root, **other):
    entry = {"image_path": f"{root}/images/talk", "mask_path": f"{root}/face_mask/talk.png"}
    return {**entry, "face_emb": f"{root}/face_emb/talk.pt", **other}


def test_an_import_of_nothing_leaves_no_trace(original, tmp_path):
    save_png(original / "images/talk/0025.png", grey((64, 48)))
    (original / "images/talk/0026.png").write_bytes(b"no picture")
    torch.save(torch.full((FRAMES, 12, 768), float("nan")), original / "nan.pt")
    entries = (stage_two(original, mask_path="nowhere.png"), stage_one(original))
    unfit = stage_two(original, vocals_emb_base_all=f"{original}/nan.pt")
    with pytest.raises(UserError, match="Nothing in"):
        import_list(write(original, *entries, unfit), tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_pictures_of_several_sizes_cost_their_own_entry_alone(original, tmp_path):
    (original / "images/mixed").mkdir()
    for number, size in enumerate([(48, 64), (64, 48)]):
        save_png(original / f"images/mixed/{number:04d}.png", grey(size))
    mixed = stage_one(original, image_path=f"{original}/images/mixed")
    report = import_list(write(original, mixed, stage_one(original)), tmp_path / "store")
    assert len(report.clips) == 1
    (fault,) = report.faults
    assert "entry 1" in fault
    assert "0001.png has 48 x 64 pixels and those before it 64 x 48" in fault
    assert check_store(tmp_path / "store").notes == []


def test_files_that_the_system_refuses_cost_their_own_entry_alone(original, tmp_path):
    long = stage_two(original, mask_path="x" * 5000)
    report = import_list(write(original, long, stage_two(original)), tmp_path / "store")
    assert len(report.clips) == 1
    (fault,) = report.faults
    assert "entry 1" in fault
    assert "\n" not in fault


def test_pictures_come_in_the_order_of_their_numbers(original, tmp_path):
    folder = original / "images/talk"
    for path in sorted(folder.iterdir()):
        path.rename(folder / f"{int(path.stem) + 9990}.png")
    import_list(write(original, stage_one(original)), tmp_path / "store")
    film = read_clip(ClipStore(tmp_path / "store")[0].video, 0, FRAMES)
    levels = film.mean(axis=(1, 2, 3))
    assert (np.diff(levels) > 4).all()


def test_an_import_into_a_store_leaves_what_it_says(original, tmp_path):
    ours, other = Encoder("LogMel", "1" * 16), Encoder("Wav2Vec2", "2" * 16)
    store = make_store(tmp_path / "store", (20,))
    StoreWriter(store, StoreSpec(("audio", "regions"), {"audio": ours}))
    before = (store / "store.json").read_bytes()
    with pytest.raises(UserError, match=r"holds audio features of LogMel .* list's are of Wav2Vec2"):
        import_list(write(original, stage_two(original)), store, {"audio": other})
    with pytest.raises(UserError, match="does not exist"):
        import_list(write(original, stage_two(original, mask_path="nowhere.png")), store, {"audio": ours})
    assert (store / "store.json").read_bytes() == before
    arcface = Encoder("ArcFace", "3" * 16)
    report = import_list(write(original, stage_two(original)), store, {"audio": ours, "identity": arcface})
    assert not report.faults
    assert StoreSpec.load(store) == StoreSpec(("audio", "regions"), {"audio": ours, "identity": arcface})
    assert len(ClipStore(store)) == 2


def test_only_encoders_of_what_a_list_brings_are_noted(original, tmp_path):
    encoders = {"audio": Encoder("Wav2Vec2", "2" * 16), "identity": Encoder("ArcFace", "3" * 16)}
    import_list(write(original, stage_one(original)), tmp_path / "store", encoders)
    assert StoreSpec.load(tmp_path / "store").encoders == {"identity": encoders["identity"]}
    import_list(write(original, stage_one(original), stage_two(original)), tmp_path / "store", encoders)
    assert StoreSpec.load(tmp_path / "store").encoders == encoders
    assert {tuple(sorted(clip.row.encoders)) for clip in ClipStore(tmp_path / "store")} == {
        ("identity",),
        ("audio", "identity"),
    }


def test_a_store_that_cannot_be_read_is_said_at_once(original, tmp_path):
    (tmp_path / "store.json").write_text("{}")
    with pytest.raises(UserError, match="does not describe a clip store"):
        import_list(write(original, stage_two(original)), tmp_path)


def test_nobody_clears_what_an_import_has_in_the_making(original, tmp_path, monkeypatch):
    film, looks = hallo_json._film, []

    def look(pictures, video):
        with unwritten(tmp_path / "store") as free:
            looks.append(free)
        return film(pictures, video)

    monkeypatch.setattr(hallo_json, "_film", look)
    assert import_list(write(original, stage_one(original)), tmp_path / "store").clips
    assert looks == [False]
    with unwritten(tmp_path / "store") as free:
        assert free
