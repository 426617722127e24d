"""Our networks in the sizes that a vector set names, with its weights in them."""

from __future__ import annotations

from typing import Any, TypeVar

from torch import nn
from vector_set import VectorSet

from hallo_lit.blocks.cell import Extras, UNetSpec
from hallo_lit.components.denoising_unet import DenoisingUNet
from hallo_lit.components.face_locator import FaceLocator
from hallo_lit.components.fusion.hierarchical import HierarchicalFusion
from hallo_lit.components.hallo import Hallo, Quirks
from hallo_lit.components.projections import AudioProjection, IdentityProjection
from hallo_lit.components.reference_net import ReferenceNet
from hallo_lit.components.vae import LatentCodec
from hallo_lit.weights.formats.hallo import SAME_NAMES, denoiser
from hallo_lit.weights.formats.sd15 import reference
from hallo_lit.weights.formats.vae import VAE
from hallo_lit.weights.keymap import Format, convert
from hallo_lit.weights.strict import load_strictly

Net = TypeVar("Net", bound=nn.Module)

RELEASED = Quirks(
    tile_portraits=True,
    tile_identity=True,
    half_tokens=True,
    empty_motion_frames=4,
    grey_motion=True,
    eight_bit_masks=True,
)
PRECISE = Quirks(
    tile_portraits=True,
    tile_identity=True,
    half_tokens=False,
    empty_motion_frames=4,
    grey_motion=True,
    eight_bit_masks=True,
)


def unet_config(vectors: VectorSet) -> dict[str, Any]:
    return vectors.config("case08") or vectors.config("case07")


def spec(vectors: VectorSet) -> UNetSpec:
    config = unet_config(vectors)
    return UNetSpec(
        in_channels=config["in_channels"],
        out_channels=config["out_channels"],
        channels=tuple(config["block_out_channels"]),
        attention=tuple("CrossAttn" in kind for kind in config["down_block_types"]),
        layers=config["layers_per_block"],
        heads=config["attention_head_dim"],
        context_dim=config["cross_attention_dim"],
        groups=config["norm_num_groups"],
    )


def extras(vectors: VectorSet, stage: int = 2) -> Extras:
    if stage == 1:
        return Extras(temporal=False)
    more = unet_config(vectors)["unet_additional_kwargs"]
    motion = more["motion_module_kwargs"]
    return Extras(
        fusion=HierarchicalFusion,
        audio_dim=more["audio_attention_dim"],
        temporal_heads=motion["num_attention_heads"],
        temporal_blocks=motion["num_transformer_block"],
        max_frames=motion["temporal_position_encoding_max_len"],
        narrow_audio=True,
    )


def filled(net: Net, vectors: VectorSet, prefix: str, fmt: Format, without: tuple[str, ...] = ()) -> Net:
    state = {k: v for k, v in vectors.part(prefix).items() if not any(word in k for word in without)}
    made = convert(state, fmt, net.state_dict().keys())
    load_strictly(net, made.state, f"{vectors.folder.name}/{prefix}", made.origin)
    return net


def reference_format(vectors: VectorSet) -> Format:
    size = spec(vectors)
    return reference(len(size.channels), size.layers)


def denoiser_format(vectors: VectorSet) -> Format:
    return denoiser(len(spec(vectors).channels))


def codec(vectors: VectorSet) -> LatentCodec:
    config = vectors.config("case10").get("vae")
    if config is None:
        return LatentCodec((8,), groups=4)  # no case decodes anything
    made = LatentCodec(
        config["block_out_channels"],
        config["latent_channels"],
        config["layers_per_block"],
        config["norm_num_groups"],
        config["scaling_factor"],
    )
    state = convert(vectors.tensors(vectors.file("vae_state_dict", "case10")), VAE)
    load_strictly(made, state.state, "vae", state.origin)
    return made


def hallo(vectors: VectorSet, quirks: Quirks, stage: int = 2) -> Hallo:
    """Everything of the released model; stage 1 has neither audio nor temporal parts."""
    size = spec(vectors)
    without = ("motion_modules", "audio_modules") if stage == 1 else ()
    return Hallo(
        codec(vectors),
        filled(ReferenceNet(size), vectors, "reference_unet.", reference_format(vectors)),
        filled(
            DenoisingUNet(size, extras(vectors, stage)), vectors, "denoising_unet.", denoiser_format(vectors), without
        ),
        face_locator(vectors),
        identity_projection(vectors),
        audio_projection(vectors) if stage == 2 else None,
        quirks,
    )


def face_locator(vectors: VectorSet) -> FaceLocator:
    config = vectors.config("case03")
    net = FaceLocator(config["conditioning_embedding_channels"], config["block_out_channels"])
    return filled(net, vectors, "face_locator.", SAME_NAMES)


def identity_projection(vectors: VectorSet) -> IdentityProjection:
    config = vectors.config("case02")
    net = IdentityProjection(
        config["clip_embeddings_dim"], config["cross_attention_dim"], config["clip_extra_context_tokens"]
    )
    return filled(net, vectors, "imageproj.", SAME_NAMES)


def audio_projection(vectors: VectorSet) -> AudioProjection:
    config = vectors.config("case01")
    net = AudioProjection(
        config["seq_len"],
        config["blocks"],
        config["channels"],
        config["intermediate_dim"],
        config["context_tokens"],
        config["output_dim"],
    )
    return filled(net, vectors, "audioproj.", SAME_NAMES)
