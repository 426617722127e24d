from __future__ import annotations

import yaml

from hallo_lit.weights.card import licences_text, model_card
from hallo_lit.weights.known import KNOWN
from hallo_lit.weights.licences import LICENCES, describe


def test_the_card_names_every_part_and_input() -> None:
    card = model_card("talk", {"denoiser": 2_500_000}, {"denoiser": ("hallo", "sd15-unet")}, {"net.pth": "0" * 64})
    front = yaml.safe_load(card.split("---")[1])
    assert front["license_link"] == "LICENSES"
    assert "| denoiser | 2.50 M | Hallo, Stable Diffusion 1.5 |" in card
    assert f"- `net.pth` SHA-256 `{'0' * 64}`" in card
    assert "Non-commercial" not in card


def test_a_restricted_part_is_told_at_the_top() -> None:
    card = model_card("talk", {"face_encoder.onnx": 0}, {"face_encoder": ("glintr100",)}, {})
    assert "Non-commercial research only" in card
    assert "Made from" not in card


def test_notes_stand_before_the_last_section() -> None:
    card = model_card("talk", {}, {}, {}, "## Training\n\nNine steps.\n")
    assert card.index("SHA256SUMS") < card.index("Nine steps.") < card.index("## Use")


def test_licences_part_by_part() -> None:
    text = licences_text({"denoiser": ("hallo", "sd15-unet"), "face_encoder": ("glintr100",)})
    assert text.index("denoiser") < text.index("CreativeML OpenRAIL-M") < text.index("face_encoder")
    assert "non-commercial research only" in text


def test_every_public_file_has_a_licence() -> None:
    assert all(item.licence in LICENCES for item in KNOWN)
    assert "unknown" in describe("something else")
