"""Every number the pipeline depends on, as plain records that travel to other processes and into hashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from hallo_lit.data.spec import config_hash
from hallo_lit.errors import UserError

Record = TypeVar("Record")
FPS = 25
# The default encoders, word for word as in conf/: features carry the hash of these configurations.
LOG_MEL = {
    "_target_": "hallo_lit.components.audio_encoder.mel.LogMel",
    "layers": 4,
    "width": 32,
    "fps": 25,
    "low": 50.0,
    "high": 7600.0,
}
CONV = {
    "_target_": "hallo_lit.components.face_encoder.conv.ConvFaceEncoder",
    "width": 512,
    "size": 112,
    "channels": [24, 48, 96, 192],
    "seed": 0,
    "weights": None,
}
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
WORST = 51  # of x264's quality; these two as `media.video.Encoding` takes them, which would need PyAV here
VERSION = 1  # of the measurements: raised when the same settings would give other numbers


@dataclass(frozen=True)
class Shots:
    """Where a picture is followed by one of another camera."""

    cut: float = 0.15  # distance of colour histograms, 0..1, between neighbouring frames
    ratio: float = 3.0  # ... and how many times that of the frames around
    dissolve: float = 0.45  # distance between frames half a second apart
    blank: float = 4.0  # standard deviation of a picture (0..255) below which it shows nothing


@dataclass(frozen=True)
class Tracking:
    """Finding faces and following them."""

    every: int = 5  # frames between two looks
    side: int = 960  # longer side in pixels of the picture that is searched
    max_faces: int = 4
    max_gap: float = 0.61  # seconds for which a face may be missed
    outside: float = 0.1  # share of the face box that may lie outside the picture
    backend: str = "face_mesh"  # or face_landmarker, with task_file
    task_file: str | None = None


@dataclass(frozen=True)
class Crop:
    """The square cut out for the model; it stands still during a clip."""

    size: int = 512  # pixels of the result
    face_share: float = 0.62  # height of the face over the side of the square, as portraits are cropped for animation
    headroom: float = 0.04  # how far the face sits below the middle, as a share of the side: hair needs room
    quality: float = 17.0  # constant rate factor of H.264, lower = better and larger
    preset: str = "fast"  # effort of x264
    keyframe_seconds: float = 1.0  # training enters the file at random places


@dataclass(frozen=True)
class Clips:
    """How long sources are divided."""

    min_frames: int = 17  # 14 + 2 motion frames + 1 reference
    max_seconds: float = 20.0
    max_speed: float = 2.0  # of the face, in its heights per second; faster motion is cut out
    max_travel: float = 1.0  # in face heights; a face that goes farther starts a new clip


@dataclass(frozen=True)
class Filters:
    """What is kept. Numbers of a clip that lie beyond these are the reasons in its verdict."""

    min_fps: float = 15.0  # of the source: slower ones do not show lip motion
    sound: str = "required"  # "optional" keeps videos without a sound track, undecided, for the appearance stage
    min_face: float = 100.0  # height of the face in pixels of the source
    min_found: float = 0.9  # share of frames in which landmarks were found
    max_other_face: float = 0.35  # height of the largest other face over that of this one
    max_yaw: float = 40.0  # degrees, in 95 of 100 frames; as measured, which falls short of the truth beyond 30
    max_pitch: float = 40.0
    max_roll: float = 45.0
    max_speed: float = 1.5  # of the face, in face heights per second, in 95 of 100 frames
    max_jump: float = 0.3  # between two frames, in face heights: a jump cut or a lost face
    max_travel: float = 1.2  # distance between the farthest positions of the face, in face heights
    max_camera: float = 0.1  # of the background, in picture widths per second, in 90 of 100 looks
    max_padding: float = 0.1  # share of the crop outside the picture
    min_sharpness: float = 0.25  # 0 blurred .. 1 crisp
    lip_audio: bool = True  # judge lip-audio agreement; self-made clips, whose curves are true, need no judge
    sync_seconds: float = 8.0  # shorter clips stay undecided
    sync_speech: float = 0.3  # share of time with sound that may be speech; less stays undecided
    sync_mouth: float = 0.01  # standard deviation of lip opening over eye distance; less stays undecided
    sync_factor: float = 0.82  # in sync above this / sqrt(seconds)
    sync_lag_ms: int = 200


@dataclass(frozen=True)
class Features:
    """What is computed for kept clips. Encoders are configurations with a `_target_`; None switches one off."""

    regions: str = "union"  # "union" as the original prepares training data; "soft" follows `region_masks`
    face_ratio: float = 1.0
    lip_ratio: float = 1.0
    audio: Mapping[str, Any] | None = field(default_factory=lambda: dict(LOG_MEL))
    identity: Mapping[str, Any] | None = field(default_factory=lambda: dict(CONV))
    latents: Mapping[str, Any] | None = None
    separator: Mapping[str, Any] | None = None  # vocals out of the sound, before the audio encoder
    device: str = "cpu"  # of the encoders
    chunk: int = 8  # frames the VAE sees at once


@dataclass(frozen=True)
class Settings:
    """All of them; see the comments in `conf/preprocess.yaml`."""

    shots: Shots = field(default_factory=Shots)
    tracking: Tracking = field(default_factory=Tracking)
    clips: Clips = field(default_factory=Clips)
    crop: Crop = field(default_factory=Crop)
    filters: Filters = field(default_factory=Filters)
    features: Features = field(default_factory=Features)

    def analysis_key(self) -> str:
        """Changes when shots or tracks would."""
        return config_hash({"v": VERSION, "shots": asdict(self.shots), "tracking": asdict(self.tracking)})

    def crop_key(self) -> str:
        """Changes when the pixels of a clip would."""
        return config_hash({"v": VERSION, "crop": asdict(self.crop), "analysis": self.analysis_key()})

    def key(self) -> str:
        """Changes when anything would, but not with the machine that does the work."""
        record = asdict(self)
        del record["features"]["device"], record["features"]["chunk"]
        return config_hash({"v": VERSION, **record})


def from_mapping(kind: type[Record], values: Mapping[str, Any], where: str = "preprocess") -> Record:
    """The record a configuration describes, nested records included; numbers keep their type.

    Raises:
        UserError: an unknown setting, or a value of the wrong kind.
    """
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    hints = get_type_hints(kind)
    given: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            close = get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]}?" if close else f"it knows {', '.join(known)}."
            raise UserError(f"{where} has no setting {name}; {hint}")
        wanted = hints[name]
        if isinstance(wanted, type) and is_dataclass(wanted):
            given[name] = from_mapping(wanted, value or {}, f"{where}.{name}")
        elif wanted in (int, float, str, bool):
            number = wanted is float and isinstance(value, int) and not isinstance(value, bool)
            if not number and (not isinstance(value, wanted) or isinstance(value, bool) != (wanted is bool)):
                raise UserError(f"{where}.{name} must be a {wanted.__name__}, not {value!r}.")
            given[name] = wanted(value)
        else:
            given[name] = value
    return kind(**given)


def check(settings: Settings) -> None:
    """Refuses values that would only be noticed after hours.

    Raises:
        UserError: one sentence about the first of them.
    """
    choices = {
        "features.regions": (settings.features.regions, ("union", "soft")),
        "tracking.backend": (settings.tracking.backend, ("face_mesh", "face_landmarker")),
        "filters.sound": (settings.filters.sound, ("required", "optional")),
        "crop.preset": (settings.crop.preset, PRESETS),
    }
    for name, (value, known) in choices.items():
        if value not in known:
            raise UserError(f"{name}={value} is not known; choose {' or '.join(known)}.")
    if settings.tracking.backend == "face_landmarker" and not settings.tracking.task_file:
        raise UserError("tracking.backend=face_landmarker needs tracking.task_file=FILE, its face_landmarker.task.")
    if settings.tracking.task_file and not Path(settings.tracking.task_file).is_file():
        raise UserError(f"tracking.task_file={settings.tracking.task_file} does not exist; check the name of the file.")
    for name in ("audio", "identity", "latents", "separator"):
        config = getattr(settings.features, name)
        if config is not None and not (isinstance(config, Mapping) and "_target_" in config):
            raise UserError(f"features.{name} must be null or a configuration with a _target_, not {config!r}.")
    least = {
        "crop.size": (settings.crop.size, 32),
        "crop.face_share": (settings.crop.face_share, 0.05),
        "crop.quality": (settings.crop.quality, 0),
        "crop.keyframe_seconds": (settings.crop.keyframe_seconds, 1 / FPS),
        "tracking.every": (settings.tracking.every, 1),
        "tracking.side": (settings.tracking.side, 64),
        "tracking.max_faces": (settings.tracking.max_faces, 1),
        "tracking.max_gap": (settings.tracking.max_gap, 0),
        "clips.min_frames": (settings.clips.min_frames, 1),
        "clips.max_seconds": (settings.clips.max_seconds, settings.clips.min_frames / FPS),
        "features.chunk": (settings.features.chunk, 1),
        "features.face_ratio": (settings.features.face_ratio, 0.1),
        "features.lip_ratio": (settings.features.lip_ratio, 0.1),
        "filters.min_found": (settings.filters.min_found, 0.1),
    }
    for name, (number, smallest) in least.items():
        if not number >= smallest:  # nor what is no number
            raise UserError(f"{name}={number:g} is too small; at least {smallest:g} is needed.")
    if settings.crop.quality > WORST:
        raise UserError(f"crop.quality={settings.crop.quality:g} is too large; at most {WORST} (worst) is possible.")
    if settings.crop.size % 2:
        raise UserError(f"crop.size={settings.crop.size} is odd, and H.264 wants even sides; choose an even number.")
