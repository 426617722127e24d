"""`sd-vae-ft-mse` and other Stable Diffusion VAEs in diffusers' names, whose attention was renamed over the years."""

from __future__ import annotations

from hallo_lit.weights.keymap import Format

VAE = Format(
    rows=(
        (r"(\.attentions\.\d+)\.query\.", r"\1.to_q."),
        (r"(\.attentions\.\d+)\.key\.", r"\1.to_k."),
        (r"(\.attentions\.\d+)\.value\.", r"\1.to_v."),
        (r"(\.attentions\.\d+)\.proj_attn\.", r"\1.to_out.0."),
        (r"^", r"vae."),
    ),
    squeeze=r"\.attentions\.\d+\.to_(q|k|v|out\.0)\.weight$",
)
