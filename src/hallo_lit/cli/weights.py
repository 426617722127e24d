"""`hallo-lit weights list | fetch | import | export | check | push`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from hallo_lit.cli.compose import plain
from hallo_lit.errors import UserError

if TYPE_CHECKING:
    from hallo_lit.weights.check import Checked

# What of the configuration a bundle keeps: the networks, and how they are meant to be sampled.
KEPT = ["model", "audio_encoder", "face_encoder", "process", "sampler", "guidance", "handover"]
KEPT += ["frames", "motion_frames", "half_noise", "shared_noise", "size"]


def run(cfg: DictConfig) -> int:
    """Exit status 1 when a check or a listing found something that does not fit."""
    actions = {"list": show, "fetch": fetch, "import": take, "export": export, "check": check, "push": push}
    if cfg.action not in actions:
        raise UserError(f"weights has no action {cfg.action}; it knows {', '.join(actions)}.")
    return actions[cfg.action](cfg)


def show(cfg: DictConfig) -> int:
    """What is public, where it belongs, and what of it is there."""
    from hallo_lit.weights.fetch import status
    from hallo_lit.weights.licences import LICENCES

    found = status(Path(cfg.dir))
    rows = [
        (
            line.item.name,
            line.problem or ("here" if line.present else "-"),
            f"{line.item.size / 1e9:.2f} GB" if line.item.size else "",
            line.item.about,
            LICENCES[line.item.licence].name,
            line.item.place,
        )
        for line in found
    ]
    _print(("name", "state", "size", "what for", "licence", f"place in {cfg.dir}/"), rows)
    return int(any(line.problem for line in found))


def fetch(cfg: DictConfig) -> int:
    from hallo_lit.weights.fetch import fetch as download
    from hallo_lit.weights.known import RELEASED

    for path in download(_words(cfg.names) or RELEASED, Path(cfg.dir)):
        print(path)
    return 0


def take(cfg: DictConfig) -> int:
    """Prints what each file was taken for, and what is still missing for `animate`."""
    import torch

    from hallo_lit.weights.importing import import_weights
    from hallo_lit.weights.known import known

    sources = _words(cfg.sources)
    if not sources or cfg.out is None:
        raise UserError("weights import needs files and a folder: hallo-lit weights import net.pth out=bundles/mine")
    dtype = _dtype(cfg.dtype)
    torch.manual_seed(cfg.seed)
    config = _kept(cfg)
    made = import_weights(
        [Path(source) for source in sources],
        Path(cfg.out),
        config,
        dtype,
        _words(cfg.fresh),
        cfg.overwrite,
    )
    rows = [(found.path.name, found.title, str(found.keys or ""), ", ".join(found.parts)) for found in made.found]
    _print(("file", "recognised as", "keys", "fills"), rows)
    for found in made.found:
        for reason, keys in found.dropped.items():
            print(f"{found.path.name}: {len(keys)} keys left out: {reason}")
    if made.fresh:
        print(f"{len(made.fresh)} keys start untrained")
    for part, name in made.missing.items():
        print(f"still missing for animate: {part}, in {name} ({known(name).url})")
    print(made.folder)
    return 0


def export(cfg: DictConfig) -> int:
    """Checkpoints of training become a bundle."""
    from hallo_lit.stages.export import export as write

    sources = _words(cfg.sources)
    if not sources or cfg.out is None:
        raise UserError(
            "weights export needs a run and a folder: hallo-lit weights export outputs/train/motion out=mine"
        )
    notes = ""
    if cfg.notes is not None:
        try:
            notes = Path(cfg.notes).read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise UserError(f"notes={cfg.notes} cannot be read as text ({error}).") from error
    paths = [Path(source) for source in sources]
    print(write(paths, Path(cfg.out), _dtype(cfg.dtype), cfg.overwrite, notes=notes))
    return 0


def check(cfg: DictConfig) -> int:
    """Files and bundles key by key; without any, every published key list against the model, with no memory for it."""
    from hallo_lit.weights.check import check_bundle, check_file, check_layouts, networks_of

    sources = [Path(source) for source in _words(cfg.sources)]
    bundles = [source for source in sources if source.is_dir()]
    files = [source for source in sources if source not in bundles]
    results: list[Checked] = []
    for bundle in bundles:
        results += check_bundle(bundle)
        print(f"{bundle}: all files are whole")
    if files or not bundles:
        networks = networks_of(_kept(cfg))
        results += [check_file(path, networks) for path in files] if files else check_layouts(networks)
    return _report(results)


def push(cfg: DictConfig) -> int:
    from hallo_lit.weights.hub import push_to_hub

    if cfg.bundle is None or cfg.repo is None:
        raise UserError("weights push needs a bundle and a hub id: hallo-lit weights push bundles/mine user/name")
    print(push_to_hub(Path(cfg.bundle), cfg.repo, cfg.private))
    return 0


def _report(results: Sequence[Checked]) -> int:
    rows = []
    for result in results:
        dropped = sum(map(len, result.dropped.values()))
        verdict = "fits" if result.fits else str(result.report)
        rows.append((result.title, str(result.keys), str(result.mapped), str(dropped), verdict))
    _print(("what", "keys", "placed", "left out on purpose", "verdict"), rows)
    for result in results:
        for reason, keys in result.dropped.items():
            print(f"{result.title}: {len(keys)} left out: {reason}")
        for line in result.report.lines():
            print(f"{result.title}: {line}")
    return int(not all(result.fits for result in results))


def _kept(cfg: DictConfig) -> dict[str, Any]:
    everything = plain(cfg)
    return {key: everything[key] for key in KEPT}


def _dtype(name: str | None) -> Any:
    import torch

    dtypes = {None: None, "fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    if name not in dtypes:
        raise UserError(f"dtype={name} is not known; choose one of {', '.join(str(key) for key in dtypes if key)}.")
    return dtypes[name]


def _words(value: Any) -> list[str]:
    """A list, or the single word that stands for a list of one."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else [str(item) for item in value]


def _print(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    screen = Console()
    console = screen if screen.is_terminal else Console(width=240)
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console.print(table)
