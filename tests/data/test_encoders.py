from __future__ import annotations

import pytest

from hallo_lit.data.encoders import build_encoder
from hallo_lit.data.preprocess.run import preprocess
from hallo_lit.data.preprocess.settings import CONV
from hallo_lit.data.synthetic.settings import SynthesisConfig
from hallo_lit.data.synthetic.synthesize import synthesize
from hallo_lit.errors import UserError

VISEME = {"_target_": "hallo_lit.components.audio_encoder.viseme.VisemeEncoder", "weights": None}


def test_an_untrained_encoder_makes_no_features(tmp_path):
    with pytest.raises(UserError, match=r"audio_encoder has no weights.*audio_encoder.weights=FILE"):
        build_encoder(VISEME, "audio_encoder")
    (tmp_path / "a.mp4").write_bytes(b"never opened")
    with pytest.raises(UserError, match="no weights"):
        preprocess({"videos": str(tmp_path), "out": str(tmp_path / "store"), "features": {"audio": VISEME}})
    with pytest.raises(UserError, match="no weights"):
        synthesize(SynthesisConfig(tmp_path / "corpus", clips=1, seconds=0.4, store=True, audio_encoder=VISEME))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4"]


def test_an_encoder_without_a_file_of_weights_is_complete():
    assert build_encoder(CONV, "face_encoder").width == 512
