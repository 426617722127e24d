"""AnimateDiff v2 motion modules (`mm_sd_v15_v2.ckpt`), the base of the denoiser's temporal parts."""

from __future__ import annotations

from hallo_lit.weights.formats.sd15 import BLOCK_ROW
from hallo_lit.weights.keymap import Format

MOTION_ROWS = (
    (r"^(down|up)_blocks\.(\d+)\.motion_modules\.(\d+)\.temporal_transformer\.", r"\1.\2.cells.\3.temporal."),
    (r"^mid_block\.motion_modules\.(\d+)\.temporal_transformer\.", r"mid.cells.\1.temporal."),
    (r"\.temporal\.transformer_blocks\.(\d+)\.", r".temporal.blocks.\1."),
    (r"\.attention_blocks\.0\.pos_encoder\.pe$", r".pos_embed.pe"),
    (r"\.attention_blocks\.0\.", r".attn1."),
    (r"\.attention_blocks\.1\.", r".attn2."),
    (r"\.norms\.0\.", r".norm1."),
    (r"\.norms\.1\.", r".norm2."),
    (r"\.ff_norm\.", r".norm3."),
)
SECOND_TABLE = r"\.attention_blocks\.1\.pos_encoder\.pe$"  # the same sinusoids again; our block holds them once


def lost(levels: int = 4) -> str:
    """The second position table, and the modules of the level without attention, which the original never runs."""
    return rf"{SECOND_TABLE}|^(down_blocks\.{levels - 1}|up_blocks\.0)\.motion_modules\."


def animatediff(levels: int = 4) -> Format:
    return Format(MOTION_ROWS + BLOCK_ROW, drop=lost(levels))
