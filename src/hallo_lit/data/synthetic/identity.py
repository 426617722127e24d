"""Who the person is: every number a face is drawn from, as a function of one seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

SKIN = (
    (238, 206, 186),
    (233, 195, 170),
    (226, 184, 154),
    (222, 176, 142),
    (206, 156, 118),
    (184, 132, 94),
    (156, 106, 72),
    (124, 80, 54),
    (96, 60, 42),
)
HAIR = {
    "black": (24, 20, 20),
    "dark brown": (50, 34, 26),
    "brown": (86, 56, 36),
    "chestnut": (112, 64, 38),
    "auburn": (136, 62, 32),
    "blond": (190, 146, 88),
    "fair": (214, 182, 128),
    "grey": (142, 140, 140),
    "white": (212, 210, 208),
}
EYES = ((62, 38, 22), (88, 58, 32), (112, 84, 48), (92, 112, 74), (84, 124, 152), (112, 134, 146))
FEMALE_STYLES = ("long", "long", "wavy", "wavy", "bob", "fringe", "updo", "bun", "curly", "pixie")
MALE_STYLES = ("short", "short", "swept", "swept", "crop", "crop", "buzz", "curly", "bald")
CLOTHES = (
    (36, 48, 74), (88, 30, 38), (52, 74, 62), (196, 190, 180), (40, 40, 44), (128, 92, 66), (72, 98, 130),
    (150, 66, 58), (206, 164, 92), (98, 84, 112), (222, 222, 224), (58, 96, 96),
)  # fmt: skip
BACKGROUNDS = (
    (118, 132, 146), (150, 142, 132), (96, 116, 112), (172, 164, 158), (84, 92, 110), (140, 122, 116),
    (108, 124, 138), (158, 150, 158), (70, 84, 88), (182, 176, 164),
)  # fmt: skip


@dataclass(frozen=True)
class Identity:
    """Proportions in head units (see paint), colours as sRGB triples, strengths in 0..1."""

    seed: int
    female: bool
    age: float  # years
    skin: tuple[float, ...]
    hair: tuple[float, ...]
    iris: tuple[float, ...]
    lips: tuple[float, ...]
    cloth: tuple[float, ...]
    backdrop: tuple[float, ...]
    style: str  # of the hair
    garment: str
    half_width: float
    top: float
    chin: float
    jaw: float  # half width at the level of the mouth over half_width
    chin_width: float
    eye_y: float
    eye_dx: float
    eye_half: float
    eye_open: float
    eye_tilt: float
    fold: float  # distance of the lid crease from the lid
    brow_gap: float
    brow_thick: float
    brow_arch: float
    nose_y: float  # the base of the nose
    nose_half: float
    nose_depth: float
    mouth_y: float
    mouth_half: float
    upper_lip: float
    lower_lip: float
    cheek: float
    content: float  # how far the corners of the resting mouth are raised, units
    neck: float
    hairline: float
    volume: float
    parting: float
    stubble: float
    beard: float
    blush: float
    makeup: float
    freckles: float
    key: tuple[float, float, float]

    CENTRE: ClassVar[float] = 256.0

    @property
    def wrinkles(self) -> float:
        """0 until 28 years, 1 at 75."""
        return float(np.clip((self.age - 28) / 47, 0, 1))

    @property
    def brow_y(self) -> float:
        return self.eye_y - self.brow_gap

    @property
    def eye_distance(self) -> float:
        """Between the outer eye corners, the yardstick of the landmark measures."""
        return 2 * (self.eye_dx + self.eye_half)


def _choice(rng: np.random.Generator, values: tuple) -> tuple | str:
    return values[int(rng.integers(len(values)))]


def _hair_colour(rng: np.random.Generator, tone: int, age: float) -> tuple[float, ...]:
    light_skin = ("dark brown", "brown", "chestnut", "auburn", "blond", "fair", "black", "brown")
    name = str(_choice(rng, light_skin if tone < 4 else ("black", "black", "dark brown", "dark brown", "brown")))
    colour = np.array(HAIR[name], float) * rng.uniform(0.85, 1.12)
    grey = float(np.clip((age - 42) / 26 + rng.uniform(-0.35, 0.25), 0, 1))
    ash = np.array(HAIR["white" if age > 66 else "grey"], float)
    return tuple((colour + grey * (ash - colour)).tolist())


def draw_identity(seed: int) -> Identity:
    """The person of this seed; equal seeds give equal people on every machine."""
    rng = np.random.default_rng([seed, 7001])
    u = rng.uniform
    female = bool(rng.random() < 0.5)
    age = float(np.clip(rng.gamma(4.2, 9.0), 18, 78))
    tone = int(rng.integers(len(SKIN)))
    skin = np.array(SKIN[tone], float) * u(0.96, 1.03)
    f = 1.0 if female else 0.0
    half_width, chin, eye_y = u(101, 109) + 3 * (1 - f), u(390, 400) + 6 * (1 - f), u(238, 245)
    nose_y = eye_y + u(63, 71)
    lips = skin * np.array([u(0.86, 0.94), u(0.56, 0.66), u(0.58, 0.68)])
    makeup = f * float(rng.random() < 0.6) * u(0.3, 1.0)
    if makeup:
        lips += 0.45 * makeup * (np.array([u(150, 186), u(44, 84), u(58, 92)]) * (0.6 + 0.4 * skin[0] / 240) - lips)
    style = str(_choice(rng, FEMALE_STYLES if female else MALE_STYLES))
    hair = _hair_colour(rng, tone, age)
    if not female and age > 55 and rng.random() < 0.35:
        style = "bald"
    light_eyes = tone < 4 and sum(hair) > 110
    iris = EYES[int(rng.integers(len(EYES) if light_eyes else 3))]
    key = np.array([u(0.35, 0.75) * rng.choice([-1, 1]), u(-0.7, -0.4), 1.0])
    beard = (1 - f) * float(rng.random() < 0.3) * u(0.6, 1.0)
    return Identity(
        seed=seed,
        female=female,
        age=age,
        skin=tuple(skin.tolist()),
        hair=hair,
        iris=iris,
        lips=tuple(lips.tolist()),
        cloth=tuple(np.array(_choice(rng, CLOTHES), float) * u(0.85, 1.1)),
        backdrop=tuple(np.array(_choice(rng, BACKGROUNDS), float) * u(0.8, 1.1)),
        style=style,
        garment=str(_choice(rng, ("crew", "vee", "shirt", "jacket", "roll"))),
        half_width=half_width,
        top=u(88, 96),
        chin=chin,
        jaw=u(0.71, 0.77) + 0.06 * (1 - f),
        chin_width=u(0.29, 0.35) + 0.06 * (1 - f),
        eye_y=eye_y,
        eye_dx=u(45, 49),
        eye_half=u(22, 24) + 0.8 * f,
        eye_open=u(0.85, 1.08) + 0.08 * f,
        eye_tilt=u(0.02, 0.12) + 0.02 * f,
        fold=u(3.2, 6.5),
        brow_gap=u(27, 31) + 2 * f,
        brow_thick=u(5.5, 8) - 1.6 * f + 1.5 * (1 - f),
        brow_arch=u(2, 5) + 2.5 * f,
        nose_y=nose_y,
        nose_half=u(16, 22) - 1.5 * f,
        nose_depth=u(0.85, 1.2),
        mouth_y=nose_y + u(33, 39),
        mouth_half=u(35, 41),
        upper_lip=u(7, 10) + 1.5 * f,
        lower_lip=u(9.5, 13) + 1.5 * f,
        cheek=u(0.7, 1.3),
        content=u(1.8, 4.6),
        neck=u(0.60, 0.66) - 0.08 * f,
        hairline=u(132, 148) + (14 - 0.5 * min(age, 60)) * (1 - f) * 0.5,
        volume=u(10, 20),
        parting=u(-0.35, 0.35),
        stubble=(1 - f) * float(rng.random() < 0.55) * u(0.25, 0.8) if beard == 0 else 0.0,
        beard=beard,
        blush=u(0.3, 0.8) + 0.3 * f,
        makeup=makeup,
        freckles=float(tone < 3 and rng.random() < 0.3) * u(0.4, 1.0),
        key=tuple((key / np.linalg.norm(key)).tolist()),
    )
