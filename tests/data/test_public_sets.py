import json

import pytest

from hallo_lit.data.public_sets import celebv_manifest, hdtf_manifest
from hallo_lit.errors import UserError

TIMES = """Person0.mp4 00:05-01:30 02:00-02:30 \nPerson1.mp4 1:00:00-1:00:09
Other.mp4 00:10-00:20 00:20-00:15 00:40-99
Lost.mp4 00:01-00:09

Alone.mp4"""
CROPS = "Person0_0.mp4 100 200 10 200\nPerson1_0.mp4 5 50 0 50\nOther_0.mp4 5 x 0 50\n"
URLS = "\n".join(
    f"{name} https://www.youtube.com/watch?v={id}&t=6s"
    for name, id in [("Person0", "AAAA"), ("Person1", "BB-_"), ("Other", "BB-_"), ("Lost", "CCCC")]
)


@pytest.fixture
def hdtf(tmp_path):
    lists, videos = tmp_path / "HDTF_dataset", tmp_path / "my videos"
    lists.mkdir()
    (videos / "WDA").mkdir(parents=True)
    (lists / "WDA_annotion_time.txt").write_text(TIMES)
    (lists / "WDA_crop_wh.txt").write_text(CROPS)
    (lists / "WDA_video_url.txt").write_text(URLS)
    (lists / "RD_annotation_time.txt").write_text("Radio1.mp4 00:20-01:35\nRadio2.mp4 00:20-01:35\n")
    for name in ("WDA_Person0.mkv", "WDA/Person1.mp4", "BB-_.webm", "Radio1.MP4", "RD_Radio2.mp4", "notes.txt"):
        (videos / name).write_bytes(b"")
    return lists, videos


def test_hdtf_lists_are_joined_to_the_files(hdtf):
    manifest = hdtf_manifest(*hdtf)
    found = {(row.path.name, row.start): row for row in manifest.rows}
    assert {key: (row.end, row.box, row.identity) for key, row in found.items()} == {
        ("Radio1.MP4", 20): (95, None, "RD_Radio1"),
        ("RD_Radio2.mp4", 20): (95, None, "RD_Radio2"),
        ("WDA_Person0.mkv", 5): (90, (100, 10, 300, 210), "WDA_Person"),
        ("WDA_Person0.mkv", 120): (150, None, "WDA_Person"),
        ("Person1.mp4", 3600): (3609, (5, 0, 55, 50), "WDA_Person"),
        ("BB-_.webm", 40): (99, None, "WDA_Person"),  # the same recording as Person1, under another name
    }


def test_hdtf_faults_name_file_and_line(hdtf):
    lists, _ = hdtf
    faults = hdtf_manifest(*hdtf).faults
    times = lists / "WDA_annotion_time.txt"
    assert len(faults) == 4
    assert any(f.startswith(f"{times}, line 3:") and f"{lists}/WDA_crop_wh.txt, line 3" in f for f in faults)
    assert any(f.startswith(f"{times}, line 3:") and "'00:20-00:15'" in f for f in faults)
    assert any(f.startswith(f"{times}, line 4:") and "WDA_Lost is not in" in f for f in faults)
    assert any(f.startswith(f"{times}, line 6:") and "nothing follows" in f for f in faults)


def test_hdtf_boxes_follow_the_height_of_the_file(hdtf):
    lists, _ = hdtf
    (lists / "WDA_resolution.txt").write_text("Person0.mp4 720\nPerson1.mp4 HD\n")
    manifest = hdtf_manifest(*hdtf, size_of=lambda path: (1920, 1080))
    boxes = {row.path.name: row.box for row in manifest.rows if row.box}
    assert boxes == {"WDA_Person0.mkv": (150, 15, 450, 315)}
    assert any("names no height" in fault for fault in manifest.faults)
    assert any("WDA_Person0.mkv" in fault for fault in hdtf_manifest(*hdtf).faults)  # an empty file has no height


def test_folders_that_are_not_hdtf(tmp_path, hdtf):
    with pytest.raises(UserError, match="has no HDTF lists"):
        hdtf_manifest(tmp_path, hdtf[1])
    with pytest.raises(UserError, match="not a folder of videos"):
        hdtf_manifest(hdtf[0], tmp_path / "nowhere")


def clip(id="M2Oh", start=81.62, end=86.17, top=0.0, bottom=0.8815, left=0.1964, right=0.6922):
    return {
        "ytb_id": id,
        "duration": {"start_sec": start, "end_sec": end},
        "bbox": {"top": top, "bottom": bottom, "left": left, "right": right},
        "attributes": {"emotion": {"sep_flag": False, "labels": "neutral"}},
        "version": "v0.1",
    }


def celebv(tmp_path, clips):
    (tmp_path / "info.json").write_text(json.dumps({"meta_info": {}, "clips": clips}))
    (tmp_path / "videos" / "raw").mkdir(parents=True)
    for name in ("raw/M2Oh.mp4", "cut_1.mp4"):
        (tmp_path / "videos" / name).write_bytes(b"")
    return celebv_manifest(tmp_path / "info.json", tmp_path / "videos")


def test_celebv_clips_are_cut_from_the_video_or_taken_as_cut(tmp_path):
    manifest = celebv(tmp_path, {"M2Oh_1": clip(), "cut_1": clip("cut")})
    whole, cut = manifest.rows
    assert (whole.path.name, whole.start, whole.end, whole.identity) == ("M2Oh.mp4", 81.62, 86.17, "M2Oh")
    assert whole.box == (0.1964, 0.0, 0.6922, 0.8815)
    assert (cut.path.name, cut.start, cut.end, cut.box, cut.identity) == ("cut_1.mp4", 0.0, None, None, "cut")
    assert not manifest.faults


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (clip(start=9, end=8), "no stretch of time"),
        (clip(right=1.5), "not inside the picture"),
        (clip("gone"), "neither x nor gone is in"),
        ({"ytb_id": "M2Oh"}, "no usable 'duration'"),
        (clip(start="soon"), "could not convert"),
        (3, "must be objects with names and values"),
        ({**clip(), "bbox": [0, 0, 1, 1]}, "must be objects with names and values"),
        (clip(start=None), "must be numbers"),
    ],
)
def test_celebv_faults_name_file_and_clip(tmp_path, bad, words):
    manifest = celebv(tmp_path, {"x": bad, "M2Oh_1": clip()})
    assert len(manifest.rows) == 1
    assert len(manifest.faults) == 1
    assert manifest.faults[0].startswith(f"{tmp_path / 'info.json'}, clip x: ")
    assert words in manifest.faults[0]
    assert "object is not" not in manifest.faults[0]


@pytest.mark.parametrize("text", ["", "[]", '{"clips": 3}', "{}"])
def test_files_that_are_no_celebv_list(tmp_path, text):
    (tmp_path / "info.json").write_text(text)
    with pytest.raises(UserError, match=r"celebvhq_info\.json"):
        celebv_manifest(tmp_path / "info.json", tmp_path)
    with pytest.raises(UserError, match="cannot be read"):
        celebv_manifest(tmp_path / "nowhere.json", tmp_path)
