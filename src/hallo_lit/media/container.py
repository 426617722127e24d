"""Opening sound and video files: local files only, failures as one sentence, promises of the header for checking."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import av.logging
from av.audio.stream import AudioStream
from av.container import InputContainer

from hallo_lit.errors import UserError
from hallo_lit.media.files import check_readable

_UNKNOWN_LENGTH = 0x7FFFF000  # writers to a pipe put this or more into a RIFF header
_EXACT = ("flac", "aiff", "au", "wav", "caf", "mov,mp4,m4a,3gp,3g2,mj2")  # formats whose header counts samples


@contextmanager
def open_media(path: Path, kind: str) -> Iterator[InputContainer]:
    """An opened input; kind is the noun of the sentences ("recording", "video").

    Raises UserError for what is missing, empty, or no sound or video at all.
    """
    check_readable(path, kind)
    hush_ffmpeg()
    try:  # "file:" keeps colons in names from being read as protocols; the whitelist keeps playlists off the network
        container = av.open(
            f"file:{path.absolute()}", options={"protocol_whitelist": "file"}, metadata_errors="replace"
        )
    except (av.error.FFmpegError, ValueError) as error:
        raise UserError(
            f"{path} is not a {kind} that can be read, or its beginning or index is missing; export or copy it again"
        ) from error
    with container:
        yield container


def hush_ffmpeg() -> None:
    """PyAV's own default, which importing torchvision undoes: FFmpeg's messages would reach the terminal, and a decoder
    whose threads log can hang for ever when it is closed."""
    av.logging.set_level(None)


def promised_seconds(path: Path, container: InputContainer, stream: AudioStream) -> float | None:
    """The duration the header states, for telling truncation; None where the format states none or only guesses."""
    formats = container.format.name
    if formats == "wav" and (riff := _riff_seconds(path)) is not None:
        return riff
    if formats in _EXACT or (formats == "mp3" and _has_frame_count(path)):
        return float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
    if "matroska" in formats and len(container.streams) == 1 and container.duration:
        return container.duration / av.time_base
    return None


def end_is_missing(path: Path, formats: str) -> bool:
    """Whether a file of FFmpeg's `formats` has fewer bytes than its container promises, where it promises any."""
    if formats == "ogg":
        return _last_page_is_cut(path)
    with path.open("rb") as file:
        head = file.read(4096)
        size = file.seek(0, 2)
    if formats == "avi":
        return len(head) >= 8 and size < 8 + int(struct.unpack("<I", head[4:8])[0])
    return "matroska" in formats and size < _segment_end(head)


def _segment_end(head: bytes) -> int:
    """Where the segment of a Matroska or WebM file ends; 0 where it does not say, as in a live recording."""
    start = head.find(b"\x18\x53\x80\x67", 4)  # RFC 9559, section 5.1
    if start < 0 or len(head) < start + 12:
        return 0
    width = 9 - head[start + 4].bit_length()  # RFC 8794, section 4: leading zeros count the bytes
    value = int.from_bytes(head[start + 4 : start + 4 + width], "big") - (1 << 7 * width)
    return 0 if value == (1 << 7 * width) - 1 else start + 4 + width + value


def _last_page_is_cut(path: Path) -> bool:
    """Whether an Ogg file ends inside a page; Ogg states no length, so nothing else can tell truncation."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 2 * 65307))  # a page is at most 65307 bytes
        tail = file.read()
    start = tail.rfind(b"OggS")
    if start < 0 or len(tail) < start + 27:
        return True
    segments = tail[start + 26]
    table = tail[start + 27 : start + 27 + segments]
    return len(table) < segments or len(tail) - start < 27 + segments + sum(table)


def _riff_seconds(path: Path) -> float | None:
    """What the data chunk of a plain WAV file promises; FFmpeg reports what is there instead."""
    with path.open("rb") as file:
        if file.read(4) != b"RIFF":
            return None
        file.seek(12)
        bytes_per_second = 0
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            if name == b"data":
                known = 0 < size < _UNKNOWN_LENGTH and bytes_per_second
                return size / bytes_per_second if known else None
            body = file.read(16) if name == b"fmt " else b""
            if len(body) == 16:
                bytes_per_second = struct.unpack("<I", body[8:12])[0]
            file.seek(size + size % 2 - len(body), 1)
    return None


def _has_frame_count(path: Path) -> bool:
    """Whether an MP3 file carries a Xing or VBRI header; without one its duration is a guess from the file size."""
    with path.open("rb") as file:
        head = file.read(10)
        if head[:3] == b"ID3" and len(head) == 10:
            a, b, c, d = head[6:]
            file.seek(10 + (a << 21 | b << 14 | c << 7 | d))
        else:
            file.seek(0)
        frame = file.read(2048)
    return any(tag in frame for tag in (b"Xing", b"Info", b"VBRI"))
