"""One person in front of a camera: paints the still parts once, then a frame per set of controls."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from hallo_lit.data.synthetic.body import paint_body
from hallo_lit.data.synthetic.controls import Controls
from hallo_lit.data.synthetic.eyes import draw_eye
from hallo_lit.data.synthetic.geometry import pose_depth
from hallo_lit.data.synthetic.hair import Layer, cast_shadow, paint_back_hair, paint_hair
from hallo_lit.data.synthetic.identity import Identity
from hallo_lit.data.synthetic.landmarks import picture_landmarks
from hallo_lit.data.synthetic.mouth import draw_mouth, mouth_box, shape
from hallo_lit.data.synthetic.paint import Array, Lighting, Patch, Pixels, Points, rgb
from hallo_lit.data.synthetic.scene import paint_wall
from hallo_lit.data.synthetic.skin import lid_box, paint_face
from hallo_lit.data.synthetic.warp import Camera, Pose, warp_maps

BACK_HAIR_DEPTH = -50.0


@dataclass(frozen=True)
class Sheet:
    """A premultiplied 8-bit layer with the patch it lies on."""

    rgba: Pixels
    patch: Patch

    @classmethod
    def of(cls, layer: Layer, patch: Patch) -> Sheet:
        return cls(premultiplied(layer.colour, layer.alpha), patch)

    def to_camera(self, plane: Points, camera: Camera) -> Points:
        """(2, 3) affine from pixels of this sheet to pixel centres of the picture, `plane` in between."""
        inward = np.array([[1, 0, 0.5], [0, 1, 0.5]]) / self.patch.detail + [
            [0, 0, self.patch.left],
            [0, 0, self.patch.top],
        ]
        k = camera.per_unit
        shift = np.array(camera.centre) * k - camera.size / 2 + 0.5
        outward = np.array([[k, 0, -shift[0]], [0, k, -shift[1]]])
        square = np.eye(3)
        total = outward @ np.vstack([plane, square[2]]) @ np.vstack([inward, square[2]])
        return np.asarray(total, np.float64)


def premultiplied(colour: Array, alpha: Array) -> Pixels:
    """(H, W, 4) uint8 of colour 0..255 and alpha 0..1."""
    rgb = np.clip(colour, 0, 255) * alpha[..., None]
    return np.round(np.dstack([rgb, alpha * 255])).astype(np.uint8)


def lay(sheet: Pixels, below: Pixels) -> Pixels:
    """Premultiplied (H, W, 4) over opaque (H, W, 3)."""
    veil = cv2.cvtColor(255 - sheet[..., 3], cv2.COLOR_GRAY2RGB)
    return cv2.add(cv2.multiply(below, veil, scale=1 / 255), cv2.cvtColor(sheet, cv2.COLOR_RGBA2RGB))


class Actor:
    """Renders `who` as square pictures of `size` pixels.

    Frames up to 256 pixels are drawn at twice their size and averaged down. Nothing is random after construction:
    equal controls give equal bytes.
    """

    def __init__(
        self, who: Identity, size: int = 256, zoom: float = 1.12, centre: tuple[float, float] = (256.0, 272.0)
    ) -> None:
        self.who, self.size = who, size
        self.shrink = 2 if size <= 256 else 1
        self.camera = Camera(size * self.shrink, zoom, centre)
        detail = float(np.clip(round(self.camera.per_unit * 4) / 4, 0.5, 3.0))
        self.light = Lighting(who.key)
        self.pivot = (who.CENTRE, who.chin + 6)
        patch = Patch.around((44, 4, 468, 592), detail)
        self.patch = patch
        face = paint_face(who, patch, self.light)
        hair = paint_hair(who, patch, self.light)
        shadow = cast_shadow(hair, patch, self.light)[..., None] * rgb(0.86, 1.0, 1.04)
        self._skin = np.clip(face.colour * (1 - shadow), 0, 255).astype(np.float32)
        self._skin_alpha, self._skin_light = face.alpha, face.light * (1 - 0.6 * shadow)
        self._hair = hair
        self._depth_patch = Patch.around((44, 4, 468, 592), 0.5)
        self._depth = pose_depth(who, self._depth_patch)
        box = (who.CENTRE - who.half_width - 10, who.brow_y - 34, who.CENTRE + who.half_width + 10, who.chin + 40)
        self._face_patch, *self._face_cut = patch.cut(box)
        self._head = premultiplied(*self._under_hair(self._skin, self._skin_alpha, (slice(None), slice(None))))
        body_patch = Patch.around((-120, who.eye_y + 40, 632, 760), min(detail, 2.0))
        self._body = Sheet.of(paint_body(who, body_patch, self.light), body_patch)
        back = paint_back_hair(who, patch, self.light)
        self._back = None if back is None else Sheet.of(back, patch)
        self._wall = np.clip(paint_wall(who, self.camera.size), 0, 255).astype(np.uint8)

    def _under_hair(self, skin: Array, alpha: Array, cut: tuple[slice, slice]) -> tuple[Array, Array]:
        over = self._hair.alpha[cut]
        total = over + alpha * (1 - over)
        weight = (over / np.maximum(total, 1e-4))[..., None]
        return skin + weight * (self._hair.colour[cut] - skin), total

    def _face(self, controls: Controls) -> Pixels:
        """The head sheet with its mobile part drawn for these controls."""
        rows, columns = self._face_cut
        mouth = shape(self.who, controls)
        maps = warp_maps(self.who, self._face_patch, controls, mouth)
        skin = cv2.remap(self._skin[rows, columns], *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.remap(self._skin_alpha[rows, columns], *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        light = self._skin_light[rows, columns]
        part, r, c = self._face_patch.cut(mouth_box(self.who))
        draw_mouth(self.who, part, skin[r, c], controls, self.light, light[r, c])
        for side in (-1, 1):
            part, r, c = self._face_patch.cut(lid_box(self.who, side))
            draw_eye(self.who, part, skin[r, c], side, controls, self.light, light[r, c])
        head = self._head.copy()
        head[rows, columns] = premultiplied(*self._under_hair(skin, alpha, (rows, columns)))
        return head

    def render(self, controls: Controls) -> Pixels:
        """(size, size, 3) uint8 RGB."""
        camera, pose = self.camera, Pose(self.pivot, controls)
        n = (camera.size, camera.size)
        picture = self._wall
        if self._back is not None:
            matrix = self._back.to_camera(pose.plane_matrix(BACK_HAIR_DEPTH), camera)
            picture = lay(cv2.warpAffine(self._back.rgba, matrix, n), picture)
        sway = Controls(
            tx=0.35 * controls.tx, ty=0.35 * controls.ty, roll=0.12 * controls.roll, scale=controls.scale**0.5
        )
        matrix = self._body.to_camera(Pose((self.who.CENTRE, self.who.chin + 160), sway).plane_matrix(34.0), camera)
        picture = lay(cv2.warpAffine(self._body.rgba, matrix, n), picture)
        head = cv2.remap(self._face(controls), *self._head_maps(pose), cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        picture = lay(head, picture)
        if self.shrink > 1:
            return np.asarray(cv2.resize(picture, (self.size, self.size), interpolation=cv2.INTER_AREA), np.uint8)
        return np.asarray(picture, np.uint8)

    def landmarks(self, controls: Controls) -> Points:
        """(478, 3) true landmarks in pixels of the picture that `render` makes; see landmarks.EXACT."""
        camera = replace(self.camera, size=self.size)
        pose = Pose(self.pivot, controls)
        return picture_landmarks(self.who, controls, pose, self._depth, self._depth_patch, camera)

    def _head_maps(self, pose: Pose) -> tuple[Array, Array]:
        step = 4
        coarse = -(-self.camera.size // step)
        centres = (np.arange(coarse, dtype=np.float32) + 0.5) * step
        x, y = self.camera.plane(centres[None].repeat(coarse, 0), centres[:, None].repeat(coarse, 1))
        x, y = pose.inverse(x, y, self._depth, self._depth_patch)
        full, n, p = (coarse * step,) * 2, self.camera.size, self.patch
        columns = (x - np.float32(p.left)) * np.float32(p.detail) - np.float32(0.5)
        rows = (y - np.float32(p.top)) * np.float32(p.detail) - np.float32(0.5)
        return cv2.resize(columns, full)[:n, :n], cv2.resize(rows, full)[:n, :n]
