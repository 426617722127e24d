"""Face embeddings of an ArcFace network in ONNX form, such as glintr100."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hallo_lit.components.face_encoder.alignment import TEMPLATE_SIZE, aligned_face
from hallo_lit.errors import UserError

HELP = (
    "put glintr100.onnx of InsightFace's antelopev2 pack there, "
    "or choose face_encoder=conv, whose weights come with the model"
)


class ArcFace:
    """The raw, un-normalised embedding that Hallo's identity tokens are made from.

    The face is aligned by MediaPipe's landmarks; the original uses InsightFace's own five points, which lie a little
    elsewhere, so embeddings of one photo are not exactly its own. Input is RGB, (x - 127.5) / 127.5.
    `device` holds where it really runs.
    """

    def __init__(self, path: str | Path, width: int = 512, device: str = "cpu") -> None:
        """`device`: cpu, cuda, cuda:N, or auto (a GPU when onnxruntime can use one).

        Raises:
            UserError: the file is missing, damaged or not such a network, or the device cannot be had.
        """
        import onnxruntime

        path = Path(path)
        if not path.is_file():
            raise UserError(f"There is no face network {path}: {HELP}.")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        providers = _providers(device, onnxruntime.get_available_providers())
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=providers)
        except Exception as error:  # onnxruntime has a dozen exception classes without a common base of their own
            raise UserError(f"{path} is damaged or not an ONNX network; download it again.") from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        picture = [3, TEMPLATE_SIZE, TEMPLATE_SIZE]
        if len(inputs) != 1 or inputs[0].shape[1:] != picture or outputs[0].shape[1:] != [width]:
            raise UserError(
                f"{path} maps {[entry.shape for entry in inputs]} to {[entry.shape for entry in outputs]}, but a face "
                f"network from (n, 3, {TEMPLATE_SIZE}, {TEMPLATE_SIZE}) to (n, {width}) is needed: {HELP}."
            )
        self._input: str = inputs[0].name
        self.width = width
        self.device = "cuda" if "CUDAExecutionProvider" in self._session.get_providers() else "cpu"

    def __call__(self, image: np.ndarray, landmarks: np.ndarray) -> Tensor:
        """See `FaceEncoder`."""
        face = aligned_face(image, landmarks, antialias=False)
        batch = ((face.astype(np.float32) - 127.5) / 127.5).transpose(2, 0, 1)[None]
        return torch.from_numpy(self._session.run(None, {self._input: batch})[0][0])


def _providers(device: str, available: list[str]) -> list[Any]:
    name, _, index = device.partition(":")
    if name == "cpu" or (name == "auto" and "CUDAExecutionProvider" not in available):
        return ["CPUExecutionProvider"]
    if name not in ("auto", "cuda") or (index and not index.isdigit()):
        raise UserError(f"face_encoder.device={device} is not one of cpu, cuda, cuda:N, auto.")
    if "CUDAExecutionProvider" not in available:
        raise UserError(
            f"face_encoder.device={device}, but this onnxruntime has no CUDA support; "
            "install onnxruntime-gpu or set face_encoder.device=cpu."
        )
    return [("CUDAExecutionProvider", {"device_id": int(index or 0)}), "CPUExecutionProvider"]
