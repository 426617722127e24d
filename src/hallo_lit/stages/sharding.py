"""Sharded training: gradients and optimiser states are split over the ranks, parameters between steps (ZeRO)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.core.optimizer import LightningOptimizer
from lightning.pytorch.strategies import ModelParallelStrategy
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor
from torch.optim import Optimizer

from hallo_lit.blocks.cell import Cell
from hallo_lit.components.reference_net import ReferenceNet

CURRENT = "current_model_state"  # of Lightning's WeightAveraging: weights as trained, beside averaged ones


class ShardedStrategy(ModelParallelStrategy):
    """Lightning's, with all devices in one group; its checkpoints are single files like those of other strategies,
    which number only the parameters that train in the states of optimisers, and not all.
    """

    def __init__(self) -> None:
        super().__init__(tensor_parallel_size=1, save_distributed_checkpoint=False)

    def setup_environment(self) -> None:
        self._data_parallel_size = self.num_nodes * self.num_processes
        super().setup_environment()

    def optimizer_state(self, optimizer: Optimizer) -> dict[str, Any]:
        """Whole on the first rank, empty on others."""
        assert self.model is not None
        plain = optimizer.optimizer if isinstance(optimizer, LightningOptimizer) else optimizer
        state = get_optimizer_state_dict(
            self.model, plain, options=StateDictOptions(full_state_dict=True, cpu_offload=True)
        )
        return renamed(state, {name: number for number, name in enumerate(trained(self.model))}) if state else state

    def load_checkpoint(self, checkpoint_path: str | Path, weights_only: bool | None = None) -> dict[str, Any]:
        """Weights as they were trained, where averaged ones are in the file besides."""
        assert self.model is not None
        checkpoint = self.checkpoint_io.load_checkpoint(self.broadcast(checkpoint_path))
        options = StateDictOptions(full_state_dict=True, broadcast_from_rank0=True)
        weights = checkpoint.get(CURRENT, checkpoint["state_dict"])
        set_model_state_dict(self.model, weights, options=options)
        names = dict(enumerate(trained(self.model)))
        for optimizer, state in zip(self.optimizers, checkpoint["optimizer_states"], strict=True):
            set_optimizer_state_dict(self.model, optimizer, optim_state_dict=renamed(state, names), options=options)
        return checkpoint


def trained(model: nn.Module) -> list[str]:
    """Names of the parameters that an optimiser was given, in its order."""
    return [name for name, parameter in model.named_parameters() if parameter.requires_grad]


def renamed(state: Mapping[str, Any], names: Mapping[Any, Any]) -> dict[str, Any]:
    """An optimiser's state with other keys for its parameters."""
    groups = [{**group, "params": [names[key] for key in group["params"]]} for group in state["param_groups"]]
    return {"state": {names[key]: value for key, value in state["state"].items()}, "param_groups": groups}


def shard(stage: nn.Module, mesh: DeviceMesh) -> None:
    """Shards a stage in place; its steps may then call any part of its network.

    The stage is the root, gathered when a step begins. Parts that are only ever entered by `forward` are gathered one
    by one: cells of the ReferenceNet, and of the denoiser's cells everything but the attention whose keys and values
    the portrait borrows.
    """
    if any(isinstance(parameter, DTensor) for parameter in stage.parameters()):
        return
    for part in stage.modules():
        if isinstance(part, ReferenceNet):
            for cell in (module for module in part.modules() if isinstance(module, Cell)):
                fully_shard(cell, mesh=mesh)
    for part in [module for module in stage.modules() if isinstance(module, Cell)]:
        if part.audio is None and part.temporal is None:
            continue
        for inner in (part.resnet, part.audio, part.temporal):
            if inner is not None:
                fully_shard(inner, mesh=mesh)
    fully_shard(stage, mesh=mesh)
    for method in ("training_step", "validation_step"):
        register_fsdp_forward_method(stage, method)
