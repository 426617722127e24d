"""Sound as it was recorded, block by block: all channels, own rate, on the clock of the video it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from numpy.typing import NDArray

from hallo_lit.errors import UserError
from hallo_lit.media.container import end_is_missing, open_media, promised_seconds

MAX_GAP = 0.1  # seconds by which time stamps may disagree with the samples before silence is put in
MAX_SILENCE = 3600.0  # seconds put in, all together; more comes from broken time stamps
MAX_SHORT = 0.05  # seconds by which a file may miss its header's promise
MAX_LEVEL = 100.0  # float samples beyond this are not on the scale -1..1


@dataclass(frozen=True)
class Block:
    """samples (channels, n) float32, full scale 1.0, at `rate` per second."""

    samples: NDArray[np.float32]
    rate: int


def decode_audio(path: Path) -> Iterator[Block]:
    """The first sound track in small blocks, constant memory; silence or a cut aligns it with the first video frame.

    Raises UserError where there is no sound, where it is damaged, ends before its header says, or has samples that are
    NaN, infinite or beyond any scale; the last three may come after blocks have been yielded.
    """
    with open_media(path, "recording") as container:
        if not container.streams.audio:
            raise UserError(f"{path} has no sound track; give a recording, or a video with sound")
        stream = container.streams.audio[0]
        done, packets, failed = 0.0, 0, 0  # seconds, counts
        clock = _Clock(path, _start_of_video(container))
        for frames in _decoded_packets(container, stream):
            packets += 1
            failed += frames is None
            for frame in frames or ():
                for block in clock.align(frame):
                    _check_samples(path, block, done)
                    done += block.samples.shape[1] / block.rate
                    yield block
        if not done:
            raise UserError(f"{path} holds no sound that can be decoded; export the recording again")
        if failed > 0.05 * packets:
            raise UserError(f"{path} is damaged: {failed} of {packets} parts cannot be decoded; export it again")
        promised = promised_seconds(path, container, stream)
        if promised is not None and clock.heard < promised - MAX_SHORT:
            raise UserError(
                f"{path} is truncated: {promised:.2f} s are promised, {clock.heard:.2f} s are there; copy it again"
            )
        if end_is_missing(path, container.format.name):
            raise UserError(f"{path} is truncated: its end is missing; copy or export it again")


def _decoded_packets(container: InputContainer, stream: AudioStream) -> Iterator[list[AudioFrame] | None]:
    """The frames of each packet, or None for a damaged one."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.FFmpegError:  # the reader itself stumbled: nothing can follow
            yield None
            return
        try:
            yield packet.decode()
        except av.error.FFmpegError:
            yield None


def _start_of_video(container: InputContainer) -> float | None:
    """Seconds, or None where there is no moving picture; the cover of an album is none."""
    for stream in container.streams.video:
        if stream.start_time is not None and stream.time_base and not stream.disposition & Disposition.attached_pic:
            return float(stream.start_time * stream.time_base)
    return None


class _Clock:
    """Converts frames to float and places them where their time stamps say."""

    def __init__(self, path: Path, origin: float | None) -> None:
        self.path = path
        self.origin = origin  # seconds; None: wherever the sound starts
        self.position = 0.0  # seconds yielded
        self.heard = 0.0  # seconds decoded
        self.packer = _packer()

    def align(self, frame: AudioFrame) -> Iterator[Block]:
        time, tick, duration, rate = frame.time, frame.time_base, frame.duration, frame.sample_rate
        samples = self._planar(frame)
        if tick and duration:  # MP4 states how much of the encoder's last frame is sound
            kept = round(duration * tick * rate)
            if samples.shape[1] - kept > 2 * tick * rate:
                samples = samples[:, :kept]
        self.heard += samples.shape[1] / rate
        if time is not None:
            if self.origin is None:
                self.origin = time
            late = (time - self.origin) - self.position
            missing = self.position - self.heard + late
            if missing > MAX_SILENCE:
                raise UserError(f"{self.path} is damaged: {missing:.0f} s of it are missing; export it again")
            if late > MAX_GAP or (self.position == 0 and late > 0):
                for start in range(0, round(late * rate), rate):
                    count = min(rate, round(late * rate) - start)
                    yield from self._emit(np.zeros((samples.shape[0], count), np.float32), rate)
            elif late < -MAX_GAP or (self.position == 0 and late < 0):
                samples = samples[:, min(round(-late * rate), samples.shape[1]) :]
        yield from self._emit(samples, rate)

    def _emit(self, samples: NDArray[np.float32], rate: int) -> Iterator[Block]:
        self.position += samples.shape[1] / rate
        if samples.size:
            yield Block(samples, rate)

    def _planar(self, frame: AudioFrame) -> NDArray[np.float32]:
        try:
            (packed,) = self.packer.resample(frame)
        except ValueError:  # the stream changed its layout or format on the way
            self.packer = _packer()
            try:
                (packed,) = self.packer.resample(frame)
            except ValueError as error:  # a layout or rate that cannot be
                raise UserError(f"{self.path} is damaged: its sound changes its format; export it again") from error
        return np.asarray(packed.to_ndarray(), np.float32).reshape(-1, frame.layout.nb_channels).T


def _packer() -> AudioResampler:
    """To floats, interleaved: PyAV reads beyond the planes of a planar frame of eight channels."""
    return AudioResampler(format="flt")


def _check_samples(path: Path, block: Block, start: float) -> None:
    level = np.abs(block.samples).max(initial=0.0)
    if level <= MAX_LEVEL:  # false for NaN
        return
    wrong = np.flatnonzero(~(np.abs(block.samples).max(0) <= MAX_LEVEL))[0]
    where = f"at {start + wrong / block.rate:.2f} s"
    if not np.isfinite(block.samples).all():
        raise UserError(f"{path} has samples that are not numbers (NaN or infinite) {where}; export it again")
    raise UserError(
        f"{path} has samples of {level:g} {where} where 1.0 is full scale; export it again as 16-bit or scaled floats"
    )
