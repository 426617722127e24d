"""Videos in: upright RGB frames on an even clock, one at a time, or an exact stretch of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from hallo_lit.errors import UserError
from hallo_lit.media.colour import Orientation, PixelsOfFrame
from hallo_lit.media.container import open_media
from hallo_lit.media.image import Pixels, resize
from hallo_lit.media.pictures import at_rate, decode, decode_from, pictures_of, timestamps


@dataclass(frozen=True)
class VideoInfo:
    """A video as a viewer sees it: width and height after rotation, fps the mean rate where it varies."""

    width: int
    height: int
    fps: float
    frames: int
    duration: float  # seconds
    rotation: int  # degrees counter-clockwise that players apply (after a mirror), already applied to width and height
    has_audio: bool
    variable_rate: bool
    codec: str


def probe(path: str | Path) -> VideoInfo:
    """Counts frames and looks at every time stamp, without decoding more than one picture.

    Raises UserError for what is missing, no video, or ends before its header says.
    """
    path = Path(path)
    times = timestamps(path)
    with open_media(path, "video") as container:
        stream = pictures_of(path, container)
        _, first = next(decode(path, container, stream))
        turns = Orientation.of(first).quarter_turns
        width, height = (first.height, first.width) if turns % 2 else (first.width, first.height)
        tick = stream.time_base or Fraction(1, 1000)
        steps = np.diff(times)
        varies = bool(len(steps)) and bool(np.abs(steps - steps.mean()).max() > 1 + 0.1 * steps.mean())
        rate = stream.average_rate or Fraction(25)
        if len(steps):
            measured = Fraction(len(steps), int(times[-1] - times[0])) / tick
            rate = rate if abs(rate / measured - 1) < 0.01 and not varies else measured
        return VideoInfo(
            width=width,
            height=height,
            fps=float(rate),
            frames=len(times),
            duration=float(int(times[-1] - times[0]) * tick + (int(steps[-1]) * tick if varies else 1 / rate)),
            rotation=turns * 90,
            has_audio=bool(container.streams.audio),
            variable_rate=varies,
            codec=stream.codec_context.name,
        )


def read_frames(
    path: str | Path, fps: float | Fraction | None = 25, size: tuple[int, int] | None = None, start: int = 0
) -> Iterator[Pixels]:
    """Upright frames (H, W, 3) in constant memory; at a constant rate by the nearest time stamp, or all with fps=None.

    size = (height, width) stretches each frame. Time 0 is the first frame's; round(duration * fps) frames come out.
    The first `start` of them are passed over: a file that allows it is entered at a key frame, with the same frames.
    Raises UserError for what is no video, or damaged.
    """
    path, to_pixels = Path(path), PixelsOfFrame()
    for frame in _every(path, start) if fps is None else _even(path, Fraction(fps), start):
        pixels = to_pixels(frame)
        yield pixels if size is None else resize(pixels, size)


def read_clip(path: str | Path, start: int, count: int) -> NDArray[np.uint8]:
    """Exactly the frames start .. start + count - 1 as stored, (count, H, W, 3), wherever the key frames are.

    Raises UserError where the file does not hold them all.
    """
    path = Path(path)
    times = timestamps(path)
    if start < 0 or count < 1 or start + count > len(times):
        raise UserError(f"{path} holds {len(times)} frames; {start} to {start + count - 1} were asked for")
    wanted = times[start : start + count]
    for seek in (True, False):  # some key frames cannot be entered at: then from the beginning
        with open_media(path, "video") as container:
            stream = pictures_of(path, container)
            frames = _frames_at(path, container, stream, wanted, seek)
        if len(frames) == count:
            return np.stack(frames)
    raise UserError(f"{path} is damaged: frames {start} to {start + count - 1} cannot be decoded; export it again")


def _frames_at(
    path: Path, container: InputContainer, stream: VideoStream, wanted: NDArray[np.int64], seek: bool
) -> list[Pixels]:
    """The frames of these times, as many as can be had."""
    to_pixels, frames = PixelsOfFrame(), []
    decoded = decode_from(path, container, stream, int(wanted[0])) if seek else decode(path, container, stream)
    for time, frame in decoded or ():
        if time > wanted[-1]:
            break
        if time in wanted:
            frames.append(to_pixels(frame))
    return frames


def _every(path: Path, start: int) -> Iterator[VideoFrame]:
    with open_media(path, "video") as container:
        stream = pictures_of(path, container)
        stream.thread_type = "AUTO"
        yield from (frame for _, frame in islice(decode(path, container, stream), start, None))


def _even(path: Path, fps: Fraction, start: int) -> Iterator[VideoFrame]:
    if start > 0:
        with open_media(path, "video") as container:
            stream = pictures_of(path, container)
            stream.thread_type = "AUTO"
            origin, first = next(decode(path, container, stream))
            wanted = origin + int(start / fps / (first.time_base or Fraction(1, 1000)))
            times = timestamps(path)
            last = int(np.searchsorted(times, wanted, "right")) - 1  # one more: how long it stays
            frames = decode_from(path, container, stream, int(times[last - 1])) if last > 1 else None
            if frames is not None:
                yield from at_rate(path, frames, fps, origin, start)
                return
    with open_media(path, "video") as container:
        stream = pictures_of(path, container)
        stream.thread_type = "AUTO"
        yield from at_rate(path, decode(path, container, stream), fps, start=start)
