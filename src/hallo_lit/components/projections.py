"""From embeddings to the tokens that cross-attention reads."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class IdentityProjection(nn.Module):
    """Face embedding -> a few tokens."""

    def __init__(self, width: int = 512, context_dim: int = 768, tokens: int = 4) -> None:
        super().__init__()
        self.tokens = tokens
        self.proj = nn.Linear(width, tokens * context_dim)
        self.norm = nn.LayerNorm(context_dim)

    def forward(self, embedding: Tensor) -> Tensor:
        """(b, width), zeros for an unknown person -> (b, tokens, context_dim)."""
        return self.norm(self.proj(embedding).unflatten(-1, (self.tokens, -1)))


class AudioProjection(nn.Module):
    """The audio features around a frame -> the tokens of that frame; frames do not mix."""

    def __init__(
        self, window: int = 5, layers: int = 12, width: int = 768, hidden: int = 512, tokens: int = 32, dim: int = 768
    ) -> None:
        super().__init__()
        self.tokens = tokens
        self.proj1 = nn.Linear(window * layers * width, hidden)
        self.proj2 = nn.Linear(hidden, hidden)
        self.proj3 = nn.Linear(hidden, tokens * dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, features: Tensor) -> Tensor:
        """(b, f, window, layers, width) -> (b, f, tokens, dim)."""
        x = F.relu(self.proj1(features.flatten(2)))
        x = F.relu(self.proj2(x))
        return self.norm(self.proj3(x).unflatten(-1, (self.tokens, -1)))
