"""Videos in and out, under one name."""

from hallo_lit.media.metadata import read_metadata
from hallo_lit.media.soundtrack import Sound
from hallo_lit.media.video_joiner import concat
from hallo_lit.media.video_reader import VideoInfo, probe, read_clip, read_frames
from hallo_lit.media.video_writer import Encoding, VideoWriter

__all__ = [
    "Encoding",
    "Sound",
    "VideoInfo",
    "VideoWriter",
    "concat",
    "probe",
    "read_clip",
    "read_frames",
    "read_metadata",
]
