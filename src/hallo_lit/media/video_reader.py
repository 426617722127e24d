"""Videos in: upright RGB frames on an even clock, one at a time, or an exact stretch of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from hallo_lit.errors import UserError
from hallo_lit.media.colour import PixelsOfFrame, quarter_turns
from hallo_lit.media.container import open_media
from hallo_lit.media.image import Pixels, resize

_SHORT = 0.1  # seconds a file may miss its header's promise by
_LONGEST = 120  # seconds a picture may stay; more is a broken time stamp


@dataclass(frozen=True)
class VideoInfo:
    """A video as a viewer sees it: width and height after rotation, fps the mean rate where it varies."""

    width: int
    height: int
    fps: float
    frames: int
    duration: float  # seconds
    rotation: int  # degrees counter-clockwise that players apply, already applied to width and height
    has_audio: bool
    variable_rate: bool
    codec: str


def probe(path: str | Path) -> VideoInfo:
    """Counts frames and looks at every time stamp, without decoding more than one picture.

    Raises UserError for what is missing, no video, or ends before its header says.
    """
    path = Path(path)
    times = _timestamps(path, path.stat().st_mtime_ns if path.exists() else 0)
    with open_media(path, "video") as container:
        stream = _pictures(path, container)
        _, first = next(_decode(path, container, stream))
        turned = quarter_turns(first) % 2
        width, height = (first.height, first.width) if turned else (first.width, first.height)
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
            rotation=quarter_turns(first) * 90,
            has_audio=bool(container.streams.audio),
            variable_rate=varies,
            codec=stream.codec_context.name,
        )


def read_frames(
    path: str | Path, fps: float | Fraction | None = 25, size: tuple[int, int] | None = None
) -> Iterator[Pixels]:
    """Upright frames (H, W, 3) in constant memory; at a constant rate by the nearest time stamp, or all with fps=None.

    size = (height, width) stretches each frame. Time 0 is the first frame's; round(duration * fps) frames come out.
    Raises UserError for what is no video, or damaged.
    """
    path = Path(path)
    with open_media(path, "video") as container:
        stream = _pictures(path, container)
        stream.thread_type = "AUTO"
        to_pixels = PixelsOfFrame()
        frames = _decode(path, container, stream)
        for frame in (frame for _, frame in frames) if fps is None else _at_rate(path, frames, Fraction(fps)):
            pixels = to_pixels(frame)
            yield pixels if size is None else resize(pixels, size)


def read_clip(path: str | Path, start: int, count: int) -> NDArray[np.uint8]:
    """Exactly the frames start .. start + count - 1 as stored, (count, H, W, 3), wherever the key frames are.

    Raises UserError where the file does not hold them all.
    """
    path = Path(path)
    times = _timestamps(path, path.stat().st_mtime_ns if path.exists() else 0)
    if start < 0 or count < 1 or start + count > len(times):
        raise UserError(f"{path} holds {len(times)} frames; {start} to {start + count - 1} were asked for")
    wanted = times[start : start + count]
    for seek in (True, False):  # some key frames cannot be entered at: then from the beginning
        with open_media(path, "video") as container:
            stream = _pictures(path, container)
            frames = _frames_at(path, container, stream, wanted, seek)
        if len(frames) == count:
            return np.stack(frames)
    raise UserError(f"{path} is damaged: frames {start} to {start + count - 1} cannot be decoded; export it again")


def _frames_at(
    path: Path, container: InputContainer, stream: VideoStream, wanted: NDArray[np.int64], seek: bool
) -> list[Pixels]:
    """The frames of these times, as many as can be had."""
    if seek:
        try:
            container.seek(int(wanted[0]), stream=stream, backward=True)
        except av.error.FFmpegError:
            return []
    to_pixels, frames = PixelsOfFrame(), []
    for time, frame in _decode(path, container, stream):
        if time > wanted[-1]:
            break
        if time in wanted:
            frames.append(to_pixels(frame))
    return frames


def _pictures(path: Path, container: InputContainer) -> VideoStream:
    if not container.streams.video:
        raise UserError(f"{path} has no pictures; give a video")
    return container.streams.video[0]


@lru_cache(maxsize=256)
def _timestamps(path: Path, modified: int) -> NDArray[np.int64]:
    """Presentation times of all frames in ticks, ascending; `modified` only keys the cache."""
    with open_media(path, "video") as container:
        stream = _pictures(path, container)
        times, end = [], 0
        try:
            for packet in container.demux(stream):
                time = packet.dts if packet.pts is None else packet.pts
                if time is not None and packet.size and not packet.is_discard:
                    times.append(time)
                    end = max(end, time + (packet.duration or 0))
        except av.error.FFmpegError:
            pass  # the check below tells how much is missing
        if not times:
            raise UserError(f"{path} holds no pictures that can be decoded; export it again")
        promised = (stream.start_time or 0) + (stream.duration or 0)
        if "mp4" in container.format.name and stream.time_base and (promised - end) * stream.time_base > _SHORT:
            seconds = [float(t * stream.time_base) for t in (promised, end)]
            raise UserError(
                f"{path} is truncated: {seconds[0]:.2f} s are promised, {seconds[1]:.2f} s are there; copy it again"
            )
        return np.array(sorted(set(times)), np.int64)


def _decode(path: Path, container: InputContainer, stream: VideoStream) -> Iterator[tuple[int, VideoFrame]]:
    """Frames with ascending times in ticks; a few damaged packets are passed over."""
    good, bad, last = 0, 0, None
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
            frames = packet.decode()
        except StopIteration:
            break
        except av.error.FFmpegError:
            bad += 1
            if bad > 100 + good:
                break
            continue
        for frame in frames:
            time = frame.pts if frame.pts is not None else frame.dts
            if time is None or (last is not None and time <= last):
                continue
            good, last = good + 1, time
            yield time, frame
    if not good:
        raise UserError(f"{path} holds no pictures that can be decoded; export it again")
    if bad > 0.05 * (good + bad):
        raise UserError(f"{path} is damaged: {bad} of {good + bad} pictures cannot be decoded; export it again")


def _at_rate(path: Path, frames: Iterator[tuple[int, VideoFrame]], fps: Fraction) -> Iterator[VideoFrame]:
    """For each k / fps the frame whose time is nearest, the earlier one in a tie; holds two frames at most."""
    origin, count = None, 0
    held: VideoFrame | None = None
    held_time, length = Fraction(0), Fraction(0)
    for ticks, frame in frames:
        tick = frame.time_base or Fraction(1, 1000)
        origin = ticks * tick if origin is None else origin
        time = ticks * tick - origin
        step, stated = time - held_time, (frame.duration or 0) * tick
        if step > _LONGEST:
            at, gap = float(held_time), float(step)
            raise UserError(
                f"{path} is damaged: no picture follows the one at {at:.2f} s for {gap:.0f} s; export it again"
            )
        while held is not None and count / fps <= (held_time + time) / 2:
            yield held
            count += 1
        length = stated if step / 2 < stated < _LONGEST else step  # some files state a tick
        held, held_time = frame, time
    if held is not None:
        total = max(1, round((held_time + length) * fps))
        for _ in range(count, total):
            yield held
