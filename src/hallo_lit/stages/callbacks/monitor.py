"""What a run logs besides its losses: errors by timestep, gradient norms, speed, memory, learning rate."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import lightning as L
import psutil
import torch
from torch import Tensor

from hallo_lit.stages.say import say
from hallo_lit.stages.shell import Stage

GIGA = 2**30


class Monitor(L.Callback):
    """Means since the last report, every `every` steps, of rank 0.

    error/t0-249 ...: squared error by timestep, in `buckets` equal ranges of 1000. grad/PATTERN: norm of the gradients
    of what the pattern caught, before clipping. speed/waiting: share of the time spent waiting for data. cpu_hours: of
    this process and its ended children, over all calls of a run that went on.
    """

    def __init__(self, every: int = 50, buckets: int = 4) -> None:
        self.every, self.buckets = every, buckets
        self._cpu_before = 0.0  # seconds in earlier calls of this run, less what this process spent before it began
        self._forget()

    def state_dict(self) -> dict[str, Any]:
        return {"cpu_seconds": self._cpu_before + _cpu_seconds()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._cpu_before = float(state_dict["cpu_seconds"]) - _cpu_seconds()

    def _forget(self) -> None:
        self._began = time.perf_counter()
        self._samples, self._waited, self._ended = 0, 0.0, self._began
        self._errors: list[tuple[Tensor, Tensor]] = []  # with their timesteps, left on the device until the report
        self._norms: dict[str, float] = {}

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._reported = trainer.global_step
        self._forget()

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._waited += time.perf_counter() - self._ended

    def on_before_optimizer_step(self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: Any) -> None:
        if (trainer.global_step + 1) % self.every == 0 and isinstance(pl_module, Stage):
            self._norms = gradient_norms(pl_module)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._samples += len(batch.index) * trainer.world_size
        if isinstance(outputs, Mapping) and "error" in outputs:
            self._errors.append((outputs["error"].detach(), outputs["timestep"]))
        if trainer.global_step % self.every == 0 and trainer.global_step != self._reported:
            self._reported = trainer.global_step
            values = self.report(trainer)
            for logger in trainer.loggers:
                logger.log_metrics(values, trainer.global_step)
            if trainer.progress_bar_callback is None and "train/loss" in trainer.callback_metrics:
                loss, speed = trainer.callback_metrics["train/loss"], values["speed/samples_per_second"]
                say(f"step {trainer.global_step}: loss {loss:.4f}, {speed:.1f} samples/s")
            self._forget()
        self._ended = time.perf_counter()

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._validating = time.perf_counter()

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.leave_out(time.perf_counter() - self._validating)

    def leave_out(self, seconds: float) -> None:
        """Time that ended now and was not training."""
        self._began += seconds
        self._ended += seconds

    def errors_by_timestep(self) -> dict[str, float]:
        if not self._errors:
            return {}
        errors, timesteps = (torch.cat(parts).cpu() for parts in zip(*self._errors, strict=True))
        bucket, width = (timesteps * self.buckets // 1000).clamp(max=self.buckets - 1), 1000 // self.buckets
        return {
            f"error/t{one * width}-{(one + 1) * width - 1}": float(errors[bucket == one].float().mean())
            for one in bucket.unique().tolist()
        }

    def report(self, trainer: L.Trainer) -> dict[str, float]:
        passed = max(time.perf_counter() - self._began, 1e-9)
        values = {f"grad/{pattern}": norm for pattern, norm in self._norms.items()} | self.errors_by_timestep()
        for number, group in enumerate(trainer.optimizers[0].param_groups):
            values[f"lr/{number}"] = float(group["lr"])
        values["speed/samples_per_second"] = self._samples / passed
        values["speed/waiting"] = self._waited / passed
        values["cpu_hours"] = (self._cpu_before + _cpu_seconds()) / 3600
        values["memory/resident_gb"] = psutil.Process().memory_info().rss / GIGA
        if torch.cuda.is_available():
            values["memory/device_peak_gb"] = torch.cuda.max_memory_allocated() / GIGA
        return values


def _cpu_seconds() -> float:
    spent = psutil.Process().cpu_times()
    return float(spent.user + spent.system + spent.children_user + spent.children_system)


def gradient_norms(stage: Stage) -> dict[str, float]:
    """Norm of the gradients of every trained group."""
    parameters = dict(stage.network.named_parameters())
    norms: dict[str, float] = {}
    for group in stage.trained_groups():
        found = [parameters[name].grad for name in group.names]
        squares = [_whole(gradient.detach().float().square().sum()) for gradient in found if gradient is not None]
        norms[group.pattern] = float(torch.stack(squares).sum().sqrt()) if squares else 0.0
    return norms


def _whole(value: Any) -> Tensor:
    """The sum over all shards of a sharded tensor."""
    return value.full_tensor() if hasattr(value, "full_tensor") else value
