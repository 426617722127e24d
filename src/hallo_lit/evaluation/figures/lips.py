"""Lip opening over time, generated against real, above the loudness of the speech."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hallo_lit.evaluation.figures.base import Figure, Painting
from hallo_lit.evaluation.figures.film import Film
from hallo_lit.evaluation.figures.plots import axes_on, pixels
from hallo_lit.evaluation.figures.scene import Scene
from hallo_lit.metrics.aperture import correlation, loudness
from hallo_lit.metrics.video import FPS, Unmeasurable, Video
from hallo_lit.signals.lip_audio import openings

Curve = NDArray[np.float64]
COLOURS = {"generated": "tab:red", "real": "black"}


class LipCurves(Figure):
    """Opening in eye distances, found by MediaPipe in the generated and, where there is one, in the real video."""

    name: ClassVar[str] = "lips"

    def paint(self, scene: Scene) -> Painting:
        films = {"generated": scene.usual, "real": scene.filmed()}
        curves = {name: opening(film) for name, film in films.items() if film is not None}
        found = {name: curve for name, curve in curves.items() if curve is not None}
        loud = loudness(scene.wave, scene.frames)
        time = np.arange(scene.frames) / FPS
        figure, (upper, lower) = axes_on(2, (9.6, 4.4), heights=(2, 1))
        for name, curve in found.items():
            upper.plot(time[: len(curve)], curve, label=name, color=COLOURS[name], lw=1.6)
        upper.set(ylabel="lip opening\n(eye distances)", ylim=(0, None))
        if found:
            upper.legend(loc="lower right", bbox_to_anchor=(1, 0.98), ncols=2, frameon=False)  # above the curves
        else:
            upper.text(0.5, 0.5, "no face found in any frame", transform=upper.transAxes, ha="center", va="center")
        lower.fill_between(time, loud, color="tab:blue", alpha=0.4, lw=0)
        lower.set(xlabel="seconds", ylabel="loudness", xlim=(0, time[-1] if len(time) > 1 else 1), ylim=(0, None))
        numbers = _agreement(found, loud)
        missing = [name for name in curves if name not in found]
        return Painting(pixels(figure), _says(numbers, missing), numbers)


def opening(film: Film) -> Curve | None:
    """(F,) inner lip gap, NaN in frames without a face; None where no frame shows one."""
    try:
        return openings(Video.from_arrays("film", film.frames).landmarks).inner
    except Unmeasurable:
        return None


def _agreement(curves: dict[str, Curve], loud: Curve) -> dict[str, float]:
    numbers = {f"{name}_range": float(np.nanmax(curve) - np.nanmin(curve)) for name, curve in curves.items()}
    pairs = {f"{name}_and_loudness_r": (curve, loud) for name, curve in curves.items()}
    if len(curves) == 2:
        pairs["generated_and_real_r"] = (curves["generated"], curves["real"])
    for name, (a, b) in pairs.items():
        count = min(len(a), len(b))
        seen = np.isfinite(a[:count]) & np.isfinite(b[:count])
        if seen.sum() > 2:
            numbers[name] = correlation(a[:count][seen], b[:count][seen])
    return numbers


def _says(numbers: dict[str, float], missing: list[str]) -> str:
    says = ["Opening of the lips over time and loudness of the speech."]
    if "generated_and_real_r" in numbers:
        says.append(f"Generated and real opening correlate with r = {numbers['generated_and_real_r']:.2f}.")
    told = [f"the {n} opening with r = {numbers[k]:.2f}" for n in COLOURS if (k := f"{n}_and_loudness_r") in numbers]
    if told:
        says.append(f"Loudness correlates with {' and '.join(told)}.")
    says += [f"MediaPipe finds no face in the {name} video, so it has no curve." for name in missing]
    return " ".join(says)
