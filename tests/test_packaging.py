"""The wheel carries conf/ and works where there is no checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built in the environment's own Python, with the build backend that pip fetches or has."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(CHECKOUT)]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode and "hatchling" in made.stderr:
        pytest.skip("the build backend is neither installed nor to be had")
    assert made.returncode == 0, made.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_carries_the_configuration_tree_and_the_licence(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in (CHECKOUT / "conf").rglob("*.yaml"):
        assert f"hallo_lit/{path.relative_to(CHECKOUT).as_posix()}" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not any(name.startswith(("tests/", "data/", "outputs/")) for name in names)


def test_the_command_works_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    mine = tmp_path / "my conf" / "sampler"
    mine.mkdir(parents=True)
    (mine / "mine.yaml").write_text("_target_: hallo_lit.diffusion.sampler.Sampler\nsolver: dpm\nsteps: 3\n")

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        code = f"import sys; sys.path.insert(0, {str(site)!r}); from hallo_lit.cli.main import main; sys.exit(main())"
        environment = {**os.environ, "PYTHONPATH": ""}
        return subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, cwd=tmp_path, env=environment
        )

    where = call("animate", "--cfg", "job")
    assert where.returncode == 0, where.stderr
    assert "hallo_lit.components.hallo.Hallo" in where.stdout
    assert call("animate", "--help").returncode == 0
    own = call("animate", "-cd", "my conf", "sampler=mine", "--cfg", "job", "--package", "sampler")
    assert "steps: 3" in own.stdout, own.stderr
    wrong = call("animate", "portait=x")
    assert wrong.returncode == 2
    assert "did you mean portrait?" in wrong.stderr
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(site)!r}); import hallo_lit.cli.compose as c; print(c.conf_dir())",
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert found.stdout.strip() == str(site / "hallo_lit" / "conf")
