"""Ablation (paper, table 5): the masked region features are added as they are."""

from __future__ import annotations

from torch import Tensor

from hallo_lit.components.fusion.base import RegionalFusion


class DirectAdditionFusion(RegionalFusion):
    def forward(self, x: Tensor, audio: Tensor | None, masks: Tensor, scale: Tensor) -> Tensor:
        heard = zip(self.heard(x, audio), self.weights(masks, scale), strict=True)
        return sum((s * (mask * value) for value, (mask, s) in heard), x.new_zeros(()))
