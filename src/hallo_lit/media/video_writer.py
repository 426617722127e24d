"""Videos out: H.264 and AAC in MP4 that any player takes, whole or not there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream
from torch import Tensor

from hallo_lit.errors import UserError
from hallo_lit.media.colour import FrameOfPixels
from hallo_lit.media.container import hush_ffmpeg
from hallo_lit.media.files import whole_file
from hallo_lit.media.image import Pixels
from hallo_lit.media.soundtrack import Sound, SoundTrack

SUFFIXES = (".mp4", ".m4v", ".mov")
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")


@dataclass(frozen=True)
class Encoding:
    """How hard to compress: x264's crf (0 lossless .. 51) and preset, the distance of key frames, AAC's bit rate."""

    crf: float = 17
    preset: str = "medium"
    keyframe_seconds: float = 2.0
    audio_kbps: int = 160  # for stereo; mono gets half

    def __post_init__(self) -> None:
        """Raises UserError for a crf or preset that x264 does not know."""
        if not 0 <= self.crf <= 51:
            raise UserError(f"crf is {self.crf}, outside 0 (lossless) to 51 (worst); 17 is a good value")
        if self.preset not in PRESETS:
            raise UserError(f"x264 has no preset {self.preset!r}; choose one of {', '.join(PRESETS)}")


STANDARD = Encoding()


class VideoWriter:
    """Context manager that takes (H, W, 3) uint8 RGB frames one at a time; the file appears when the block ends well.

    The sound is re-encoded and cut, or filled with silence, to the duration of the pictures. Memory does not grow with
    duration. Leaving the block by any exception, Ctrl-C included, leaves nothing behind. Odd sizes gain a row or column
    by replication, as H.264 in yuv420p wants even ones. Raises UserError where the file cannot be written or the sound
    cannot be read.
    """

    def __init__(
        self,
        path: str | Path,
        size: tuple[int, int],
        fps: float | Fraction = 25,
        audio: str | Path | Tensor | Sound | None = None,
        metadata: Mapping[str, Any] | None = None,
        encoding: Encoding = STANDARD,
        folder: Path | None = None,
    ) -> None:
        """size = (height, width); a tensor as audio is at 16 kHz, else give a `Sound`; metadata must suit JSON.

        folder: where the file grows until it is whole; beside `path` if not given.
        """
        self.path, self.size = Path(path), size
        self.fps = Fraction(fps).limit_denominator(1001)
        self.audio, self.metadata, self.encoding, self.folder = audio, metadata, encoding, folder
        self.frames = 0
        self._open = ExitStack()
        self._frame_of = FrameOfPixels()

    def __enter__(self) -> VideoWriter:
        with ExitStack() as opening:
            self._output = opening.enter_context(mp4_output(self.path, self.metadata, self.folder))
            self._video = self._add_video()
            self._track = sound_track(self._output, self.audio, self.encoding)
            self._open = opening.pop_all()
        return self

    def write(self, frame: Pixels) -> None:
        """Appends one frame. Raises ValueError for another shape or type."""
        if frame.shape != (*self.size, 3) or frame.dtype != np.uint8:
            raise ValueError(f"frames are uint8 of shape {(*self.size, 3)}, not {frame.dtype} of {frame.shape}")
        picture = self._frame_of(frame)
        picture.pts, picture.time_base = self.frames, 1 / self.fps
        self._output.mux(self._video.encode(picture))
        self.frames += 1
        if self._track:
            self._track.advance(self.frames / self.fps)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._open.__exit__(kind, error, trace)  # removes the file
            return
        with self._open:
            if not self.frames:
                raise ValueError(f"no frames were written to {self.path}")
            self._output.mux(self._video.encode(None))
            if self._track:
                self._track.finish(self.frames / self.fps)

    def _add_video(self) -> VideoStream:
        options = {"crf": str(self.encoding.crf), "preset": self.encoding.preset}
        stream = self._output.add_stream("libx264", rate=self.fps, options=options)
        stream.height, stream.width = (side + side % 2 for side in self.size)
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.gop_size = max(1, round(self.encoding.keyframe_seconds * self.fps))
        context.time_base = 1 / self.fps
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        return stream


def check_name(path: Path) -> None:
    """Raises UserError unless `path` ends like a video we write."""
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(f"cannot write {path}: the name of a video ends in {', '.join(SUFFIXES)}; choose one of them")


@contextmanager
def mp4_output(path: Path, metadata: Mapping[str, Any] | None, folder: Path | None = None) -> Iterator[OutputContainer]:
    """An MP4 that becomes `path` when the block ends well; its index stands in front of the data."""
    check_name(path)
    comment = None if metadata is None else json.dumps(metadata, ensure_ascii=False)
    hush_ffmpeg()
    with whole_file(path, folder) as part:
        output = av.open(f"file:{part.absolute()}", "w", format="mp4", options={"movflags": "+faststart"})
        if comment is not None:
            output.metadata["comment"] = comment
        try:
            yield output
        except BaseException:
            with suppress(Exception):  # closing half a file is bound to complain
                output.close()
            raise
        output.close()


def sound_track(
    output: OutputContainer, audio: str | Path | Tensor | Sound | None, encoding: Encoding
) -> SoundTrack | None:
    """Adds the stream; a bare tensor is at 16 kHz."""
    if audio is None:
        return None
    if not isinstance(audio, Sound):
        audio = Sound(audio if isinstance(audio, Tensor) else Path(audio))
    return SoundTrack(output, audio, encoding.audio_kbps)
