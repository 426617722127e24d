"""The public weights this project can read: where they are, how big, and where they belong.

`place` is the layout of the original's `pretrained_models`, so a folder downloaded for it serves as it is. A size or
hash is None where none is published; `fetch` records what it downloaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hallo_lit.errors import UserError

FOLDER = Path("pretrained_models")


@dataclass(frozen=True)
class Known:
    """size in bytes; `about` says what the file is for; `licence` is a key of `licences.LICENCES`.

    link: where the file is when not on the hub; by_hand: it is a page on which a person finds the file.
    """

    name: str
    repo: str
    file: str
    place: str
    licence: str
    about: str
    size: int | None = None
    sha256: str | None = None
    link: str = ""
    by_hand: bool = False

    @property
    def url(self) -> str:
        return self.link or f"https://huggingface.co/{self.repo}/resolve/main/{self.file}"


_HALLO = "fudan-generative-ai/hallo"
KNOWN = (
    Known("hallo", _HALLO, "hallo/net.pth", "hallo/net.pth", "hallo", "everything Hallo trained, about 4.85 GB"),
    Known(
        "hallo2",
        "fudan-generative-ai/hallo2",
        "hallo2/net.pth",
        "hallo2/net.pth",
        "hallo",
        "the same networks trained for long videos, about 4.85 GB; instead of hallo",
    ),
    Known(
        "sd-vae-ft-mse",
        "stabilityai/sd-vae-ft-mse",
        "diffusion_pytorch_model.safetensors",
        "sd-vae-ft-mse/diffusion_pytorch_model.safetensors",
        "sd-vae-ft-mse",
        "latent codec",
        334_643_276,
        "a1d993488569e928462932c8c38a0760b874d166399b14414135bd9c42df5815",
    ),
    Known(
        "wav2vec2-base-960h",
        "facebook/wav2vec2-base-960h",
        "model.safetensors",
        "wav2vec/wav2vec2-base-960h/model.safetensors",
        "wav2vec2-base-960h",
        "audio encoder",
        377_607_901,
        "8aa76ab2243c81747a1f832954586bc566090c83a0ac167df6f31f0fa917d74a",
    ),
    Known(
        "glintr100",
        _HALLO,
        "face_analysis/models/glintr100.onnx",
        "face_analysis/models/glintr100.onnx",
        "glintr100",
        "face encoder",
        260_665_334,
        "4ab1d6435d639628a6f3e5008dd4f929edf4c4124b1a7169e1048f9fef534cdf",
    ),
    Known(
        "face-landmarker",
        _HALLO,
        "face_analysis/models/face_landmarker_v2_with_blendshapes.task",
        "face_analysis/models/face_landmarker_v2_with_blendshapes.task",
        "face-landmarker",
        "the original's landmarks; without it the ones bundled with mediapipe",
    ),
    Known(
        "sd15-unet",
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        "unet/diffusion_pytorch_model.safetensors",
        "stable-diffusion-v1-5/unet/diffusion_pytorch_model.safetensors",
        "sd15-unet",
        "start of training; not needed beside hallo",
        3_438_167_540,
        "19da7aaa4b880e59d56843f1fcb4dd9b599c28a1d9d9af7c1143057c8ffae9f1",
    ),
    Known(
        "animatediff-v2",
        "guoyww/animatediff",
        "mm_sd_v15_v2.ckpt",
        "motion_module/mm_sd_v15_v2.ckpt",
        "animatediff-v2",
        "start of training; not needed beside hallo",
        1_817_888_431,
        "69ed0f5fef82b110aca51bcab73b21104242bc65d6ab4b8b2a2a94d31cad1bf0",
    ),
)
_JUDGE = "ByteDance/LatentSync"
# What only metrics use, at the places where conf/metric looks for it; no part of any model, so never imported.
JUDGES = (
    Known(
        "fid-inception",
        "",
        "",
        "evaluation/pt_inception-2015-12-05-6726825d.pth",
        "unknown",
        "metric fid",
        link="https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
    ),
    Known("i3d", _JUDGE, "auxiliary/i3d_torchscript.pt", "evaluation/i3d_torchscript.pt", "unknown", "metric fvd"),
    Known("syncnet", _JUDGE, "auxiliary/syncnet_v2.model", "evaluation/syncnet_v2.model", "unknown", "metric sync"),
    Known("s3fd", _JUDGE, "auxiliary/sfd_face.pth", "evaluation/sfd_face.pth", "unknown", "metric sync: face boxes"),
    Known(
        "deep3d",
        "",
        "",
        "evaluation/epoch_20.pth",
        "unknown",
        "metric efid",
        link="https://github.com/sicxu/Deep3DFaceRecon_pytorch",
        by_hand=True,
    ),
    Known(
        "alexnet",
        "",
        "",
        "evaluation/alexnet-owt-7be5be79.pth",
        "unknown",
        "metric paired: lpips",
        link="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    ),
)
RELEASED = ("hallo", "sd-vae-ft-mse", "wav2vec2-base-960h", "glintr100")


def known(name: str) -> Known:
    """
    Raises:
        UserError: there is no such name.
    """
    found = next((item for item in (*KNOWN, *JUDGES) if item.name == name), None)
    if found is None:
        names = ", ".join(item.name for item in (*KNOWN, *JUDGES))
        raise UserError(f"There are no weights called {name!r}; choose among {names}.")
    return found
