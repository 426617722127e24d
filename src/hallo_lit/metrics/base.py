"""What every metric of videos shares: items one by one, a verdict for each, numbers only when they mean something."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, TypeVar

import torch
from torch import Tensor, nn
from torchmetrics import Metric

from hallo_lit.errors import UserError
from hallo_lit.metrics.video import Unmeasurable, Video
from hallo_lit.metrics.weight_file import WeightFile, load_strict, read_state, sha256

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Verdict:
    """What became of one item: why it was left out or what is special about it, and its own numbers if any."""

    item: str
    counted: bool
    reason: str = ""
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """A metric's answer with all that is needed to believe it."""

    metric: str
    values: dict[str, float]  # empty when skipped or when nothing could be counted
    protocol: str
    weights: dict[str, str]  # file name -> SHA-256
    skipped: str | None  # why the metric as a whole did not run: one line
    notes: tuple[str, ...]  # parts that did not run, statistics that are too small
    verdicts: tuple[Verdict, ...]

    @property
    def counted(self) -> int:
        return sum(verdict.counted for verdict in self.verdicts)

    @property
    def left_out(self) -> int:
        return len(self.verdicts) - self.counted


class VideoMetric(Metric):
    """`update(fake, real)` takes one pair of `Video`s; `compute()` gives numbers by name, `report()` the whole story.

    A clip that cannot be measured becomes a verdict and changes no number. Weights that are missing or belong to
    another network make the metric skip itself: `skipped` says in one line which file to bring.
    """

    full_state_update = False
    protocol: ClassVar[str] = ""
    # Whether a real clip measured against itself says anything.
    judges_real: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        # Ranks without data send empty states in the metric's own type, which must match the others' float64.
        self.set_dtype(torch.float64)
        self.skipped: str | None = None
        self.notes: list[str] = []
        self.hashes: dict[str, str] = {}
        self.verdicts: list[Verdict] = []
        self.caveat = ""  # `measure` may say here what was special about a clip that counts

    @property
    def name(self) -> str:
        return type(self).__name__

    @property
    def headings(self) -> Mapping[str, str]:
        """The values that tables show, and how they are headed: "Sync-C ↑"; ↓ = lower is better, →1 = one is best."""
        return {}

    @abstractmethod
    def measure(self, fake: Video, real: Video | None) -> Mapping[str, float]:
        """Takes in one clip; returns its own numbers, if it has any.

        Raises:
            Unmeasurable: the clip cannot be counted; nothing may have been added to a state by then.
        """

    def update(self, fake: Video, real: Video | None = None) -> None:
        """One generated clip and, for metrics that compare, its ground truth."""
        if self.skipped is not None:
            return
        self.caveat = ""
        try:
            values = self.measure(fake, real)
        except Unmeasurable as error:
            self.verdicts.append(Verdict(fake.name, False, str(error)))
        else:
            self.verdicts.append(Verdict(fake.name, True, self.caveat, values))

    def compared(self, made: int, true: int, unit: str = "frames") -> None:
        """Notes as caveat when the sides are of different length."""
        if made != true:
            self.caveat = f"{made} generated against {true} real {unit}: the first {min(made, true)} were compared"

    def reset(self) -> None:
        super().reset()
        self.verdicts = []

    def adopt(
        self,
        make: Callable[[], Network],
        file: WeightFile,
        path: str | Path | None,
        setting: str,
        inside: str | None = None,
    ) -> Network | None:
        """The network with the user's weights, or None with the reason in `skipped`.

        Args:
            make: builds the network; on the meta device, so that no random numbers are drawn.
            inside: entry of a checkpoint that holds the weights.
        """
        try:
            found = file.find(path, setting)
            state = read_state(found, inside)
            with torch.device("meta"):
                network = make()
            load_strict(network, state, found)
        except UserError as error:
            self.skip(error)
            return None
        self.credit(found, file)
        return network

    def credit(self, found: Path, file: WeightFile) -> None:
        """Puts the hash of a file beside the numbers, and a note where it is not the published file."""
        digest = sha256(found)
        self.hashes[found.name] = digest
        if doubt := file.doubt(digest):
            self.notes.append(f"{self.name.lower()}: {doubt}")

    def skip(self, why: UserError) -> None:
        self.skipped = self.skipped or f"{self.name} was skipped. {why}"

    def remarks(self) -> list[str]:
        """Notes that depend on what was gathered; called while the states of all processes are together."""
        return []

    def report(self) -> Report:
        """The numbers with verdicts, hashes and remarks; under distributed evaluation every process must call it."""
        notes: list[str] = []
        values: dict[str, Tensor] = {}
        if self.skipped is None:
            with self.sync_context(should_sync=self._to_sync):
                notes = self.remarks()
            with warnings.catch_warnings():  # that nothing was counted is told by the verdicts
                warnings.filterwarnings("ignore", "The ``compute`` method of metric", UserWarning)
                values = self.compute()
        return Report(
            metric=self.name,
            values={key: float(value) for key, value in values.items()},
            protocol=self.protocol,
            weights=dict(self.hashes),
            skipped=self.skipped,
            notes=(*self.notes, *notes),
            verdicts=tuple(_everywhere(self.verdicts)),
        )


def _everywhere(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts of all processes, by rank."""
    import torch.distributed as dist

    if not (dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1):
        return list(verdicts)
    parts: list[list[Verdict] | None] = [None] * dist.get_world_size()
    dist.all_gather_object(parts, list(verdicts))
    return [verdict for part in parts if part for verdict in part]
