"""What every training stage shares: which parameters train, their optimiser, and who it may follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import lightning as L
import torch
from lightning.pytorch.callbacks import WeightAveraging
from lightning.pytorch.strategies import ModelParallelStrategy
from torch import Tensor, nn

from hallo_lit.stages.learning import Learning
from hallo_lit.stages.randomness import Streams
from hallo_lit.stages.say import say
from hallo_lit.stages.sharding import CURRENT, shard
from hallo_lit.stages.trainable import FROZEN, Group, select, table

VALIDATION = -1  # the step whose random numbers every validation uses


class Stage(L.LightningModule):
    """One network, some of whose parameters train.

    name: how configurations and checkpoints call the stage. follows: stages whose checkpoints it may begin from.
    """

    name: ClassVar[str]
    follows: ClassVar[tuple[str, ...]] = ()

    def __init__(self, network: nn.Module, learning: Learning, seed: int = 0) -> None:
        super().__init__()
        self.network, self.learning, self.seed = network, learning, seed
        self.groups: list[Group] = []
        self.untrained: Sequence[str] = ()  # parameters that begin with random values
        self.begins = False  # with its first step, rather than going on from a checkpoint of its own

    def adapt(self) -> None:
        """Changes the network after its first weights are loaded; called once, and before a checkpoint is restored."""

    def product(self) -> nn.Module:
        """The network as others load it, without what only training needed; may reuse the trained one's tensors."""
        return self.network

    def setup(self, stage: str) -> None:
        if stage == "fit":
            self.groups = select(self.network, self.learning.trains, set(self.idle()))

    def idle(self) -> Sequence[str]:
        """Parameters of the network that have no part in its work."""
        return ()

    def prime(self, data: object) -> None:
        """Sets in closed form what can be set so, such as parameters in `untrained`; `data`: training set or None."""

    def configure_model(self) -> None:
        if self.begins or self.untrained:  # before weights are sharded or averaged
            with torch.device("cpu"):  # Lightning makes tensors on the GPU here, and samples are read on the CPU
                self.prime(getattr(self.trainer.datamodule, "train_set", None))  # type: ignore[attr-defined]
            self.untrained, self.begins = (), False
        if self._trainer is not None and isinstance(self.trainer.strategy, ModelParallelStrategy):
            shard(self, self.trainer.strategy.device_mesh["data_parallel"])

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Optimisers go on with the settings of this call, and with the weights that were trained where they are no
        longer averaged."""
        averaging = any(isinstance(one, WeightAveraging) for one in self.trainer.callbacks)  # type: ignore[attr-defined]
        if not averaging and CURRENT in checkpoint:
            checkpoint["state_dict"] = checkpoint[CURRENT]
        self.learning.renew(checkpoint["optimizer_states"], checkpoint["lr_schedulers"])

    def on_fit_start(self) -> None:
        say(f"stage {self.name}\n{table(self.groups)}")
        for logger in self.trainer.loggers:
            logger.log_hyperparams({"trains": {group.pattern: group.count for group in self.groups}})

    def configure_optimizers(self) -> Any:
        training = [parameter for parameter in self.parameters() if parameter.requires_grad]
        optimizer = self.learning.optimizer(training)
        schedule = {"scheduler": self.learning.schedule.over(optimizer), "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": schedule}

    def trained_groups(self) -> Sequence[Group]:
        return [group for group in self.groups if group.pattern != FROZEN]

    def streams(self, samples: Tensor, validating: bool = False) -> Streams:
        """The random numbers of this step, see `randomness`."""
        step = VALIDATION
        if not validating:
            progress: Any = self.trainer.fit_loop.epoch_loop.batch_progress
            step = int(progress.total.processed)
        return Streams(self.seed, step, samples)
