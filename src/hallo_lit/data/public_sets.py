"""The public lists of HDTF and CelebV-HQ as manifests of the videos you downloaded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

from hallo_lit.data.manifest import Box, Manifest, ManifestRow, hdtf_identity
from hallo_lit.errors import UserError

SizeOf = Callable[[Path], tuple[int, int]]
SUBSETS = ("RD", "WDA", "WRA")
_ENDINGS = (".mp4", ".mkv", ".webm", ".mov", ".avi", ".m4v")


def hdtf_manifest(lists: Path | str, videos: Path | str, size_of: SizeOf | None = None) -> Manifest:
    """HDTF's lists (`RD_annotion_time.txt`, `RD_crop_wh.txt`, `RD_video_url.txt`, ... in one folder) joined to files.

    A video may be called `WDA_Name`, `Name` or by its YouTube id, with any usual ending, in `videos` or in a folder
    named after its subset. Where `*_resolution.txt` (later versions of the lists have none) says that the boxes were
    drawn at another height than the file has, they are scaled; `size_of` gives (width, height) of a file and is
    PyAV's by default. Stretches without a box keep none; a video that is not there is one fault.

    Raises:
        UserError: a folder is missing, or holds no list.
    """
    lists, videos = Path(lists), Path(videos)
    found = [subset for subset in SUBSETS if _list(lists, subset, "time").is_file()]
    if not found:
        raise UserError(f"{lists} has no HDTF lists such as RD_annotion_time.txt; give the folder HDTF_dataset.")
    files = _files(videos)
    rows: list[ManifestRow] = []
    faults: list[str] = []
    seen: dict[str, str] = {}  # YouTube id -> identity: one recording under two names is one person
    for subset in found:
        boxes, urls, heights = (_by_name(_list(lists, subset, kind), faults) for kind in ("crop", "url", "lines"))
        for line in _lines(_list(lists, subset, "time"), faults):
            video = _youtube_id(urls[line.name].values) if line.name in urls else ""
            identity = hdtf_identity(subset, line.name)
            identity = seen.setdefault(video, identity) if video else identity
            names = (f"{subset}_{line.name}", f"{subset}/{line.name}", line.name, video)
            path = next((files[name] for name in names if name in files), None)
            if path is None:
                faults.append(f"{line.where}: {subset}_{line.name} is not in {videos}; download it or ignore this.")
                continue
            for number, stretch in enumerate(line.values):
                try:
                    start, end = _stretch(stretch)
                    box = None
                    if crop := boxes.get(f"{line.name}_{number}"):
                        height = heights.get(line.name)
                        box = _hdtf_box(crop, _scale(path, height, size_of) if height else 1.0)
                except (ValueError, UserError) as error:
                    faults.append(f"{line.where}: {str(error).rstrip('.')}.")
                    continue
                rows.append(ManifestRow(path, start, end, box, identity))
    return Manifest(tuple(rows), tuple(faults))


def celebv_manifest(info: Path | str, videos: Path | str) -> Manifest:
    """A list in the form of CelebV-HQ's `celebvhq_info.json`, joined to files named by clip or by YouTube id.

    A file named after the clip is taken as already cut and cropped. CelebV-HQ names no persons: every video is one.

    Raises:
        UserError: the list is not such a file, or the folder is missing.
    """
    info, files = Path(info), _files(Path(videos))
    try:
        clips = json.loads(info.read_text(encoding="utf-8"))["clips"]
        entries = list(clips.items())
    except OSError as error:
        raise UserError(f"The list {info} cannot be read ({error.strerror}).") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{info} is not in the form of celebvhq_info.json (an object with `clips`).") from error
    rows: list[ManifestRow] = []
    faults: list[str] = []
    for name, clip in entries:
        where = f"{info}, clip {name}"
        try:
            video, start, end, box = _celebv_clip(clip)
        except KeyError as error:
            faults.append(f"{where}: no usable {error}.")
            continue
        except TypeError:
            faults.append(f"{where}: times and sides of the box must be numbers.")
            continue
        except ValueError as error:
            faults.append(f"{where}: {error}.")
            continue
        if name in files:
            rows.append(ManifestRow(files[name], identity=video))
        elif video in files:
            rows.append(ManifestRow(files[video], start, end, box, video))
        else:
            faults.append(f"{where}: neither {name} nor {video} is in {videos}; download it or ignore this.")
    return Manifest(tuple(rows), tuple(faults))


@dataclass(frozen=True)
class _Line:
    name: str
    values: list[str]
    where: str


def _list(folder: Path, subset: str, kind: str) -> Path:
    names = {
        "time": (f"{subset}_annotion_time.txt", f"{subset}_annotation_time.txt"),
        "crop": (f"{subset}_crop_wh.txt",),
        "url": (f"{subset}_video_url.txt",),
        "lines": (f"{subset}_resolution.txt",),
    }[kind]
    return next((folder / name for name in names if (folder / name).is_file()), folder / names[0])


def _lines(path: Path, faults: list[str]) -> Iterator[_Line]:
    """Space-separated lines of a list that may be absent; the name loses its `.mp4`."""
    if not path.is_file():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        words = line.split()
        if len(words) == 1:
            faults.append(f"{path}, line {number}: nothing follows {words[0]!r}.")
        elif words:
            yield _Line(words[0].removesuffix(".mp4"), words[1:], f"{path}, line {number}")


def _by_name(path: Path, faults: list[str]) -> dict[str, _Line]:
    return {line.name: line for line in _lines(path, faults)}


def _files(folder: Path) -> dict[str, Path]:
    """Videos by name without ending, those in folders below also as folder/name."""
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder of videos.")
    files: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _ENDINGS and path.is_file():
            files.setdefault(path.stem, path)
            files.setdefault(f"{path.parent.name}/{path.stem}", path)
    return files


def _youtube_id(values: list[str]) -> str:
    return next(iter(parse_qs(urlparse(values[0]).query).get("v", [])), "")


def _stretch(text: str) -> tuple[float, float]:
    """'01:05-2:35' or '1:02:03-1:03:00' in seconds."""
    ends = []
    for clock in text.split("-"):
        seconds = 0.0
        for part in clock.split(":"):
            if not part.isdecimal():
                raise ValueError(f"{text!r} is not a stretch of time such as 00:30-01:00")
            seconds = seconds * 60 + int(part)
        ends.append(seconds)
    if len(ends) != 2 or ends[0] >= ends[1]:
        raise ValueError(f"{text!r} is not a stretch of time such as 00:30-01:00")
    return ends[0], ends[1]


def _hdtf_box(line: _Line, scale: float) -> Box:
    """'left width top height'."""
    if len(line.values) != 4 or not all(value.isdecimal() for value in line.values):
        raise ValueError(f"the box in {line.where} is not four whole numbers (left, width, top, height)")
    left, width, top, height = (int(value) * scale for value in line.values)
    if not width or not height:
        raise ValueError(f"the box in {line.where} is empty")
    return left, top, left + width, top + height


def _scale(path: Path, line: _Line, size_of: SizeOf | None) -> float:
    """Height of the file over the height at which its boxes were drawn."""
    if not line.values[0].isdecimal() or not int(line.values[0]):
        raise ValueError(f"{line.where} names no height in pixels")
    if size_of is None:
        from hallo_lit.media.video import probe

        return probe(path).height / int(line.values[0])
    return size_of(path)[1] / int(line.values[0])


def _celebv_clip(clip: Any) -> tuple[str, float, float, Box]:
    if not isinstance(clip, dict) or not all(isinstance(clip.get(part, {}), dict) for part in ("duration", "bbox")):
        raise ValueError("it, its duration and its bbox must be objects with names and values")
    time, box = clip["duration"], clip["bbox"]
    start, end = float(time["start_sec"]), float(time["end_sec"])
    left, top, right, bottom = (float(box[side]) for side in ("left", "top", "right", "bottom"))
    if not 0 <= start < end:
        raise ValueError(f"{start:g} to {end:g} s is no stretch of time")
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError(f"the box {left:g}, {top:g}, {right:g}, {bottom:g} is not inside the picture")
    return str(clip["ytb_id"]), start, end, (left, top, right, bottom)
