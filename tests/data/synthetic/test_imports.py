"""A machine that only trains can make its own corpus."""

from __future__ import annotations

import subprocess
import sys

import pytest

BLOCK = "import sys\nfor name in {names}: sys.modules[name] = None\n"
RENDER = """
from hallo_lit.data.synthetic.clip import Look, make_clip
from hallo_lit.data.synthetic.corpus import Cast, part
clip = make_clip(part(Cast(0, 2, 2), 0), Look(size=128), 2)
assert len(list(clip.frames())) == 2 and clip.landmarks().shape == (2, 478, 3)
"""
STORE = """
from hallo_lit.data.synthetic.settings import SynthesisConfig
from hallo_lit.data.synthetic.synthesize import synthesize
assert synthesize(SynthesisConfig(sys.argv[1], clips=1, seconds=0.4, size=128, store=True, processes=1)).made == 1
"""


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("torch", "av", "mediapipe", "diffusers", "scipy", "PIL", "lightning", "hydra"), RENDER),
        (("av", "mediapipe", "diffusers", "lightning", "hydra", "transformers"), STORE),
    ],
)
def test_what_is_not_installed_is_not_needed(names, code, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", BLOCK.format(names=names) + code, str(tmp_path / "store")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
