from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from hallo_lit.weights.matching import Networks, match

from .foreign import BY_NAME


def test_a_key_of_no_part_is_unexpected(published: Mapping[str, dict[str, Tensor]], networks: Networks) -> None:
    state = {**published["hallo"], "text_encoder.weight": torch.rand(1), "imageproj.extra": torch.rand(1)}
    report = match(BY_NAME["hallo"], state, networks).report(networks)
    assert report.unexpected == ["text_encoder.weight", "imageproj.extra"]
    assert not report.missing


def test_parts_this_model_does_without_are_told(published: Mapping[str, dict[str, Tensor]], networks: Networks) -> None:
    small = {name: keys for name, keys in networks.items() if name != "audio_projection"}
    made = match(BY_NAME["hallo"], published["hallo"], small)
    assert made.absent == ["audio_projection"]
    assert made.report(small).fits


def test_one_file_may_fill_two_parts(published: Mapping[str, dict[str, Tensor]], networks: Networks) -> None:
    made = match(BY_NAME["sd15-unet"], published["sd15-unet"], networks)
    assert made.parts["reference_net"].state["conv_in.bias"] is made.parts["denoiser"].state["conv_in.bias"]
    assert not made.dropped  # what the ReferenceNet does without, the denoiser takes
    assert made.report(networks, complete=False).fits
    lost = made.report(networks).missing
    assert lost
    assert all(".audio." in name or ".temporal." in name for name in lost)


def test_reports_speak_of_the_files_own_names(published: Mapping[str, dict[str, Tensor]], networks: Networks) -> None:
    state = {**published["hallo"], "denoising_unet.conv_in.bias": torch.rand(7)}
    report = match(BY_NAME["hallo"], state, networks).report(networks)
    assert [str(item) for item in report.misshapen] == ["denoising_unet.conv_in.bias is 7 instead of 8"]
