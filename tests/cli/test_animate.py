from __future__ import annotations

from pathlib import Path

import pytest

from hallo_lit.animation.jobs import Job
from hallo_lit.cli.animate import PER_JOB, jobs_of, with_options
from hallo_lit.cli.compose import compose
from hallo_lit.errors import UserError


def test_one_video_is_one_job() -> None:
    cfg = compose("animate", "portrait=p.png", "audio=a.wav", "out=o.mp4")
    assert jobs_of(cfg) == [Job(0, Path("p.png"), Path("a.wav"), Path("o.mp4"))]


def test_what_is_missing_is_named() -> None:
    with pytest.raises(UserError, match=r"^animate needs audio=FILE, out=FILE\.$"):
        jobs_of(compose("animate", "portrait=p.png"))


def test_a_manifest_excludes_single_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="exclude each other"):
        jobs_of(compose("animate", "manifest=jobs.csv", "out=o.mp4"))


def test_a_row_changes_its_own_settings_only(tmp_path: Path) -> None:
    path = tmp_path / "jobs.csv"
    path.write_text("portrait,audio,out,steps,cfg_scale\np,a,1.mp4,3,2\np,a,2.mp4,,\n")
    cfg = compose("animate", f"manifest={path}", "seed=9")
    first, second = jobs_of(cfg)
    assert isinstance(first, Job)
    assert isinstance(second, Job)
    own = with_options(cfg, first)
    assert (own.sampler.steps, own.guidance.scale, own.seed) == (3, 2.0, 9)
    other = with_options(cfg, second)
    assert (other.sampler.steps, other.guidance.scale) == (cfg.sampler.steps, cfg.guidance.scale) == (40, 3.5)


def test_every_setting_of_a_row_exists() -> None:
    cfg = compose("animate")
    for name in PER_JOB:
        assert with_options(cfg, Job(1, Path(), Path(), Path(), {name: 1})) is not None
    assert {name.split(".")[0] for name in PER_JOB} <= set(cfg)
