"""SyncNet v2: mouth windows and MFCC windows in one space, where speech and its lips lie close together."""

from __future__ import annotations

from torch import Tensor, nn

WINDOW = 5  # video frames a lip window spans
MFCC_WINDOW = 20  # MFCC columns an audio window spans


def _lips() -> nn.Sequential:
    def conv(
        inputs: int, outputs: int, side: int, padding: int = 0, stride: int = 1, depth: int = 1
    ) -> list[nn.Module]:
        kernel, pads = (depth, side, side), (0, padding, padding)
        return [
            nn.Conv3d(inputs, outputs, kernel, (1, stride, stride), pads),
            nn.BatchNorm3d(outputs),
            nn.ReLU(inplace=True),
        ]

    def pool(padding: int = 0) -> nn.MaxPool3d:
        return nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, padding, padding))

    return nn.Sequential(
        *conv(3, 96, 7, stride=2, depth=WINDOW), pool(),
        *conv(96, 256, 5, padding=1, stride=2), pool(1),
        *conv(256, 256, 3, padding=1), *conv(256, 256, 3, padding=1), *conv(256, 256, 3, padding=1), pool(),
        *conv(256, 512, 6),
    )  # fmt: skip


def _audio() -> nn.Sequential:
    def conv(inputs: int, outputs: int, kernel: tuple[int, int] = (3, 3), padding: int = 1) -> list[nn.Module]:
        return [nn.Conv2d(inputs, outputs, kernel, 1, padding), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]

    return nn.Sequential(
        *conv(1, 64), nn.MaxPool2d(1, 1),  # changes nothing, but counts in the numbering of the file
        *conv(64, 192), nn.MaxPool2d(3, (1, 2)),
        *conv(192, 384), *conv(384, 256), *conv(256, 256), nn.MaxPool2d(3, 2),
        *conv(256, 512, (5, 4), 0),
    )  # fmt: skip


def _head() -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 1024))


class SyncNet(nn.Module):
    """Parameter names are those of `syncnet_v2.model`; embeddings are not normalised."""

    def __init__(self) -> None:
        super().__init__()
        self.netcnnlip, self.netfclip = _lips(), _head()
        self.netcnnaud, self.netfcaud = _audio(), _head()

    def lip_features(self, windows: Tensor) -> Tensor:
        """(n, 3, 5, 224, 224) BGR in 0..255 -> (n, 512)."""
        return self.netcnnlip(windows).flatten(1)

    def lips(self, windows: Tensor) -> Tensor:
        """(n, 3, 5, 224, 224) BGR in 0..255 -> (n, 1024)."""
        return self.netfclip(self.lip_features(windows))

    def audio(self, windows: Tensor) -> Tensor:
        """(n, 1, 13, 20) MFCC of int16 amplitudes -> (n, 1024)."""
        return self.netfcaud(self.netcnnaud(windows).flatten(1))
