"""`hallo-lit animate`: from the configuration to finished videos."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from hallo_lit.animation.building import from_bundle, from_config, make_recipe
from hallo_lit.animation.jobs import BadRow, Job, perform, read_jobs
from hallo_lit.animation.options import Options, check_files
from hallo_lit.cli.compose import compose
from hallo_lit.cli.interruption import interruptible
from hallo_lit.cli.progress import Phases
from hallo_lit.cli.recommended import adopt, named_by, weights_of
from hallo_lit.errors import UserError
from hallo_lit.media.audio import check_audio
from hallo_lit.media.image import read_image
from hallo_lit.media.video import read_metadata
from hallo_lit.weights.bundle import open_bundle

PER_JOB = (
    "seed",
    "pose_weight",
    "face_weight",
    "lip_weight",
    "liveliness",
    "sway",
    "face_expand_ratio",
    "cfg_scale",
    "sampler.steps",
    "crop",
    "face",
    "frames_dir",
    "resume",
)


def run(cfg: DictConfig) -> int:
    """Exit status 1 when a row of a manifest failed; a single video's failure is raised."""
    if cfg.describe is not None:
        return describe(Path(cfg.describe))
    jobs = jobs_of(cfg)
    alone = cfg.manifest is None
    for job in jobs if alone else ():
        if isinstance(job, Job):  # before networks are loaded for nothing
            check_files(job.portrait, job.audio, job.out)
            read_image(job.portrait)
            check_audio(job.audio)
    with interruptible(), Phases() as phases:
        animate = Animate(cfg, phases)
        if alone:
            for job in jobs:
                if isinstance(job, Job):
                    animate(job)
            return 0
        failed = perform(jobs, animate, lambda text: print(f"hallo-lit: {cfg.manifest} {text}", file=sys.stderr))
    print(f"{len(jobs) - failed} of {len(jobs)} videos made")
    return int(failed > 0)


def jobs_of(cfg: DictConfig) -> Sequence[Job | BadRow]:
    """The videos to make.

    Raises:
        UserError: there is nothing to make, or both a manifest and a video are asked for.
    """
    given = [name for name in ("portrait", "audio", "out") if cfg[name] is not None]
    if cfg.manifest is not None:
        if given:
            raise UserError(f"manifest= and {given[0]}= exclude each other: the manifest's columns name the files.")
        return read_jobs(Path(cfg.manifest), {name: OmegaConf.select(cfg, name) for name in PER_JOB})
    missing = [name for name in ("portrait", "audio", "out") if name not in given]
    if missing:
        raise UserError(f"animate needs {', '.join(f'{name}=FILE' for name in missing)}.")
    return [Job(0, Path(cfg.portrait), Path(cfg.audio), Path(cfg.out))]


def with_options(cfg: DictConfig, job: Job) -> DictConfig:
    """The configuration of one job: the common one, with what its row says."""
    own = cfg.copy()
    for name, value in job.options.items():
        OmegaConf.update(own, name, value)
    return own


def describe(path: Path) -> int:
    """Prints what the video says about itself as JSON."""
    print(json.dumps(read_metadata(path), indent=2, ensure_ascii=False))
    return 0


class Animate:
    """Makes one video after the other with networks that are loaded once."""

    def __init__(self, cfg: DictConfig, phases: Phases) -> None:
        self.cfg, self.phases, self.usual = cfg, phases, compose("animate")
        self.named = named_by(HydraConfig.get().overrides.task) if HydraConfig.initialized() else []
        weights = weights_of(cfg.weights, self.named)
        self.bundle = {} if weights is None else open_bundle(weights, check=False)[1]
        if weights is None:
            self.animator = from_config(self.settings(cfg), None, cfg.seed)
            self.notes = [
                "the model is random: its networks were chosen without weights=, so the video will not speak."
            ]
        else:
            self.animator = from_bundle(weights, self.settings(cfg), None)
            self.notes = []
        self.notes += [f"{part}: {device}" for part, device in self.animator.devices().items()]
        phases("load", 1, 1)

    def __call__(self, job: Job) -> None:
        """Prints where the video is and how long each phase took."""
        own = with_options(self.cfg, job)
        recipe = make_recipe(self.settings(own, job.options), self.animator.hallo, None) if job.options else None
        options = Options(
            seed=own.seed,
            crop=own.crop,
            face=own.face,
            face_expand_ratio=own.face_expand_ratio,
            recipe=recipe,
            frames_dir=None if own.frames_dir is None else Path(own.frames_dir),
            resume=own.resume,
        )
        try:
            made = self.animator.animate(job.portrait, job.audio, job.out, options, self._progress)
        except KeyboardInterrupt:
            if job.out.with_name(f"{job.out.name}.parts").is_dir():
                _note(f"the finished clips of {job.out} are kept; the same call with resume=true goes on.")
            raise
        print(f"{made}  {self.phases.summary()}")
        self.phases.start_over()

    def _progress(self, phase: str, done: int, total: int) -> None:
        """The notes come once, when the networks get to work: a photo that cannot be used is one sentence alone."""
        if phase in ("denoise", "decode"):
            while self.notes:
                _note(self.notes.pop(0))
        self.phases(phase, done, total)

    def settings(self, cfg: DictConfig, also_named: Iterable[str] = ()) -> dict[str, Any]:
        """The configuration as plain data, the bundle's recommendations included."""
        return adopt(cfg, self.usual, self.bundle, [*self.named, *also_named])


def _note(text: str) -> None:
    print(f"hallo-lit: {text}", file=sys.stderr)
