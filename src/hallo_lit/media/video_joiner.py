"""Finished parts of a long job become one video, packet by packet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from torch import Tensor

from hallo_lit.errors import UserError
from hallo_lit.media.container import open_media
from hallo_lit.media.soundtrack import Sound, SoundTrack
from hallo_lit.media.video_writer import STANDARD, Encoding, mp4_output, sound_track


def concat(
    parts: Sequence[str | Path],
    path: str | Path,
    audio: str | Path | Tensor | Sound | None = None,
    metadata: Mapping[str, Any] | None = None,
    encoding: Encoding = STANDARD,
) -> int:
    """Joins videos of one VideoWriter's settings without touching their pictures, adds sound; returns the frame count.

    For long jobs that can be resumed: parts are written without sound, one after another. Raises UserError where a part
    is missing, damaged or was made with other settings.
    """
    with mp4_output(Path(path), metadata) as output:
        stream: VideoStream | None = None
        track: SoundTrack | None = None
        first: _Header | None = None
        frames = 0
        for part in map(Path, parts):
            with open_media(part, "video") as container:
                source = container.streams.video[0]
                header = _Header.of(source)
                if first is None or stream is None:
                    first, stream = header, output.add_stream_from_template(source)
                    track = sound_track(output, audio, encoding)
                elif header != first:
                    raise UserError(f"{part} was made with other settings than the first part; start the job again")
                step = round(1 / (first.fps * first.tick))
                start = frames * step
                for packet in _packets(part, container, source):
                    packet.pts = start + (packet.pts or 0)
                    packet.dts = (frames - source.codec_context.reorder_depth) * step  # very short parts delay less
                    packet.stream = stream
                    output.mux(packet)
                    frames += 1
                    if track:
                        track.advance(frames / first.fps)
        if first is None:
            raise ValueError("there are no parts to join")
        if track:
            track.finish(frames / first.fps)
    return frames


def _packets(part: Path, container: InputContainer, stream: VideoStream) -> Iterator[Packet]:
    """As many as the index promises, or a UserError."""
    count = 0
    with suppress(av.error.FFmpegError):  # what is missing is counted below
        for packet in container.demux(stream):
            if packet.pts is not None and packet.size:
                count += 1
                yield packet
    if count != stream.frames:
        raise UserError(f"{part} is damaged: {count} of {stream.frames} frames are there; delete it and resume")


class _Header(NamedTuple):
    """What parts must share to be decoded as one stream."""

    parameters: bytes | None
    width: int
    height: int
    tick: Fraction
    fps: Fraction

    @classmethod
    def of(cls, stream: VideoStream) -> _Header:
        tick, fps = stream.time_base or Fraction(1), stream.average_rate or Fraction(1)
        return cls(stream.codec_context.extradata, stream.width, stream.height, tick, fps)
