"""Sharded training: gradients and optimiser states are split over the ranks, parameters between steps (ZeRO)."""

from __future__ import annotations

from lightning.pytorch.strategies import ModelParallelStrategy
from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor

from hallo_lit.blocks.cell import Cell
from hallo_lit.components.reference_net import ReferenceNet


class ShardedStrategy(ModelParallelStrategy):
    """Lightning's, with all devices in one group; checkpoints are single files that any other strategy resumes."""

    def __init__(self) -> None:
        super().__init__(tensor_parallel_size=1, save_distributed_checkpoint=False)

    def setup_environment(self) -> None:
        self._data_parallel_size = self.num_nodes * self.num_processes
        super().setup_environment()


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
