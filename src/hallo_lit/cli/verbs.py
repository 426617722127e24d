"""The table of verbs: what `hallo-lit VERB` composes and which function receives the result.

To add a verb:
1. write `conf/<verb>.yaml`, one comment per key (`--help` prints them), with `- hydra: quiet` in its defaults list when
   a run must leave nothing but what it was asked for, or `- hydra: default` when it needs a run folder;
2. write a function `run(cfg: DictConfig) -> int | float | None` anywhere below this package (`None` is success, an int
   the exit status, a float the objective of a hyper-parameter sweep); it raises `UserError` for what the user can mend;
3. add one `Verb(...)` to `VERBS`.
The function's module is imported when its verb runs, so a verb costs the others nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hallo_lit.animation.jobs import HALLO_NAMES


@dataclass(frozen=True)
class Verb:
    """One verb. Its keys live in `conf/<name>.yaml`; this says what Hydra's grammar cannot."""

    name: str
    summary: str
    entry: str  # "package.module:function", called with the composed configuration
    examples: tuple[str, ...] = ()
    words: tuple[str, ...] = ()  # keys that bare words fill in order; a last "name*" takes all the rest as a list
    actions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # first bare word -> `words` after it, instead
    paths: frozenset[str] = frozenset()  # keys whose values are file names: taken literally, never parsed
    mappings: frozenset[str] = frozenset()  # keys that hold file names under names of the user's own
    aliases: Mapping[str, str] = field(default_factory=dict)  # other spellings of keys


VERBS = (
    Verb(
        name="animate",
        summary="one portrait and one speech recording become a talking video",
        entry="hallo_lit.cli.animate:run",
        examples=(
            "hallo-lit animate portrait=face.png audio=speech.wav out=talk.mp4",
            "hallo-lit animate face.png speech.wav talk.mp4 preset=fast seed=7",
            "hallo-lit animate --source_image face.png --driving_audio speech.wav --lip_weight 1.2 out=talk.mp4",
            "hallo-lit animate manifest=jobs.csv weights=bundles/mine",
            "hallo-lit animate --describe talk.mp4",
        ),
        words=("portrait", "audio", "out"),
        paths=frozenset({"portrait", "audio", "out", "manifest", "describe", "frames_dir", "weights", "task_file"}),
        aliases=HALLO_NAMES,
    ),
    Verb(
        name="weights",
        summary="import, fetch, list and check model weights",
        entry="hallo_lit.cli.weights:run",
        examples=(
            "hallo-lit weights list",
            "hallo-lit weights import pretrained_models/hallo/net.pth out=bundles/hallo",
            "hallo-lit weights fetch wav2vec2-base-960h",
            "hallo-lit weights export outputs/train/motion out=bundles/mine",
            "hallo-lit weights check bundles/hallo",
            "hallo-lit weights check",
        ),
        actions={
            "list": (),
            "fetch": ("names*",),
            "import": ("sources*",),
            "export": ("sources*",),
            "check": ("sources*",),
            "push": ("bundle", "repo"),
        },
        paths=frozenset({"sources", "out", "bundle", "dir"}),
    ),
    Verb(
        name="train",
        summary="one stage of training, resumable to the bit",
        entry="hallo_lit.cli.train:run",
        examples=(
            "hallo-lit train experiment=stage1_hdtf",
            "hallo-lit train experiment=stage2_hdtf trainer=ddp trainer.devices=8 logger=wandb",
            "hallo-lit train experiment=stage2_hdtf resume=auto",
            "hallo-lit train stage=identity model=hallo init.weights=[bundles/hallo] data.store=data/anna",
            "hallo-lit train -m fusion=hierarchical,gated experiment=tiny_motion",
        ),
        paths=frozenset({"run_dir", "resume", "data.store"}),
    ),
    Verb(
        name="evaluate",
        summary="a table of metrics for a model, other methods and the real videos",
        entry="hallo_lit.cli.evaluate:run",
        examples=(
            "hallo-lit evaluate weights=bundles/mine cases.folder=data/corpus",
            "hallo-lit evaluate weights=bundles/mine cases=folder cases.folder=data/videos metrics=paper",
            "hallo-lit evaluate generate=false cases=folder cases.folder=real methods.SadTalker=results/sadtalker",
            "hallo-lit evaluate experiment=table1_hdtf weights=bundles/mine",
            "hallo-lit evaluate figures=[attention,lips] weights=bundles/mine",
        ),
        paths=frozenset(
            {
                "weights",
                "run_dir",
                "cache_dir",
                "inputs",
                "cases.folder",
                "task_file",
                "figures_dir",
                "figure.attention.full",
            }
            | {"figure.identity.before", "scene.portrait", "scene.audio", "scene.real"}
        ),
        mappings=frozenset({"methods"}),
    ),
    Verb(
        name="preprocess",
        summary="videos of any kind become a store of clips to train on",
        entry="hallo_lit.cli.preprocess:run",
        examples=(
            "hallo-lit preprocess videos=my_recordings out=data/my_store",
            "hallo-lit preprocess 'clips/*.mp4' data/my_store audio_encoder=wav2vec2_base",
            "hallo-lit preprocess check data/my_store",
            "hallo-lit preprocess import mine_stage2.json data/my_store",
            "hallo-lit preprocess manifest HDTF/HDTF_dataset videos=HDTF/videos out=hdtf.csv",
        ),
        words=("videos", "out"),
        actions={"check": ("store",), "import": ("list", "out"), "manifest": ("list", "videos", "out")},
        paths=frozenset({"videos", "out", "list", "store", "weights", "tracking.task_file"}),
    ),
    Verb(
        name="synthesize",
        summary="a corpus of talking heads from a seed",
        entry="hallo_lit.cli.synthesize:run",
        examples=(
            "hallo-lit synthesize out=data/corpus clips=20 seed=3",
            "hallo-lit synthesize out=data/store store=true clips=200 processes=8",
        ),
        words=("out",),
        paths=frozenset({"out"}),
        aliases={"size": "pixels"},
    ),
    Verb(
        name="bench",
        summary="seconds per frame by phase, peak memory and FLOPs of one clip",
        entry="hallo_lit.cli.bench:run",
        examples=(
            "hallo-lit bench model=tiny",
            "hallo-lit bench model=hallo device=cuda precision=bf16 compile=true frames=16",
            "hallo-lit bench model=hallo size.height=256 size.width=256 frames=4 sampler.steps=2",
        ),
        paths=frozenset({"out"}),
    ),
)


def by_name() -> dict[str, Verb]:
    return {verb.name: verb for verb in VERBS}
