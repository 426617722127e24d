"""Where figures go, and how pictures and videos get there."""

from __future__ import annotations

import netrc
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger

from hallo_lit.media.image import Pixels, read_image

WANDB_RUN = "wandb_run"  # a file with the run's name on the server


def wandb_logger(project: str, name: str, save_dir: str, group: str | None = None, tags: Sequence[str] = ()) -> Logger:
    """Online with an API key, else offline; never asks. `wandb sync` uploads offline runs later.

    The folder remembers its run of W&B, which another call goes on with, unless `begin_anew` came between.
    """
    os.environ.setdefault("WANDB_SILENT", "true")
    offline = os.environ.get("WANDB_MODE", "") != "online" and not has_key()
    known = Path(save_dir) / WANDB_RUN
    known.parent.mkdir(parents=True, exist_ok=True)
    if not known.is_file():
        known.write_text(f"{secrets.token_hex(4)}\n", encoding="utf-8")
    run = known.read_text(encoding="utf-8").strip()
    return WandbLogger(
        name=name, project=project, group=group, tags=list(tags), save_dir=save_dir, offline=offline, id=run
    )


def begin_anew(folder: Path) -> None:
    """What is logged in this folder from now on is another run of W&B."""
    (folder / WANDB_RUN).unlink(missing_ok=True)


def has_key() -> bool:
    """Whether wandb could log in without asking: a key in the environment or in ~/.netrc."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urlparse(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname
    try:
        return netrc.netrc(os.environ.get("NETRC")).authenticators(host or "") is not None
    except (OSError, netrc.NetrcParseError):
        return False


def close(loggers: Sequence[Logger]) -> None:
    """Ends W&B's run, which would otherwise swallow that of the next row of a sweep in the same process."""
    if any(isinstance(logger, WandbLogger) for logger in loggers):
        import wandb

        wandb.finish()


def show_picture(loggers: Sequence[Logger], name: str, picture: Pixels, step: int) -> None:
    """(H, W, 3) to every logger that takes pictures."""
    for logger in loggers:
        if isinstance(logger, WandbLogger):
            logger.log_image(name, [picture], step=step)
        elif isinstance(logger, TensorBoardLogger):
            board: Any = logger.experiment
            board.add_image(name, picture, step, dataformats="HWC")


def show_video(loggers: Sequence[Logger], name: str, video: Path, strip: Path, step: int) -> None:
    """A video where the logger takes one, else the strip of its frames."""
    for logger in loggers:
        if isinstance(logger, WandbLogger):
            logger.log_video(name, [str(video)], step=step, format=["mp4"])
    show_picture([one for one in loggers if not isinstance(one, WandbLogger)], name, read_image(strip), step)


def show_table(
    loggers: Sequence[Logger],
    name: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    videos: Mapping[str, Sequence[Path]],
) -> None:
    """A table, the first column of which names the row; numbers alone where the logger takes no tables.

    videos: some of each row, by its name.
    """
    for logger in loggers:
        if isinstance(logger, WandbLogger):
            import wandb

            most = max(map(len, videos.values()), default=0)
            shown = {row: [wandb.Video(str(path), format="mp4") for path in paths] for row, paths in videos.items()}
            data = [[*row, *(shown.get(str(row[0]), []) + [None] * most)[:most]] for row in rows]
            logger.log_table(name, [*columns, *(f"video {i}" for i in range(1, most + 1))], data)
            for row, paths in videos.items():  # again, since tables of offline runs lose their videos
                if paths:
                    logger.log_video(f"{name}/{row}", [str(path) for path in paths], format=["mp4"] * len(paths))
        named = [(row[0], key, value) for row in rows for key, value in zip(columns[1:], row[1:], strict=True)]
        logger.log_metrics({f"{row}/{key}": float(value) for row, key, value in named if value is not None})
        logger.finalize("success")
    close(loggers)
