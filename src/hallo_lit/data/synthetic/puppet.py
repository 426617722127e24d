"""Animates one still portrait by warping a mesh over its landmarks; the inside of the mouth is painted.

Works on photographs, paintings and drawings alike. For demonstrations and evaluation: one picture is one identity.
"""

from __future__ import annotations

import cv2
import numpy as np

from hallo_lit.data.synthetic.controls import Controls
from hallo_lit.data.synthetic.landmarks import EYE_LOWER, EYE_UPPER, INNER_LOWER, INNER_UPPER, OVAL
from hallo_lit.data.synthetic.paint import Array, Patch, Pixels, Points, blend, smoothstep
from hallo_lit.data.synthetic.puppet_paint import Tone, paint_inside, paint_lid
from hallo_lit.errors import UserError

MESH = 468  # landmarks that carry the mesh; irises ride along
RINGS = ((1.22, 0.85), (1.5, 0.6), (1.9, 0.3))  # distance from the face, share of its motion
MAX_GAP = 0.26  # lip gap at open = 1 over the distance of the outer eye corners
UPPER, LOWER = list(INNER_UPPER), list(INNER_LOWER)


class Puppet:
    """The portrait `image` (H, W, 3) uint8 with `landmarks` (478, 2 or 3) in its pixels; z may be missing.

    Raises:
        UserError: the picture is not RGB, or the landmarks do not span a face inside it.
    """

    def __init__(self, image: Pixels, landmarks: Points) -> None:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise UserError(
                f"puppet: a picture of {image.dtype} {image.shape} cannot be animated; give (height, width, 3) uint8, "
                "as `hallo_lit.media.image.read_image` does."
            )
        points = np.asarray(landmarks, float)
        if points.ndim != 2 or points.shape[0] != 478 or points.shape[1] not in (2, 3):
            raise UserError(f"puppet: landmarks of shape {points.shape} are no face; give (478, 2) or (478, 3) pixels.")
        self.image = np.ascontiguousarray(image)
        height, width = image.shape[:2]
        corners = points[263, :2] - points[33, :2]
        self.yard = float(np.hypot(*corners))
        if not np.isfinite(points).all() or self.yard < 12:
            raise UserError("puppet: the landmarks do not describe a face of at least 12 pixels between the eyes.")
        if (points[:, :2].max(0) < 0).any() or (points[:, :2].min(0) > (width, height)).any():
            raise UserError("puppet: the landmarks lie outside the picture.")
        axis = corners / self.yard
        self.axes = np.array([axis, (-axis[1], axis[0])])
        self.origin = (points[33, :2] + points[263, :2]) / 2
        self.source = points[:MESH, :2]
        self.local = (self.source - self.origin) @ self.axes.T / self.yard
        z = -points[:MESH, 2] / self.yard if points.shape[1] > 2 else self._guess_depth()
        # a rim behind its own mean would turn against the background it borders on, and fold the triangles between
        self.depth = np.maximum(z - z[list(OVAL)].mean(), 0)
        self._closed = self._close()
        self._rings, self._share = self._surround(width, height)
        self._all = np.concatenate([self.source, self._rings, _border(width, height)])
        self._triangles = self._triangulate(width, height)
        self._tone = Tone.of(self.image, self.source[[*UPPER, *LOWER[::-1]]])

    def _guess_depth(self) -> Points:
        """A half ball for landmarks without z."""
        away = (self.local - (0, 0.45)) / (0.85, 1.25)
        return 0.8 * np.sqrt(np.clip(1 - (away**2).sum(1), 0, 1))

    def _lip_line(self, x: Points) -> tuple[Points, Points]:
        """(middle, gap) of the inner lips at local x; no gap beyond the corners."""
        order = np.argsort(self.local[UPPER, 0])
        at = self.local[UPPER, 0][order]
        top, bottom = self.local[UPPER, 1][order], self.local[LOWER, 1][order]
        return np.interp(x, at, 0.55 * top + 0.45 * bottom), np.interp(x, at, bottom - top, 0, 0)

    def _close(self) -> Points:
        """Local positions with the mouth shut, whatever it does in the picture."""
        x, y = self.local.T
        self.half = abs(self.local[308, 0] - self.local[78, 0]) / 2
        self.centre = float((self.local[78, 0] + self.local[308, 0]) / 2)
        middle, gap = self._lip_line(x)
        below = y > middle
        below[UPPER], below[LOWER] = False, True
        below[[78, 308]] = False
        self._below = below
        reach = np.where(below, 1 - smoothstep(0, 0.55, y - middle - 0.5 * gap), 1 - smoothstep(0, 0.18, middle - y))
        shut = self.local.copy()
        near = np.abs(x - self.centre) < 1.6 * self.half
        shut[:, 1] += np.where(below, -0.45, 0.55) * gap * reach * near
        line, _ = self._lip_line(self.local[UPPER, 0])
        shut[UPPER, 1], shut[LOWER, 1] = line, line
        return shut

    def _surround(self, width: int, height: int) -> tuple[Points, Points]:
        """Rings of points outside the face, and how much of the motion of the nearest outline point each takes."""
        oval = self.source[list(OVAL)]
        middle = oval.mean(0)
        rings = np.concatenate([middle + (oval - middle) * k for k, _ in RINGS])
        share = np.repeat([s for _, s in RINGS], len(oval))
        inside = ((rings > 4) & (rings < (width - 5, height - 5))).all(1)
        return rings[inside], share[inside]

    def _triangulate(self, width: int, height: int) -> Points:
        mesh = cv2.Subdiv2D((-2, -2, width + 4, height + 4))
        index: dict[tuple[float, float], int] = {}
        for k, (x, y) in enumerate(self._all.tolist()):
            if -1 < x < width and -1 < y < height:
                mesh.insert((x, y))
                index[float(np.float32(x)), float(np.float32(y))] = k
        lips = {*UPPER, *LOWER}
        found = []
        for t in mesh.getTriangleList():
            corners = [index.get((float(t[2 * k]), float(t[2 * k + 1]))) for k in range(3)]
            if None not in corners and not lips.issuperset(corners):  # inside the lips is the mouth
                found.append(corners)
        return np.array(found, np.int64)

    def target(self, controls: Controls) -> Points:
        """(468, 2) pixels where the mesh goes; tx, ty count in hundredths of the eye distance, scale works too."""
        c = controls
        moved = self._closed.copy()
        x = moved[:, 0] - self.centre
        middle, _ = self._lip_line(moved[:, 0])
        down = moved[:, 1] - middle
        gap = c.open * MAX_GAP * (1 - 0.12 * c.round)
        inward = np.clip(np.abs(x) / self.half, 0, 1)
        arch = 1 - inward**2.2
        jaw = 1 - 0.55 * smoothstep(0.45, 1.05, np.abs(x))
        deep = smoothstep(0, 0.45, down)
        near = np.where(np.abs(x) < self.half, arch, 0)
        drop = gap * (0.86 * near * (1 - deep) + 0.75 * jaw * deep)
        rise = -0.14 * gap * near * (1 - smoothstep(0, 0.2, -down))
        dy = np.where(self._below, drop, rise)
        dy[LOWER], dy[UPPER] = 0.86 * gap * arch[LOWER], -0.14 * gap * arch[UPPER]
        lips = np.exp(-((down / 0.28) ** 2)) * np.exp(-((np.maximum(np.abs(x) - 1.1 * self.half, 0) / 0.22) ** 2))
        moved[:, 0] += np.clip(x, -1.1 * self.half, 1.1 * self.half) * (0.18 * c.width - 0.34 * c.round) * lips
        moved[:, 1] += dy + down * lips * (0.12 * c.round - 0.30 * c.press) * (np.abs(down) < 0.2)
        moved[:, 1] -= 0.02 * c.tuck * near * self._below * (1 - deep)
        for side in (0, 1):
            self._blink(moved, side, float(np.clip(c.blink, 0, 1)))
        brows = np.exp(-(((np.abs(self.local[:, 0]) - 0.3) / 0.36) ** 2) - ((self.local[:, 1] + 0.22) / 0.15) ** 2)
        moved[:, 1] -= 0.06 * c.brow * brows
        return self._pose(moved, c)

    def _blink(self, moved: Points, side: int, blink: float) -> None:
        """The upper lid falls; the skin above it follows less and less."""
        upper, lower = self.local[list(EYE_UPPER[side])], self.local[list(EYE_LOWER[side])]
        x, y = self.local.T
        order, under = np.argsort(upper[:, 0]), np.argsort(lower[:, 0])
        lid = np.interp(x, upper[order, 0], upper[order, 1])
        height = np.interp(x, lower[under, 0], lower[under, 1]) - lid
        over = (x > upper[:, 0].min()) & (x < upper[:, 0].max()) & (y <= lid + 1e-4)
        moved[:, 1] += np.where(over, 0.93 * blink * height * np.exp(-(((lid - y) / 0.06) ** 2)), 0)

    def _pose(self, local: Points, c: Controls) -> Points:
        yaw, pitch, roll = np.deg2rad([c.yaw, c.pitch, c.roll])
        pivot = np.array([0.0, 1.1])
        x, y = (local - pivot).T
        z = self.depth
        x, z = x * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - x * np.sin(yaw)
        y = y * np.cos(pitch) + z * np.sin(pitch)
        x, y = x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll)
        turned = np.stack([x, y], 1) * c.scale + pivot + np.array([c.tx, c.ty]) / 100
        return (turned * self.yard) @ self.axes + self.origin

    def render(self, controls: Controls) -> Pixels:
        """The portrait with these controls, as large as it was."""
        height, width = self.image.shape[:2]
        mesh, awake = self.target(controls), self.target(controls._replace(blink=0.0))
        maps = self._maps(self._placed(awake, controls), width, height)  # lids are painted: pulling smears the brows
        out = cv2.remap(self.image, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        picture = out.astype(np.float32)
        self._mouth(picture, mesh, controls)
        for side in (0, 1) if controls.blink > 0.03 else ():
            rows = list(EYE_UPPER[side]), list(EYE_LOWER[side])
            paint_lid(picture, awake[rows[0]], mesh[rows[0]], awake[rows[1]], self.yard, min(controls.blink, 1.0))
        return np.clip(np.round(picture), 0, 255).astype(np.uint8)

    def _placed(self, mesh: Points, controls: Controls) -> Points:
        """Where the mesh and all points around it go, in the order of the triangles' corners."""
        posed = Controls(**{k: getattr(controls, k) for k in ("yaw", "pitch", "roll", "tx", "ty", "scale")})
        shift = self._pose(self.local, posed)[list(OVAL)] - self.source[list(OVAL)]
        away = np.linalg.norm(self._rings[:, None] - self.source[list(OVAL)][None], axis=2).argmin(1)
        placed = self._all.copy()
        placed[:MESH] = mesh
        placed[MESH : MESH + len(self._rings)] += shift[away] * self._share[:, None]
        return placed

    def _maps(self, placed: Points, width: int, height: int) -> Array:
        """(H, W, 2) source coordinates, affine within every triangle."""
        corners = placed[self._triangles]
        system = np.concatenate([corners, np.ones((len(corners), 3, 1))], 2)
        before = self._all[self._triangles]
        turned = np.sign(_areas(corners)) != np.sign(_areas(before))  # seen from behind: others cover it
        solvable = (np.abs(np.linalg.det(system)) > 1e-3) & ~turned
        affine = np.zeros((len(corners), 3, 2))
        affine[solvable] = np.linalg.solve(system[solvable], before[solvable])
        which = np.full((height, width), -1, np.int32)
        fixed = np.round(corners * 16).astype(np.int32)
        depth = np.concatenate([self.depth, np.full(len(self._all) - MESH, self.depth.min() - 1)])
        for k in np.argsort(depth[self._triangles].mean(1)).tolist():  # near ones cover far ones
            if not solvable[k]:
                continue
            cv2.fillConvexPoly(which, fixed[k], (k,), 8, 4)
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
        own = affine.astype(np.float32)[np.maximum(which, 0)]
        maps = columns[..., None] * own[..., 0, :] + rows[..., None] * own[..., 1, :] + own[..., 2, :]
        maps[which < 0] = np.stack([columns, rows], 2)[which < 0]
        return maps

    def _mouth(self, picture: Array, mesh: Points, controls: Controls) -> None:
        ring = mesh[[*UPPER, *LOWER[::-1]]]
        (left, top), (right, bottom) = np.floor(ring.min(0) - 6), np.ceil(ring.max(0) + 6)
        height, width = picture.shape[:2]
        x0, y0, x1, y1 = int(max(left, 0)), int(max(top, 0)), int(min(right, width)), int(min(bottom, height))
        if x1 - x0 < 4 or y1 - y0 < 4:
            return
        patch = Patch(x0, y0, x1 - x0, y1 - y0, 1.0)
        view = picture[y0:y1, x0:x1]
        gap = float(np.linalg.norm(mesh[13] - mesh[14]))
        if gap < 0.006 * self.yard:
            view *= 1 - 0.35 * patch.stroke(mesh[UPPER], max(1.0, 0.012 * self.yard), 0.004 * self.yard)[..., None]
            return
        inside = paint_inside(patch, mesh, self.yard, controls, self._tone)
        blend(view, patch.polygon(ring, 0.005 * self.yard), inside)


def _areas(corners: Points) -> Points:
    """Twice the signed areas of triangles (n, 3, 2)."""
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


def _border(width: int, height: int, steps: int = 9) -> Points:
    across, down = np.linspace(0, width - 1, steps), np.linspace(0, height - 1, steps)
    sides = [(x, y) for x in across for y in (0, height - 1)] + [(x, y) for y in down[1:-1] for x in (0, width - 1)]
    return np.array(sides, float)
