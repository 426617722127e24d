"""AnimateDiff v2 motion modules (`mm_sd_v15_v2.ckpt`), the base of the denoiser's temporal parts."""

from __future__ import annotations

from hallo_lit.weights.keymap import Format, Rows

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


def lost(levels: int = 4) -> Rows:
    deepest = rf"^(down_blocks\.{levels - 1}|up_blocks\.0)\.motion_modules\."
    return (
        (deepest, "motion modules of the level without attention, which the original never runs"),
        (r"\.attention_blocks\.1\.pos_encoder\.pe$", "second copy of the position table, which a block holds once"),
    )


def animatediff(levels: int = 4) -> Format:
    return Format(MOTION_ROWS, drop=lost(levels))
