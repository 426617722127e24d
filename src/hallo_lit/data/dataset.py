"""Training samples from a clip store; what a draw gives depends on (seed, pass, index) and on nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from hallo_lit.data.augmentation import Augmentation, Change
from hallo_lit.data.clips import ClipIndices, ClipPolicy, audio_rows
from hallo_lit.data.frames import choose_source, gather, reader
from hallo_lit.data.masks import features_for, locator, region_masks
from hallo_lit.data.sampler import Draw
from hallo_lit.data.seeding import seed_of
from hallo_lit.data.store_reader import ClipStore, StoredClip
from hallo_lit.errors import UserError
from hallo_lit.structs import ClipSample

SIDEWAYS = ("gaze_x", "yaw", "roll", "tx")  # curves whose sign a mirror changes


@dataclass(frozen=True)
class SampleSpec:
    """What a sample consists of.

    source: `latents`, `pixels`, `video`, or `auto` for the first of these that the whole store has.
    size: (height, width) of the frames; None keeps the stored one, which must then be the same everywhere.
    audio: False (stage 1) leaves the audio empty, (f, w, 0, 0).
    masks: `union`, `portrait`, `frames` or `none`, see `masks.region_masks`.
    curves: names of true control curves of self-made clips (`open`, `width` ...) to give along, in that order.
    expression: names of the curves that an ExpressionNet is told, as differences from the reference frame.
    emphasis: scattered frames are drawn with the weight 1 + emphasis * the largest of these curves: blinks are rare.
    coverage: samples per clip and pass = coverage * length / frames, at least 1; 0 means 1 for every clip.
    augmentation: changes the pixels of every sample, with the masks drawn from its landmarks; None: as filmed.
    """

    policy: ClipPolicy = field(default_factory=ClipPolicy)
    source: str = "auto"
    size: Sequence[int] | None = None
    audio: bool = True
    masks: str = "union"
    curves: Sequence[str] = ()
    expression: Sequence[str] = ()
    emphasis: float = 0.0
    coverage: float = 0.0
    augmentation: Augmentation | None = None


class ClipDataset(Dataset[ClipSample]):
    """Clips of 14 frames with their motion frames, a reference, audio windows, identity and masks.

    `rows` says which clips of the store; None = all. Those shorter than the policy needs are left out (`skipped`).
    Needs neither PyAV nor mediapipe when the store holds pixels or latents.

    Raises:
        UserError: the store lacks what is asked for, sizes differ, no clip is long enough, or settings contradict.
    """

    def __init__(self, store: ClipStore, spec: SampleSpec, rows: Sequence[int] | None = None, seed: int = 0) -> None:
        self.store, self.spec, self.policy, self.seed = store, spec, spec.policy, seed
        further = (["audio"] if spec.audio else []) + (["curves"] if spec.curves or spec.expression else [])
        store.require(["identity", "locator", *features_for(spec.masks), *further])
        self.source, policy = choose_source(store, spec.source), spec.policy
        if spec.augmentation is not None and (self.source == "latents" or spec.masks not in ("portrait", "frames")):
            raise UserError(
                "Augmentation changes pixels and landmarks: set data.samples.source=pixels or video and "
                "data.samples.masks=portrait or frames, or data.samples.augmentation=null."
            )
        if spec.emphasis and not (spec.expression and policy.scattered):
            raise UserError(
                "data.samples.emphasis seeks out frames by their expression: set data.samples.expression and "
                "data.samples.policy.scattered=true, or data.samples.emphasis=0."
            )
        if spec.emphasis < 0:
            raise UserError(f"data.samples.emphasis={spec.emphasis:g} must not be negative.")
        chosen = list(range(len(store)) if rows is None else rows)
        lengths = store.index.columns["frames"]
        usable = [row for row in chosen if lengths[row] >= policy.needed]
        self.skipped = len(chosen) - len(usable)
        if not usable:
            raise UserError(
                f"None of the {len(chosen)} clips chosen from {store.root} has the {policy.needed} frames of a sample "
                f"({policy.frames} + {policy.motion} motion frames + 1 reference); add longer videos."
            )
        self.size = self._common_size(usable)
        self._read = reader(self.source, self.size)
        counts = [max(1, round(spec.coverage * float(lengths[row]) / policy.frames)) for row in usable]
        self.rows = np.repeat(np.array(usable, np.int64), counts)

    def __len__(self) -> int:
        """Samples in one pass."""
        return len(self.rows)

    def __getitem__(self, draw: Draw | int) -> ClipSample:
        """A plain number means pass 0."""
        epoch, index = draw if isinstance(draw, tuple) else (0, int(draw))
        clip = self.store[int(self.rows[index])]
        seed = seed_of("draw", self.seed, epoch, index)
        indices = self.policy.draw(clip.row.frames, Random(seed), self._weights(clip))
        generator = torch.Generator().manual_seed(seed)
        wanted = (*indices.past, *indices.frames, indices.reference)
        frames = gather(self._read, clip, wanted, generator)
        audio, change, augmentation = self._windows(clip, indices.frames), None, self.spec.augmentation
        if augmentation is not None:
            change = augmentation.draw(generator)
            frames = dict(zip(frames, change.frames(torch.stack([*frames.values()])), strict=True))
            audio = augmentation.hear(audio, generator)
        portrait = frames[indices.reference]
        return ClipSample(
            frames=torch.stack([frames[i] for i in indices.frames]),
            portrait=portrait,
            past=torch.stack([portrait, *(frames[i] for i in indices.past)])[1:],
            audio=audio,
            identity=torch.from_numpy(clip.read("identity")),
            regions=region_masks(clip, indices, self.spec.masks, change),
            locator=locator(clip, self.size, change, indices.reference),
            index=index,
            curves=self._curves(clip, self.spec.curves, indices.frames, change),
            expression=self.expression(clip, indices, change),
        )

    def fingerprint(self) -> str:
        """Changes when a pass would consist of other samples."""
        return hashlib.blake2b(self.store.index.columns["id"][self.rows].tobytes(), digest_size=8).hexdigest()

    def _windows(self, clip: StoredClip, frames: Sequence[int]) -> Tensor:
        """(f, 2 radius + 1, layers, width)."""
        radius = self.policy.audio_radius
        if not self.spec.audio:
            return torch.zeros(len(frames), 2 * radius + 1, 0, 0)
        rows, windows = audio_rows(frames, clip.row.frames, radius)
        return torch.from_numpy(clip.read("audio", rows.start, rows.stop)).float()[torch.tensor(windows)]

    def _weights(self, clip: StoredClip) -> list[float] | None:
        """Of the frames, (length,); None: all the same."""
        if not self.spec.emphasis:
            return None
        curves = self._curves(clip, self.spec.expression, range(clip.row.frames), None)
        weights: list[float] = (1 + self.spec.emphasis * curves.abs().amax(1)).tolist()
        return weights

    def expression(self, clip: StoredClip, indices: ClipIndices, change: Change | None = None) -> Tensor:
        """(f, k) controls of an ExpressionNet, or (0,) when none are asked for."""
        then, now = (
            self._curves(clip, self.spec.expression, at, change) for at in ((indices.reference,), indices.frames)
        )
        return now - then if self.spec.expression else now

    def _curves(self, clip: StoredClip, wanted: Sequence[str], frames: Sequence[int], change: Change | None) -> Tensor:
        """(f, n), or (0,) when none are asked for; as a mirror shows them, where there is one.

        Raises:
            UserError: the clip has no curve of a name.
        """
        if not wanted:
            return torch.zeros(0)
        names = [str(name) for name in clip.header().metadata.get("curves", [])]
        if missing := [name for name in wanted if name not in names]:
            raise UserError(
                f"{self.store.root} has no control curve {missing[0]!r} for {clip.row.source}; it has "
                f"{', '.join(names) or 'no named ones'}; only `hallo-lit synthesize store=true` writes such curves."
            )
        first = min(frames)
        rows = torch.from_numpy(clip.read("curves", first, max(frames) + 1))[[frame - first for frame in frames]]
        signs = [-1.0 if change is not None and change.mirrored and name in SIDEWAYS else 1.0 for name in wanted]
        return rows[:, [names.index(name) for name in wanted]] * torch.tensor(signs)

    def _common_size(self, rows: Sequence[int]) -> tuple[int, int]:
        """Height and width of the frames."""
        found = {(int(h), int(w)) for h, w in self.store.index.columns["size"][rows]}
        wanted = {(int(self.spec.size[0]), int(self.spec.size[1]))} if self.spec.size is not None else found
        if len(wanted) == 1 and (self.source != "latents" or found == wanted):
            height, width = wanted.pop()
            if self.spec.augmentation is not None and any(h * width != w * height for h, w in found):
                raise UserError(
                    "Augmentation turns faces, which needs frames of the stored shape: set data.samples.size to one of "
                    "the same ratio of sides, or data.samples.augmentation=null."
                )
            return height, width
        sizes = ", ".join(f"{height} x {width}" for height, width in sorted(found))
        if self.source == "latents":
            raise UserError(
                f"{self.store.root} holds latents of {sizes} pixels, which cannot be resized to one size; "
                "take the frames from video or pixels, or preprocess at that size."
            )
        raise UserError(f"{self.store.root} holds clips of {sizes} pixels; choose one size for all of them.")
