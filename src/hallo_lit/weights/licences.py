"""Under what terms the public weights may be used; a bundle repeats it part by part."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Licence:
    """`name` as its owner calls it; `note` is the clause that surprises people."""

    work: str
    name: str
    url: str
    note: str = ""


LICENCES = {
    "sd15-unet": Licence(
        "Stable Diffusion 1.5",
        "CreativeML OpenRAIL-M",
        "https://huggingface.co/spaces/CompVis/stable-diffusion-license",
        "use restrictions (attachment A) travel with every derivative, fine-tuned networks included",
    ),
    "sd-vae-ft-mse": Licence("sd-vae-ft-mse", "MIT", "https://huggingface.co/stabilityai/sd-vae-ft-mse"),
    "animatediff-v2": Licence(
        "AnimateDiff v2 motion module", "Apache-2.0", "https://github.com/guoyww/AnimateDiff/blob/main/LICENSE.txt"
    ),
    "wav2vec2-base-960h": Licence(
        "wav2vec2-base-960h", "Apache-2.0", "https://huggingface.co/facebook/wav2vec2-base-960h"
    ),
    "glintr100": Licence(
        "insightface glintr100 (antelopev2)",
        "non-commercial research only",
        "https://github.com/deepinsight/insightface/tree/master/model_zoo",
        "no commercial use of this file, nor of a bundle that contains it",
    ),
    "face-landmarker": Licence(
        "MediaPipe face landmarker",
        "Apache-2.0",
        "https://ai.google.dev/edge/mediapipe/solutions/vision/face_landmarker",
    ),
    "hallo": Licence("Hallo", "MIT", "https://github.com/fudan-generative-vision/hallo/blob/main/LICENSE"),
    "hallo_lit": Licence("hallo_lit", "MIT", "", "trained from scratch by this project's code"),
    "unknown": Licence("weights of unknown origin", "unknown", "", "ask whoever gave you the file"),
}
RESTRICTED = ("glintr100",)


def describe(name: str) -> str:
    """One line: what it is, its terms, the clause to know."""
    licence = LICENCES.get(name, LICENCES["unknown"])
    tail = f" - {licence.note}" if licence.note else ""
    return f"{licence.work}: {licence.name}{f' ({licence.url})' if licence.url else ''}{tail}"
