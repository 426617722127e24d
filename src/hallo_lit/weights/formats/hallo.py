"""Hallo's own networks, as in the released `net.pth` (Hallo, Hallo2), `net-N.pth` and the files of its stage 1."""

from __future__ import annotations

from hallo_lit.weights.formats.animatediff import MOTION_ROWS, lost
from hallo_lit.weights.formats.sd15 import BLOCK_ROW, TRUNK_ROWS
from hallo_lit.weights.keymap import Format

AUDIO_ROWS = (
    (r"^(down|up)_blocks\.(\d+)\.audio_modules\.(\d+)\.", r"\1.\2.cells.\3.audio."),
    (r"^mid_block\.audio_modules\.(\d+)\.", r"mid.cells.\1.audio."),
    (r"\.attn2_([012])\.", r".fusion.attn.\1."),  # 0 full (the paper's pose), 1 face, 2 lip: the order of REGIONS
    (r"\.zero_conv_full\.", r".fusion.zero_conv.0."),
    (r"\.zero_conv_face\.", r".fusion.zero_conv.1."),
    (r"\.zero_conv_lip\.", r".fusion.zero_conv.2."),
)

SAME_NAMES = Format()  # face locator and projections


def denoiser(levels: int = 4) -> Format:
    rows = TRUNK_ROWS + MOTION_ROWS + AUDIO_ROWS + BLOCK_ROW
    return Format(rows, drop=lost(levels), squeeze=r"\.zero_conv\.\d+\.weight$")
