"""Model configurations in plain mappings: the released layout at release size and at a size for tests."""

from __future__ import annotations

from typing import Any

C = "hallo_lit.components"


def released(
    channels: tuple[int, ...] = (320, 640, 1280, 1280),
    heads: int = 8,
    groups: int = 32,
    context: int = 768,
    hidden: int = 512,
    audio_tokens: int = 32,
    locator: tuple[int, ...] = (16, 32, 64, 128),
    codec: tuple[int, ...] = (128, 256, 512, 512),
    identity: int = 512,
) -> dict[str, Any]:
    unet = {
        "_target_": "hallo_lit.blocks.cell.UNetSpec",
        "channels": list(channels),
        "attention": [True] * (len(channels) - 1) + [False],
        "heads": heads,
        "context_dim": context,
        "groups": groups,
    }
    fusion = {"_target_": f"{C}.fusion.hierarchical.HierarchicalFusion", "_partial_": True}
    extras = {
        "_target_": "hallo_lit.blocks.cell.Extras",
        "fusion": fusion,
        "audio_dim": context,
        "temporal_heads": heads,
        "temporal_groups": groups,
        "narrow_audio": True,
    }
    return {
        "model": {
            "_target_": f"{C}.hallo.Hallo",
            "codec": {"_target_": f"{C}.vae.LatentCodec", "channels": list(codec), "groups": groups},
            "reference_net": {"_target_": f"{C}.reference_net.ReferenceNet", "spec": unet},
            "denoiser": {"_target_": f"{C}.denoising_unet.DenoisingUNet", "spec": unet, "extras": extras},
            "face_locator": {
                "_target_": f"{C}.face_locator.FaceLocator",
                "out_channels": channels[0],
                "widths": list(locator),
            },
            "identity_projection": {
                "_target_": f"{C}.projections.IdentityProjection",
                "width": identity,
                "context_dim": context,
            },
            "audio_projection": {
                "_target_": f"{C}.projections.AudioProjection",
                "hidden": hidden,
                "tokens": audio_tokens,
                "dim": context,
            },
        }
    }


def tiny() -> dict[str, Any]:
    """The released layout, key for key, with a thousandth of its parameters."""
    return released((8, 16, 32, 32), 2, 4, 16, 8, 2, (4, 4, 8, 8), (4, 8, 16, 16), 16)


WAVE = {
    "model_type": "wav2vec2",
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_attention_heads": 2,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}
