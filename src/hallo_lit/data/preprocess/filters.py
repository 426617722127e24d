"""Verdicts: measured numbers against thresholds, each rejection a sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from hallo_lit.data.preprocess.settings import Filters

KEPT, UNDECIDED, REJECTED = "kept", "undecided", "rejected"
Measured = Mapping[str, float | None]  # names are those of the rules below and of `measure.py`; None = unknown


@dataclass(frozen=True)
class Verdict:
    """kept, undecided (kept as well, but lips and sound could not be compared) or rejected, with reasons."""

    status: str
    reasons: tuple[str, ...] = ()

    @property
    def keeps(self) -> bool:
        return self.status != REJECTED


class Rule(NamedTuple):
    """A measured value, the threshold it must not cross, and what to say when it does."""

    name: str
    threshold: str  # a field of Filters; min_... and max_...
    sentence: str


RULES = (
    Rule("face", "min_face", "the face is {value:.0f} pixels high, less than {limit:g}"),
    Rule("other_face", "max_other_face", "another face is in the picture, {value:.0%} of this one's height"),
    Rule("padding", "max_padding", "{value:.0%} of the crop lies outside the picture"),
    Rule("camera", "max_camera", "the camera moves by {value:.0%} of the picture per second"),
    Rule("found", "min_found", "landmarks were found in only {value:.0%} of the frames"),
    Rule("yaw", "max_yaw", "the head turns {value:.0f} degrees aside"),
    Rule("pitch", "max_pitch", "the head nods by {value:.0f} degrees"),
    Rule("roll", "max_roll", "the head lies on its side or upside down, by {value:.0f} degrees"),
    Rule("speed", "max_speed", "the face moves by {value:.1f} times its height per second"),
    Rule("jump", "max_jump", "the face jumps by {value:.0%} of its height between two frames"),
    Rule("travel", "max_travel", "the face travels {value:.1f} times its height"),
    Rule("sharpness", "min_sharpness", "the face is blurred (sharpness {value:.2f}, less than {limit:g})"),
)


def judge(measured: Measured, filters: Filters) -> Verdict:
    """The verdict on one clip. Values that are unknown or not yet measured speak neither for nor against it."""
    reasons = [
        rule.sentence.format(value=value, limit=limit)
        for rule in RULES
        if (value := measured.get(rule.name)) is not None and math.isfinite(value)
        if _crosses(value, limit := getattr(filters, rule.threshold), rule.threshold)
    ]
    against, unclear = lip_audio(measured, filters) if "seconds" in measured else ((), ())
    if reasons or against:
        return Verdict(REJECTED, (*reasons, *against))
    return Verdict(UNDECIDED, unclear) if unclear else Verdict(KEPT)


def lip_audio(measured: Measured, filters: Filters) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Reasons against the clip, and reasons why lips and sound could not be compared."""
    seconds, sound = measured.get("seconds") or 0.0, measured.get("sound")
    if not sound:
        if sound is not None and filters.sound == "required":
            return ("it has no sound track, so there is nothing for the lips to follow",), ()
        return (), ("it has no sound track",)
    if not filters.lip_audio or "speech" not in measured:
        return (), ()
    speech, mouth = measured.get("speech") or 0.0, measured.get("mouth") or 0.0
    r, lag = measured.get("sync_r"), measured.get("sync_lag_ms")
    if speech < filters.sync_speech:
        return (), (f"speech is heard in only {speech:.0%} of the time",)
    if seconds < filters.sync_seconds:
        return (), (f"{seconds:.1f} s are too short to compare lips and sound (needs {filters.sync_seconds:g})",)
    if mouth < filters.sync_mouth or r is None or lag is None:
        return (), ("the lips hardly move",)
    least = filters.sync_factor / math.sqrt(seconds)
    if abs(lag) > filters.sync_lag_ms and (measured.get("sync_best") or 0.0) > least:
        side = "late" if lag > 0 else "early"
        return (f"the sound comes {abs(lag):.0f} ms {side}, more than {filters.sync_lag_ms}",), ()
    if r <= least:
        return (f"lips and sound do not agree (correlation {r:.2f}, needs {least:.2f})",), ()
    return (), ()


def _crosses(value: float, limit: float, threshold: str) -> bool:
    return value < limit if threshold.startswith("min_") else value > limit
