import numpy as np
import pytest

from hallo_lit.data.clip_file import ClipHeader, digest_tensors, read_header, read_tensors, write_clip
from hallo_lit.data.spec import Encoder
from hallo_lit.errors import UserError


def header(**other) -> ClipHeader:
    given = {
        "source": "ünï, (1)/talk .. .mp4",
        "identity": "name\udc80",  # as the file system hands over bytes that are no Unicode
        "frames": 2,
        "fps": 25.0,
        "size": (8, 8),
        "split": "",
        "start": 1.5,
        "features": ("identity",),
        "encoders": {"identity": Encoder("Conv", "0" * 16)},
        "metadata": {"words": ["ä"], "score": 1.25},
    }
    return ClipHeader(**{**given, **other})


def test_round_trip(tmp_path):
    tensors = {"identity": np.arange(3, dtype=np.float32)}
    write_clip(tmp_path / "clip.safetensors", header(), tensors)
    assert read_header(tmp_path / "clip.safetensors") == header()
    assert np.array_equal(read_tensors(tmp_path / "clip.safetensors")["identity"], tensors["identity"])


def test_digest_sees_names_types_shapes_and_values():
    base = {"a": np.zeros((2, 3), np.float32), "b": np.ones(2, np.uint8)}
    same = {"b": base["b"].copy(), "a": np.asfortranarray(base["a"])}
    assert digest_tensors(base) == digest_tensors(same)
    others = [
        {"a": base["a"]},
        {"a": base["a"], "c": base["b"]},
        {"a": base["a"].reshape(3, 2), "b": base["b"]},
        {"a": base["a"].view(np.int32), "b": base["b"]},
        {"a": base["a"], "b": np.array([1, 2], np.uint8)},
        {"a": np.zeros((0, 3), np.float32), "b": base["b"]},
    ]
    assert len({digest_tensors(base), *map(digest_tensors, others)}) == 7


def damaged(path, how):
    blob = path.read_bytes()
    if how == "gone":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "cut":
        path.write_bytes(blob[:-4])
    elif how == "noise":
        path.write_bytes(bytes(range(256)) * 4)
    elif how == "folder":
        path.unlink()
        path.mkdir()


@pytest.mark.parametrize("how", ["gone", "empty", "cut", "noise", "folder"])
def test_damage_is_one_sentence_with_the_name_of_the_file(tmp_path, how):
    path = tmp_path / "clip.safetensors"
    write_clip(path, header(), {"identity": np.zeros(3, np.float32)})
    damaged(path, how)
    with pytest.raises(UserError, match=r"clip\.safetensors") as caught:
        read_header(path)
    assert "\n" not in str(caught.value)


def test_foreign_safetensors_and_lying_headers_are_refused(tmp_path):
    path = tmp_path / "clip.safetensors"
    from safetensors.numpy import save_file

    save_file({"identity": np.zeros(3, np.float32)}, path)
    with pytest.raises(UserError, match="no clip description"):
        read_header(path)
    save_file({"weight": np.zeros(3, np.float32)}, path, {"clip": header().to_text()})
    with pytest.raises(UserError, match="no clip description"):
        read_header(path)
    write_clip(path, header(features=("identity", "audio")), {"identity": np.zeros(3, np.float32)})
    with pytest.raises(UserError, match="promises"):
        read_header(path)
