"""Decoded pictures with their times: from the beginning, from a key frame further on, and on an even clock."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from hallo_lit.errors import UserError
from hallo_lit.media.container import open_media

Timed = Iterator[tuple[int, VideoFrame]]  # times in ticks of the stream, ascending
_SHORT = 0.1  # seconds a file may miss its header's promise by
_LONGEST = 120  # seconds a picture may stay; more is a broken time stamp
_RUN_UP = (0, 10)  # seconds before the wanted place to enter at; the key frame found may be too late
_STATED = ("mp4", "matroska", "flv")  # formats with the time of every picture; others count on from some that have one


def pictures_of(path: Path, container: InputContainer) -> VideoStream:
    """The stream of moving pictures.

    Raises:
        UserError: there is none.
    """
    if not container.streams.video:
        raise UserError(f"{path} has no pictures; give a video")
    return container.streams.video[0]


def timestamps(path: Path) -> NDArray[np.int64]:
    """Presentation times of all pictures in ticks, ascending, without decoding any; remembered until the file changes.

    Raises:
        UserError: no pictures, or fewer than the header promises.
    """
    return _timestamps(path, path.stat().st_mtime_ns if path.exists() else 0)


@lru_cache(maxsize=256)
def _timestamps(path: Path, modified: int) -> NDArray[np.int64]:
    """`modified` only keys the cache."""
    with open_media(path, "video") as container:
        stream = pictures_of(path, container)
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


def decode(path: Path, container: InputContainer, stream: VideoStream) -> Timed:
    """From where the container stands; a few damaged packets are passed over.

    Raises:
        UserError: nothing can be decoded, or too much is damaged.
    """
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


def decode_from(path: Path, container: InputContainer, stream: VideoStream, time: int) -> Timed | None:
    """From a key frame on that is shown at `time` (ticks) or earlier; None where the file cannot be entered so.

    What decodes after the key frame but is shown before it leans on pictures that were never seen, and is left out.
    """
    if not any(name in container.format.name for name in _STATED):
        return None
    for seconds in _RUN_UP:
        place = time - round(seconds / (stream.time_base or Fraction(1, 1000)))
        try:
            container.seek(place, stream=stream, backward=True)
            frames = decode(path, container, stream)
            first = next((found for found in frames if found[1].key_frame), None)
        except (av.error.FFmpegError, UserError):
            continue
        if first is not None and first[0] <= time:
            return chain([first], frames)
    return None


def at_rate(
    path: Path, frames: Timed, fps: Fraction, origin: int | None = None, start: int = 0
) -> Iterator[VideoFrame]:
    """For each k >= start the picture whose time is nearest to k / fps, the earlier one in a tie; holds two at most.

    Time 0 is at `origin` ticks, by default the first picture's. With start > 0 the pictures may begin anywhere before
    the first that is wanted, with one more before that.

    Raises:
        UserError: a gap of minutes between two pictures.
    """
    count = start
    held: VideoFrame | None = None
    held_time, length = Fraction(0), Fraction(0)
    for ticks, frame in frames:
        tick = frame.time_base or Fraction(1, 1000)
        origin = ticks if origin is None else origin
        time = (ticks - origin) * tick
        step, stated = time - held_time if held is not None else Fraction(0), (frame.duration or 0) * tick
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
