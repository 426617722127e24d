import numpy as np
import pytest

from hallo_lit.data.features import FEATURES, TENSORS, VIDEO, checked, features_of
from hallo_lit.errors import UserError

from .stores import SIZE, tensors


def test_all_tensors_pass_with_their_types():
    given = {
        **tensors(5, latents=True),
        "boxes": np.zeros((5, 2, 4)),
        "wave": np.zeros((5, 640), np.int16),
        "curves": np.zeros((5, 9)),
        "landmarks": np.zeros((5, 478, 2)),
        "phoneme_times": np.zeros((3, 2)),
    }
    arrays = checked(given, 5, SIZE, "clip")
    assert set(arrays) == set(TENSORS)
    assert all(arrays[name].dtype == TENSORS[name].dtype and arrays[name].flags.c_contiguous for name in arrays)
    assert features_of(arrays, video=True) == set(FEATURES)
    assert VIDEO not in features_of(arrays, video=False)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("picture", np.zeros(3), "no tensor named"),
        ("pixels", np.zeros((4, *SIZE, 3), np.uint8), "f=5"),
        ("pixels", np.zeros((5, 16, 16, 3), np.uint8), "W=24"),
        ("pixels", np.zeros((5, *SIZE, 3)), "8-bit"),
        ("regions", np.ones((3, 8, 8), bool), "8-bit"),
        ("wave", np.zeros((5, 640)), "16-bit"),
        ("wave", np.zeros(3200, np.int16), "f 640"),
        ("wave", np.zeros((4, 640), np.int16), "f=5"),
        ("audio", np.zeros((5, 8)), "layers"),
        ("audio", np.full((5, 2, 8), 1e6), "not finite"),
        ("identity", np.array([1.0, np.nan]), "not finite"),
        ("latents_mean", np.zeros((5, 4, 2, 3)), "latents_std"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(name, value, words):
    with pytest.raises(UserError, match=words) as caught:
        checked({name: value}, 5, SIZE, "anna.mp4 (3 s)")
    assert "\n" not in str(caught.value)
    assert "anna.mp4 (3 s)" in str(caught.value)
