"""One training run, with what can go wrong said in a sentence."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.utilities.exceptions import SIGTERMException

from hallo_lit.errors import UserError
from hallo_lit.stages.callbacks.checkpoints import Left
from hallo_lit.stages.loggers import close
from hallo_lit.stages.shell import Stage

PRECISIONS = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}
SIGNALLED = 128  # the exit status of a process that a signal ended, less the signal's number
TERMINATED = SIGNALLED + signal.SIGTERM


def precision(name: str) -> Any:
    """Lightning's word; weights stay in fp32, since small steps would vanish in half precision.

    Raises:
        UserError: an unknown name.
    """
    if name not in PRECISIONS:
        raise UserError(f"precision={name} is not known; choose one of {', '.join(PRECISIONS)}.")
    return PRECISIONS[name]


def fit(trainer: L.Trainer, stage: Stage, data: L.LightningDataModule, resume: Path | None = None) -> int:
    """Trains to the end and returns an exit status: 0, or 143 when SIGTERM came first and 130 when Ctrl-C did (a
    checkpoint was saved).

    Raises:
        UserError: the device's memory does not suffice.
    """
    try:
        trainer.fit(stage, datamodule=data, ckpt_path=resume, weights_only=True)
    except SIGTERMException as left:
        status = SIGNALLED + left.number if isinstance(left, Left) else TERMINATED
        return status if trainer.is_global_zero else 0  # the first rank is killed when another one fails
    except Exception as error:
        if trainer.strategy.launcher is not None:  # ranks that this one started would wait for it on their GPUs
            trainer.strategy.launcher.kill(signal.SIGKILL)
        if _memory_ran_out(error):
            raise UserError(out_of_memory(trainer, data)) from error
        raise
    finally:
        close(trainer.loggers)
    return 0


def _memory_ran_out(error: Exception) -> bool:
    told = str(error)  # the CPU's allocator has no exception of its own
    cpu = isinstance(error, RuntimeError) and "alloc" in told and "memory" in told
    return cpu or isinstance(error, torch.OutOfMemoryError)


def out_of_memory(trainer: L.Trainer, data: L.LightningDataModule) -> str:
    """Which settings lower the memory of this run, those that cost least first."""
    batch, advice = int(getattr(data, "batch_size", 1)), []
    if str(trainer.precision) == "32-true":
        advice.append("precision=bf16")
    advice.append("model.denoiser.checkpointing=true model.reference_net.checkpointing=true")
    if batch > 1:
        advice.append(f"data.batch_size={batch // 2} accumulate={2 * trainer.accumulate_grad_batches}")
    advice += ["a store with cached latents", "optimizer=adamw_8bit", "trainer=fsdp on several devices"]
    return f"The device ran out of memory; try, one after the other: {', '.join(advice)}."
