"""One table per public checkpoint, and recognition of a file by its keys, whatever its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hallo_lit.weights.formats import animatediff, hallo, sd15, vae, wav2vec2
from hallo_lit.weights.keymap import Format


@dataclass(frozen=True)
class Part:
    """One network inside a foreign file: the keys that begin with `prefix` fill the part `name` of ours.

    terms: the licences that apply, keys of `licences.LICENCES`, the file's own first.
    """

    prefix: str
    name: str
    fmt: Format
    terms: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """A kind of foreign file.

    needs: every pattern has a key that matches; refuses: no key matches any.
    parts: the networks inside, given the UNet's number of levels and of layers per level.
    rank: files of higher rank overwrite what lower ones gave.
    """

    name: str
    title: str
    needs: tuple[str, ...]
    parts: Callable[[int, int], tuple[Part, ...]]
    rank: int = 0
    refuses: tuple[str, ...] = ()

    def matches(self, names: Sequence[str]) -> bool:
        return all(_any(pattern, names) for pattern in self.needs) and not any(_any(p, names) for p in self.refuses)


def _any(pattern: str, names: Sequence[str]) -> bool:
    return any(re.search(pattern, name) for name in names)


_UNET = (r"^conv_in\.", r"^time_embedding\.", r"^down_blocks\.0\.resnets\.")
_TUNED = ("hallo", "sd15-unet")
_MOVED = (*_TUNED, "animatediff-v2")


def _released(levels: int, layers: int) -> tuple[Part, ...]:
    return (
        Part("reference_unet.", "reference_net", sd15.reference(levels, layers), _TUNED),
        Part("denoising_unet.", "denoiser", hallo.denoiser(levels), _MOVED),
        Part("face_locator.", "face_locator", hallo.SAME_NAMES, ("hallo",)),
        Part("imageproj.", "identity_projection", hallo.SAME_NAMES, ("hallo",)),
        Part("audioproj.", "audio_projection", hallo.SAME_NAMES, ("hallo",)),
    )


def _base(levels: int, layers: int) -> tuple[Part, ...]:
    return (
        Part("", "reference_net", sd15.reference(levels, layers), ("sd15-unet",)),
        Part("", "denoiser", sd15.SD15, ("sd15-unet",)),
    )


def _denoiser(levels: int, layers: int) -> tuple[Part, ...]:
    return (Part("", "denoiser", hallo.denoiser(levels), _MOVED),)


def _motion(levels: int, layers: int) -> tuple[Part, ...]:
    return (Part("", "denoiser", animatediff.animatediff(levels), ("animatediff-v2",)),)


def _reference(levels: int, layers: int) -> tuple[Part, ...]:
    return (Part("", "reference_net", sd15.reference(levels, layers), _TUNED),)


def _fixed(name: str, fmt: Format, *terms: str) -> Callable[[int, int], tuple[Part, ...]]:
    """A network whose table does not depend on its depth."""
    return lambda levels, layers: (Part("", name, fmt, terms),)


SOURCES = (
    Source("hallo", "Hallo net.pth", (r"^denoising_unet\.",), _released, 3),
    Source(
        "hallo-denoiser",
        "a denoising UNet with audio or motion modules",
        (*_UNET, r"\.(audio|motion)_modules\."),
        _denoiser,
        2,
    ),
    Source("animatediff-v2", "AnimateDiff motion modules", (r"\.motion_modules\.",), _motion, 1, _UNET),
    Source("sd15-unet", "a Stable Diffusion 1.5 UNet", (*_UNET, r"^conv_out\."), _base),
    Source("hallo-reference", "a reference UNet (a UNet without output)", _UNET, _reference, 2, (r"^conv_out\.",)),
    Source(
        "sd-vae-ft-mse",
        "a Stable Diffusion VAE",
        (r"^encoder\.down_blocks\.", r"^decoder\.up_blocks\.", r"^quant_conv\."),
        _fixed("codec", vae.VAE, "sd-vae-ft-mse"),
    ),
    Source(
        "wav2vec2-base-960h",
        "a wav2vec 2.0 encoder",
        (r"feature_extractor\.conv_layers\.", r"feature_projection\."),
        _fixed("audio_encoder", wav2vec2.WAV2VEC2, "wav2vec2-base-960h"),
    ),
    Source(
        "hallo-face-locator",
        "a face locator",
        (r"^conv_in\.", r"^blocks\.\d+\.weight$", r"^conv_out\."),
        _fixed("face_locator", hallo.SAME_NAMES, "hallo"),
        2,
        _UNET[1:],
    ),
    Source(
        "hallo-image-projection",
        "an image projection",
        (r"^proj\.weight$", r"^norm\.weight$"),
        _fixed("identity_projection", hallo.SAME_NAMES, "hallo"),
        2,
    ),
    Source(
        "hallo-audio-projection",
        "an audio projection",
        (r"^proj1\.weight$", r"^proj3\.weight$"),
        _fixed("audio_projection", hallo.SAME_NAMES, "hallo"),
        2,
    ),
)

ELSEWHERE = (
    (
        r"^(down|up)\.\d+\.cells\.",
        "a network out of a bundle, which needs no import; give the bundle's folder to check",
    ),
    (
        r"^model\.diffusion_model\.",
        "a whole Stable Diffusion checkpoint in CompVis names; give the diffusers UNet instead",
    ),
    (r"^(encoder|decoder)\.(down|up)\.\d+\.block\.", "a VAE in CompVis names; give the diffusers one instead"),
    (r"^params_ema|^encoder\.blocks\.|^quantize\.", "a restoration network, which this model has no use for"),
)


def recognise(names: Iterable[str]) -> Source | None:
    """What kind of file has these keys, or None."""
    names = list(names)
    return next((source for source in SOURCES if source.matches(names)), None)


def depth(names: Iterable[str]) -> tuple[int, int]:
    """Levels and layers per level of the UNet whose keys these are; Stable Diffusion 1.5's where there is none."""
    found = [re.search(r"\bdown_blocks\.(\d+)\.(?:resnets|motion_modules)\.(\d+)\.", name) for name in names]
    places = [(int(m[1]), int(m[2])) for m in found if m]
    return (1 + max(i for i, _ in places), 1 + max(j for _, j in places)) if places else (4, 2)
