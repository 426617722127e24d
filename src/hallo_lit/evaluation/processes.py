"""Several processes, each with its share of the videos, answering as one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch.distributed as dist

T = TypeVar("T")


@contextmanager
def processes() -> Iterator[None]:
    """Within the block, the processes that `torchrun` started know each other; alone, nothing happens."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2 or is_several():
        yield
        return
    dist.init_process_group("gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def is_several() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def is_first() -> bool:
    """Whether this is the process that writes and prints."""
    return not is_several() or dist.get_rank() == 0


def share() -> slice:
    """Which items of a list are this process's."""
    return slice(dist.get_rank(), None, dist.get_world_size()) if is_several() else slice(None)


def everywhere(own: T) -> list[T]:
    """One object of every process, by rank."""
    if not is_several():
        return [own]
    found: list[T] = [own] * dist.get_world_size()
    dist.all_gather_object(found, own)
    return found


def barrier() -> None:
    if is_several():
        dist.barrier()
