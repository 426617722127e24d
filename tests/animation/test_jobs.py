from __future__ import annotations

from pathlib import Path

import pytest

from hallo_lit.animation.jobs import BadRow, Job, perform, read_jobs
from hallo_lit.errors import UserError

DEFAULTS = {"frames_dir": None, "seed": 0, "lip_weight": 1.0, "resume": False, "face": None, "sampler.steps": 40}


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_and_jsonl_give_the_same_jobs(tmp_path: Path) -> None:
    table = write(
        tmp_path,
        "jobs.csv",
        "\ufeffsource_image,driving_audio,out,seed,lip_weight,resume,inference_steps\r\n"
        '"a, b.png",s.wav,one.mp4,7,1.5,True,3\r\n'
        "/abs/p.png,s.wav,two.mp4,,,,\r\n"
        "\r\n",
    )
    lines = write(
        tmp_path,
        "jobs.jsonl",
        '{"portrait": "a, b.png", "audio": "s.wav", "out": "one.mp4", "seed": 7, "lip_weight": 1.5, '
        '"resume": true, "steps": 3}\n\n'
        '{"portrait": "/abs/p.png", "audio": "s.wav", "out": "two.mp4"}\n',
    )
    options = {"seed": 7, "lip_weight": 1.5, "resume": True, "sampler.steps": 3}
    first = Job(1, tmp_path / "a, b.png", tmp_path / "s.wav", tmp_path / "one.mp4", options)
    assert read_jobs(table, DEFAULTS) == [first, Job(2, Path("/abs/p.png"), tmp_path / "s.wav", tmp_path / "two.mp4")]
    found = read_jobs(lines, DEFAULTS)
    assert found[0] == first
    assert [type(job) for job in found] == [Job, Job]


def test_folders_are_relative_to_the_manifest_and_stay_text(tmp_path: Path) -> None:
    text = "portrait,audio,out,frames_dir\np,a,1.mp4,007\np,a,2.mp4,\n"
    first, second = read_jobs(write(tmp_path, "j.csv", text), DEFAULTS)
    assert isinstance(first, Job)
    assert isinstance(second, Job)
    assert first.options == {"frames_dir": str(tmp_path / "007")}
    assert second.options == {}


def test_tabs_separate_the_cells_of_a_tsv_file(tmp_path: Path) -> None:
    found = read_jobs(write(tmp_path, "j.tsv", "portrait\taudio\tout\na,1.png\tb.wav\tc.mp4\n"), DEFAULTS)
    assert found == [Job(1, tmp_path / "a,1.png", tmp_path / "b.wav", tmp_path / "c.mp4")]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("p.png,,o.mp4,1", "no audio"),
        ("p.png,a.wav,o.mp4,many", "seed must look like 0"),
        ("p.png,a.wav,o.mp4,1.5", "seed must look like 0"),
        ("p.png,a.wav,o.mp4,1,extra", "more cells"),
        ("p.png,a.wav,fine.mp4,1", "already the output of row 1"),
    ],
)
def test_a_bad_row_is_reported_and_the_others_stay(tmp_path: Path, row: str, said: str) -> None:
    text = f"portrait,audio,out,seed\np.png,a.wav,fine.mp4,1\n{row}\np.png,a.wav,last.mp4,2\n"
    first, bad, last = read_jobs(write(tmp_path, "jobs.csv", text), DEFAULTS)
    assert isinstance(first, Job)
    assert isinstance(last, Job)
    assert isinstance(bad, BadRow)
    assert bad.row == 2
    assert said in bad.error


@pytest.mark.parametrize("line", ["{oops", "[1, 2]", '{"portrait": 3, "audio": "a.wav", "out": "o.mp4"}'])
def test_a_bad_line_of_json_is_a_bad_row(tmp_path: Path, line: str) -> None:
    (bad,) = read_jobs(write(tmp_path, "jobs.jsonl", line), DEFAULTS)
    assert isinstance(bad, BadRow)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("jobs.csv", "", "lists no jobs"),
        ("jobs.csv", "portrait,audio,out\n", "lists no jobs"),
        ("jobs.csv", "portrait,audio,out,sed\np,a,o,1\n", "did you mean seed"),
        ("jobs.txt", "x", "must be a .csv"),
    ],
)
def test_a_manifest_nobody_can_use_is_refused_whole(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        read_jobs(write(tmp_path, name, text), DEFAULTS)


def test_a_manifest_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.csv does not exist"):
        read_jobs(tmp_path / "nowhere.csv", DEFAULTS)
    (tmp_path / "latin.csv").write_bytes(b"portrait,audio,out\n\xe9.png,a,o\n")
    with pytest.raises(UserError, match="UTF-8"):
        read_jobs(tmp_path / "latin.csv", DEFAULTS)
    with pytest.raises(UserError, match="cannot be read"):
        read_jobs(tmp_path, DEFAULTS)


def test_every_row_is_tried() -> None:
    made, said = [], []

    def make(job: Job) -> None:
        if job.row == 2:
            raise UserError("p.png has no face.")
        if job.row == 4:
            raise ZeroDivisionError("surprise")
        made.append(job.row)

    jobs = [Job(n, Path("p"), Path("a"), Path("o")) for n in (1, 2)] + [BadRow(3, "it has no out.")]
    jobs += [Job(n, Path("p"), Path("a"), Path("o")) for n in (4, 5)]
    assert perform(jobs, make, said.append) == 3
    assert made == [1, 5]
    assert said[:2] == ["row 2: p.png has no face.", "row 3: it has no out."]
    assert "Traceback" in said[2]
    assert said[2].endswith("surprise")


def test_an_interrupt_stops_everything() -> None:
    def make(job: Job) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        perform([Job(1, Path("p"), Path("a"), Path("o"))], make, lambda text: None)
