from __future__ import annotations

from pathlib import Path

from evaluation.footage import folder, write
from hallo_lit.evaluation.cases import Case, video_cases
from hallo_lit.evaluation.pairs import pairs, real_pairs, strangers


def test_equal_folders_have_nothing_to_remark(tmp_path: Path) -> None:
    fake, real = folder(tmp_path / "f", {"a": 90, "b": 95}), folder(tmp_path / "r", {"a": 100, "b": 110})
    found = list(pairs(fake, video_cases(real, tmp_path)))
    assert [(pair.index, pair.name, pair.fault, pair.remark) for pair in found] == [(0, "a", "", ""), (1, "b", "", "")]
    assert strangers(fake, video_cases(real, tmp_path)) == []


def test_a_process_sees_its_share_alone(tmp_path: Path) -> None:
    fake, real = (folder(tmp_path / side, {"a": 90, "b": 95, "c": 97}) for side in "fr")
    shares = [[pair.index for pair in pairs(fake, video_cases(real, tmp_path), slice(r, None, 2))] for r in (0, 1)]
    assert shares == [[0, 2], [1]]


def test_many_strangers_are_counted(tmp_path: Path) -> None:
    fake = folder(tmp_path / "f", dict.fromkeys("abcdef", 90))
    (sentence,) = strangers(fake, [Case("a", Path("p.png"), Path("a.wav"))])
    assert sentence.endswith("5 videos of " + str(fake) + " have no real partner and were left out: b, c, d, ...")


def test_without_a_real_video_the_generated_one_stands_alone(tmp_path: Path) -> None:
    fake = folder(tmp_path / "f", {"a": 90})
    case = Case("a", Path("p.png"), Path("a.wav"))
    (pair,) = pairs(fake, [case])
    assert pair.fake is not None
    assert pair.real is None
    (real,) = real_pairs([case])
    assert real.fault == "its real video: there is no real video of it"


def test_an_empty_file_is_a_fault(tmp_path: Path) -> None:
    fake, real = folder(tmp_path / "f", {"a": 90}), folder(tmp_path / "r", {"a": 100})
    (fake / "a.mp4").write_bytes(b"")
    (pair,) = pairs(fake, video_cases(real, tmp_path))
    assert pair.fake is None
    assert "a.mp4 is empty" in pair.fault
    write(fake / "a.mp4", 90)
    (real / "a.mp4").write_bytes(b"damaged")
    (pair,) = pairs(fake, video_cases(real, tmp_path))
    assert str(real / "a.mp4") in pair.fault
