from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch.distributed as dist
import torch.multiprocessing as mp

from evaluation.footage import Brightness, GreyDistance, folder, write
from hallo_lit.errors import UserError
from hallo_lit.evaluation.bootstrap import Bootstrap
from hallo_lit.evaluation.cases import video_cases
from hallo_lit.evaluation.row import Item
from hallo_lit.evaluation.scoring import score, score_real
from hallo_lit.metrics.efid import EFID
from hallo_lit.metrics.fid import FID

REAL = {"a": 100, "b": 110, "c": 120, "d": 130, "e": 140, "f": 150}


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Generated videos, each ten grey levels brighter, and real ones."""
    return folder(tmp_path / "fake", {k: v + 10 for k, v in REAL.items()}), folder(tmp_path / "real", REAL)


def test_a_folder_becomes_a_row(places: tuple[Path, Path]) -> None:
    seen: list[tuple[str, int, int]] = []
    row = score(*places, {"brightness": Brightness()}, progress=lambda *step: seen.append(step))
    assert row.name == "fake"
    assert row.values["off"] == pytest.approx(10, abs=1.5)  # H.264 moves grey levels a little
    assert row.values["grey"] == pytest.approx(140.5, abs=1.5)
    assert (row.counted, row.total, row.counts["off"]) == (6, 6, 6)
    low, high = row.intervals["grey"]
    assert low < row.values["grey"] < high
    assert [item.name for item in row.items] == list(REAL)
    assert seen[-1] == ("score", 6, 6)


def test_metrics_are_emptied_between_rows(places: tuple[Path, Path]) -> None:
    metrics = {"brightness": Brightness(), "distance": GreyDistance()}
    first, second = (score(*places, metrics) for _ in range(2))
    assert first == second
    assert set(first.values) > {"grey_fd", "off"}


def test_every_clip_has_a_verdict(tmp_path: Path) -> None:
    real = folder(tmp_path / "real", {"a": 100, "b": 110, "c": 120, "d": 130, "gone": 100})
    fake = folder(tmp_path / "fake", {"a": 100, "c": 0, "stranger": 9})
    whole = write(tmp_path / "fake" / "b.mp4", frames=40).read_bytes()
    (tmp_path / "fake" / "b.mp4").write_bytes(whole[: len(whole) // 2])
    write(fake / "d.mp4", 130, frames=24, fps=30, side=64)
    row = score(fake, real, {"brightness": Brightness()})
    verdicts = {item.name: item for item in row.items}
    assert verdicts["a"] == Item("a", True)
    assert not verdicts["b"].counted
    assert "b.mp4" in verdicts["b"].remarks[""]
    assert verdicts["c"] == Item("c", False, {"brightness": "it is dark"})
    assert verdicts["gone"] == Item("gone", False, {"": f"{fake} has no video of this name"})
    assert verdicts["d"].counted
    assert "it lasts 0.80 s, the real video 0.48 s" in verdicts["d"].remarks[""]
    assert "it has 30 fps, read as 25" in verdicts["d"].remarks[""]
    assert "it has 64x64 pixels, the real video 48x48" in verdicts["d"].remarks[""]
    assert (row.counted, row.total, row.counts["grey"]) == (2, 5, 2)
    assert any("1 video of" in note and "stranger" in note for note in row.notes)


def test_known_faults_stand_in_the_verdict(places: tuple[Path, Path]) -> None:
    (places[0] / "a.mp4").unlink()
    row = score(*places, {"brightness": Brightness()}, faults={"a": "The model made numbers that are not finite."})
    assert row.items[0] == Item("a", False, {"": "The model made numbers that are not finite."})
    assert (row.counted, row.total) == (5, 6)


def test_missing_weights_skip_their_metric_alone(places: tuple[Path, Path]) -> None:
    row = score(*places, {"fid": FID(), "brightness": Brightness()})
    assert "bring pt_inception-2015-12-05-6726825d.pth" in row.skipped["fid"]
    assert "fid" not in row.values
    assert "off" in row.values


def test_weights_of_another_network_skip_their_metric(places: tuple[Path, Path], tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    save_file({"layer.weight": torch.zeros(2)}, tmp_path / "wrong.safetensors")
    row = score(*places, {"fid": FID(tmp_path / "wrong.safetensors"), "brightness": Brightness()})
    assert "wrong.safetensors holds weights of another network" in row.skipped["fid"]
    assert row.counts == {"grey": 6, "off": 6}


def test_one_video_only_is_said_to_be_too_few(tmp_path: Path) -> None:
    fake, real = folder(tmp_path / "fake", {"a": 100}), folder(tmp_path / "real", {"a": 90})
    write(fake / "a.mp4", frames=2)
    write(real / "a.mp4", frames=2)
    row = score(fake, real, {"distance": GreyDistance(), "brightness": Brightness()})
    assert any("rank-deficient" in note for note in row.notes)
    assert "grey_fd" in row.values
    assert row.intervals == {}


def test_videos_without_a_face_are_named(places: tuple[Path, Path]) -> None:
    for name in ("c", "d", "e", "f"):
        (places[0] / f"{name}.mp4").unlink()
        (places[1] / f"{name}.mp4").unlink()
    row = score(*places, {"efid": EFID("landmarks")})
    assert (row.counted, row.total) == (0, 2)
    assert all("no face was found in any of its 12 frames" in item.remarks["efid"] for item in row.items)
    assert row.values == {}


def test_real_videos_are_not_compared_with_themselves(places: tuple[Path, Path], tmp_path: Path) -> None:
    cases = video_cases(places[1], tmp_path / "cache")
    row = score_real("Real video", cases, {"distance": GreyDistance(), "brightness": Brightness()})
    assert set(row.values) == {"grey", "off"}
    assert row.values["off"] == 0
    (places[1] / "a.mp4").write_bytes(b"broken")
    row = score_real("Real video", cases, {"brightness": Brightness()})
    assert (row.counted, row.total) == (5, 6)
    assert "a.mp4" in row.items[0].remarks[""]


@pytest.mark.parametrize("wrong", ["nowhere", "empty"])
def test_a_folder_that_is_none_is_one_sentence(places: tuple[Path, Path], tmp_path: Path, wrong: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=wrong):
        score(tmp_path / wrong, places[1], {"brightness": Brightness()})


def story(fake: str, real: str) -> str:
    metrics = {"distance": GreyDistance(), "brightness": Brightness()}
    return json.dumps(score(Path(fake), Path(real), metrics, bootstrap=Bootstrap(distances=20)).to_plain())


def process(rank: int, meet: str, fake: str, real: str) -> None:
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    dist.init_process_group("gloo", init_method=f"file://{meet}/meet", rank=rank, world_size=2)
    Path(meet, f"{rank}.json").write_text(story(fake, real))
    dist.destroy_process_group()


def test_two_processes_equal_one(places: tuple[Path, Path], tmp_path: Path) -> None:
    (places[0] / "b.mp4").unlink()
    paths = [str(place) for place in places]
    mp.spawn(process, args=(str(tmp_path), *paths), nprocs=2)
    alone = json.loads(story(*paths))
    assert alone["intervals"]["grey_fd"][1] > alone["values"]["grey_fd"]
    for rank in range(2):
        together = json.loads((tmp_path / f"{rank}.json").read_text())
        assert together["items"] == alone["items"]
        assert together["values"] == pytest.approx(alone["values"], rel=1e-9)
        for key, interval in alone["intervals"].items():
            assert together["intervals"][key] == pytest.approx(interval, rel=1e-6)
