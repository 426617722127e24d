"""Stable Diffusion 1.5's UNet in diffusers' names, the base of ReferenceNet and denoiser."""

from __future__ import annotations

from hallo_lit.weights.keymap import Format

TRUNK_ROWS = (
    (r"^(down|up)_blocks\.(\d+)\.resnets\.(\d+)\.", r"\1.\2.cells.\3.resnet."),
    (r"^(down|up)_blocks\.(\d+)\.attentions\.(\d+)\.", r"\1.\2.cells.\3.spatial."),
    (r"^(down|up)_blocks\.(\d+)\.(?:down|up)samplers\.0\.", r"\1.\2.resample."),
    (r"^mid_block\.resnets\.(\d+)\.", r"mid.cells.\1.resnet."),
    (r"^mid_block\.attentions\.(\d+)\.", r"mid.cells.\1.spatial."),
    (r"^conv_norm_out\.", r"norm_out."),
)
BLOCK_ROW = ((r"\.transformer_blocks\.0\.", r".block."),)

SD15 = Format(TRUNK_ROWS + BLOCK_ROW)


def reference(levels: int = 4, layers: int = 2) -> Format:
    """For a ReferenceNet, which ends at the first norm of its last transformer block."""
    last = rf"up_blocks\.{levels - 1}\.attentions\.{layers}\."
    beyond = rf"^conv_(norm_)?out\.|^{last}(proj_out|transformer_blocks\.0\.(attn|ff|norm[23]))"
    return Format(TRUNK_ROWS + BLOCK_ROW, drop=((beyond, "beyond the ReferenceNet's last tokens, read by nothing"),))
