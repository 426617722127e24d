"""The order of training samples: one endless stream, cut into batches by rank, that can be left and entered anywhere.

The stream is pass 0 over all samples in a shuffled order, then pass 1 in another order, and so on; each order depends
on (seed, pass) alone. A step takes the next `batch_size * world` samples, rank r every world-th of them. So ranks never
share a sample, and after any interruption training goes on with exactly the samples not yet seen, also on another
number of ranks: all there is to know is how far the stream was read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import torch
from torch.utils.data import Sampler

from hallo_lit.data.seeding import seed_of
from hallo_lit.errors import UserError


class Draw(NamedTuple):
    """One entry of the stream: the (pass, sample) that a sample's randomness is made from."""

    epoch: int  # pass over the data
    sample: int


@dataclass(frozen=True)
class Progress:
    """How far training has come; plain numbers, fit for a checkpoint."""

    consumed: int = 0  # samples of the stream, all ranks together
    anchor: int = 0  # where in the stream an epoch of this batch size and number of ranks began
    batches: int = 0  # steps since the epoch of the training loop began
    batch_size: int = 0
    world: int = 0


class ClipSampler(Sampler[list[Draw]]):
    """A batch sampler for one rank of a plain DataLoader, with `use_distributed_sampler=False` in the Trainer.

    An epoch is every sample once. When the number of samples is no multiple of the ranks, the rest (fewer samples than
    ranks) opens the next epoch; with `whole_batches`, so does a last batch that would be smaller than the others.
    `steps` counts finished training steps, from any starting number; loaders that fetch ahead make it necessary. By
    default batches count as finished when they were handed out.

    Raises:
        UserError: fewer samples than one step needs.
    """

    def __init__(
        self,
        size: int,
        batch_size: int,
        seed: int = 0,
        rank: int = 0,
        world: int = 1,
        whole_batches: bool = False,
        steps: Callable[[], int] | None = None,
    ) -> None:
        self.size, self.batch_size, self.seed, self.rank, self.world = size, batch_size, seed, rank, world
        unit = batch_size * world if whole_batches else world
        self.epoch_size = size // unit * unit
        if not self.epoch_size:
            raise UserError(f"{size} training clips are too few for {unit} in a step; use fewer devices or more clips.")
        self._handed_out = 0
        self._steps = steps or (lambda: self._handed_out)
        self._start = Progress(batch_size=batch_size, world=world)
        self._steps_at_start = self._steps()
        self._resumed = False

    def __len__(self) -> int:
        """Steps in an epoch."""
        return -(-self.epoch_size // (self.batch_size * self.world))

    def __iter__(self) -> Iterator[list[Draw]]:
        """The rest of the epoch that was interrupted when resuming, otherwise a whole epoch from here."""
        start = self.progress()
        going_on = self._resumed and start == self._start and start.batches < len(self)
        self._start, self._resumed = start if going_on else replace(start, batches=0), going_on
        self._steps_at_start = self._steps()
        position = start.consumed
        for _ in range(len(self) - self._start.batches):
            taken = self._step_size(position)
            self._handed_out += 1
            yield [self._draw(position + i) for i in range(self.rank, taken, self.world)]
            position += taken

    def progress(self) -> Progress:
        """Where training stands now."""
        steps = self._steps() - self._steps_at_start
        consumed = self._start.consumed
        for _ in range(steps):
            consumed += self._step_size(consumed)
        return replace(self._start, consumed=consumed, batches=self._start.batches + steps)

    def state_dict(self) -> dict[str, int]:
        return asdict(self.progress())

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Goes on from there; with another batch size or number of ranks, epochs are counted anew from there."""
        there = Progress(**state)
        if (there.batch_size, there.world) != (self.batch_size, self.world):
            there = replace(there, anchor=there.consumed, batch_size=self.batch_size, world=self.world)
        self._start, self._steps_at_start, self._resumed = there, self._steps(), True

    def _step_size(self, position: int) -> int:
        """Samples that all ranks together take in the step at this position of the stream."""
        left = self.epoch_size - (position - self._start.anchor) % self.epoch_size
        return min(self.batch_size * self.world, left)

    def _draw(self, position: int) -> Draw:
        epoch, place = divmod(position, self.size)
        return Draw(epoch, _order(self.size, self.seed, epoch)[place])


@lru_cache(maxsize=2)
def _order(size: int, seed: int, epoch: int) -> list[int]:
    """The shuffled order of one pass."""
    generator = torch.Generator().manual_seed(seed_of("order", seed, epoch))
    return torch.randperm(size, generator=generator).tolist()
