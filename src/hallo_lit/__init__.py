"""Hierarchical audio-driven visual synthesis for portrait image animation, as a library.

The heavy names are imported when they are first used, so that `import hallo_lit` stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from hallo_lit.animation.animator import Animator as Animator
    from hallo_lit.cli.compose import compose as compose
    from hallo_lit.components.hallo import Hallo as Hallo

_LAZY = {
    "Animator": "hallo_lit.animation.animator",
    "Hallo": "hallo_lit.components.hallo",
    "compose": "hallo_lit.cli.compose",
}
__all__ = ["Animator", "Hallo", "__version__", "compose"]


def __getattr__(name: str) -> Any:
    """Resolves the re-exports of `__all__` on first use (PEP 562)."""
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
