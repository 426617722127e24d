"""Cases 04 and 10: the sound, and the whole chain over consecutive clips."""

from __future__ import annotations

import numpy as np
import torch
from cases_masks import pyramid
from PIL import Image
from torch import Tensor
from vector_nets import PRECISE, RELEASED, hallo
from vector_set import Case

from hallo_lit.animation.handover import PixelHandover
from hallo_lit.animation.video_generator import Recipe, VideoGenerator
from hallo_lit.components.audio_encoder.base import pad_to_clips, window
from hallo_lit.components.audio_encoder.frame_grid import to_frames
from hallo_lit.components.audio_encoder.loudness import Loudness
from hallo_lit.components.audio_encoder.wav2vec import Wav2Vec2
from hallo_lit.components.hallo import Quirks
from hallo_lit.diffusion.guidance import JointGuidance
from hallo_lit.diffusion.process import NoiseProcess
from hallo_lit.diffusion.sampler import Sampler
from hallo_lit.faces.regions import released_masks
from hallo_lit.structs import Portrait


def wav2vec(case: Case) -> None:
    wave, frames = case["waveform"][0], case.config["seq_len"]
    net = Wav2Vec2(case.config, case.state())
    case.check("conv_features", net.conv_features(wave)[None])
    case.check("conv_features_interpolated", interpolated(net, wave, frames)[None])
    states = net.hidden_states(wave, frames)
    for i, state in enumerate(states):
        case.check(f"hidden_states.{i}", state[None])
    case.check("last_hidden_state", states[-1][None])
    case.check("audio_emb", torch.stack(states[1:], 1))
    case.check("normalised_waveform", Loudness.of([wave]).standardise(wave))
    for name in ("preprocess_clip", "preprocess_noclip"):
        config = case.config[name]
        features = heard(net, wave, config["audio_length_frames"], config["clip_length"])
        case.check(f"{name}.audio_emb", features)
        case.check(f"{name}.windows", window(features))


def heard(net: Wav2Vec2, wave: Tensor, frames: int, clip_frames: int) -> Tensor:
    """Features (frames rounded up to whole clips, layers, width) by the original's own count of frames, which its
    floating-point arithmetic sometimes makes one larger than ours."""
    padded, frames = pad_to_clips(Loudness.of([wave]).standardise(wave), frames, clip_frames)
    return torch.stack(net.hidden_states(padded, frames)[1:], 1)


def interpolated(net: Wav2Vec2, wave: Tensor, frames: int) -> Tensor:
    features = net.conv_features(wave)
    return torch.cat(list(to_frames((features,), len(features), frames)))


def pipeline(case: Case) -> None:
    c = case.config
    audio = Wav2Vec2(case.vectors.config("case04"), case.state(key="wav2vec_state_dict"))
    features = heard(audio, case["waveform"], c["audio_length_frames"], c["n_sample_frames"])
    case.check("audio_emb", features)
    portrait = analysed(case)
    count = len({name.split(".")[1] for name in case.io if name.startswith("in.clip")})
    for quirks, suffix in ((RELEASED, ""), (PRECISE, "bank_fp32.")):
        generate(case, quirks, portrait, window(features), count, suffix)


def analysed(case: Case) -> Portrait:
    """The portrait as the original prepares it: squeezed to the model's size, masks from the picture as it came."""
    c, photo = case.config, case["source_image_uint8"].numpy()
    size = (c["width"], c["height"])
    made = released_masks(case["landmarks_f64"].numpy(), photo.shape[:2], c["face_expand_ratio"])
    pixels = torch.from_numpy(np.array(Image.fromarray(photo).resize(size, Image.Resampling.BILINEAR))).permute(2, 0, 1)
    locator = torch.from_numpy(np.array(Image.fromarray(made.locator).resize(size, Image.Resampling.BILINEAR)))
    case.check("pre.pixel_values_u8", pixels, 1.0)
    case.check("pre.face_region_u8", locator, 1.0)
    regions = torch.from_numpy(made.regions)
    for output, level in pyramid(regions, c["height"]).items():
        case.check(f"pre.{output}", level / 255.0, 1.01 / 255)
    return Portrait(
        pixels / 255.0 * 2 - 1, regions / 255.0, locator[None] / 255.0, case["face_embedding"], (0, 0, *size)
    )


def generate(case: Case, quirks: Quirks, portrait: Portrait, windows: Tensor, clips: int, suffix: str) -> None:
    c, schedule = case.config, case.vectors.config("case09")["inference"]
    net = hallo(case.vectors, quirks)
    recipe = Recipe(
        NoiseProcess(schedule["beta_start"], schedule["beta_end"], sampling_schedule=schedule["beta_schedule"]),
        Sampler("ddim", c["inference_steps"]),
        JointGuidance(c["cfg_scale"]),
        tuple(c["motion_scale"]),
        c["n_sample_frames"],
        c["n_motion_frames"],
    )
    video = VideoGenerator(net, recipe, portrait, PixelHandover(), torch.Generator())
    for clip in range(clips):
        name = f"clip{clip}"
        trace: list[tuple[int, Tensor]] = []
        first: list[Tensor] = []
        video.denoise = recorded(net, first)
        noise = case[f"{name}.noise"].transpose(1, 2)
        past = net.encode(video.handover.past(video.pixels, video.known.portrait, recipe.motion_frames))
        rows = windows[clip * recipe.clip_frames :][: recipe.clip_frames]
        frames = video.decode(video.sample(rows, noise, lambda t, x, trace=trace: trace.append((t, x))))
        case.check(f"{name}.{suffix}final_latents", trace[-1][1].transpose(1, 2))
        if suffix:
            continue
        case.check(f"{name}.ref_latents", torch.cat([video.known.portrait, past[0]]))
        case.check(f"{name}.encoder_hidden_states", video.prepared.identity)
        case.check(f"{name}.audio_tokens", net.audio_projection(rows[None]))
        if f"out.{name}.face_locator_feature" in case.io:
            case.check(f"{name}.face_locator_feature", video.prepared.location[-1:].transpose(1, 2))
        case.check(f"{name}.first_unet_output", torch.cat(first[:2]).transpose(1, 2))
        for step, (t, x) in enumerate(trace):
            case.check(f"{name}.latents_after_step{step}_t{t}", x.transpose(1, 2))
        chosen = frames[c["video_recorded_frames_of_each_clip"]]
        case.check(f"{name}.video", chosen.transpose(0, 1)[None])


def recorded(net, outputs: list[Tensor]):
    def denoise(x, timestep, cond):
        outputs.append(net(x, timestep, cond))
        return outputs[-1]

    return denoise
