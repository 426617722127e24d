"""`make setup` on machines that lack something: one sentence each. A whole set-up is what these tests run in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BASH = shutil.which("bash") or "/bin/bash"


def setup(folder: Path, path: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs the script with nothing on the PATH but what `path` holds."""
    environment = {"PATH": str(path), "VENV": str(folder / ".venv"), "EXTRAS": "dev", "PYTHON": "", **settings}
    command = [BASH, str(ROOT / "scripts" / "setup.sh")]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{BASH}\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH with the few programs the script uses, and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("basename", "sed", "cat", "mkdir", "chmod"):
        os.symlink(shutil.which(name) or f"/bin/{name}", folder / name)
    return folder


def test_no_python_is_said(tmp_path: Path, tools: Path) -> None:
    made = setup(tmp_path, tools)
    assert made.returncode == 1
    assert "Python 3.11 or 3.12 is needed and none was found" in made.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_python_of_another_version_is_not_taken(tmp_path: Path, tools: Path) -> None:
    old = program(tools / "python3", 'if [[ $1 == --version ]]; then echo "Python 3.9.1"; else exit 1; fi')
    made = setup(tmp_path, tools)
    assert "none was found (Python 3.9.1)" in made.stderr
    named = setup(tmp_path, tools, PYTHON=str(old))
    assert named.returncode == 1
    assert f"PYTHON={old} is not a Python 3.11 or 3.12" in named.stderr


def test_a_python_that_cannot_make_environments_is_said(tmp_path: Path, tools: Path) -> None:
    program(tools / "python3.11", "if [[ $1 == -m ]]; then exit 1; fi")
    made = setup(tmp_path, tools)
    assert made.returncode == 1
    assert "apt install python3.11-venv" in made.stderr


def test_what_pip_cannot_do_is_said_and_the_headless_opencv_is_taken_where_needed(tmp_path: Path, tools: Path) -> None:
    shutil.copy(ROOT / "constraints.txt", tmp_path)
    asked = tmp_path / "asked"
    python = """
echo "$*" >> "$ASKED"
[[ $* == *"import cv2"* && ! -e $ASKED.headless ]] && exit 1
[[ $* == *headless* ]] && : > "$ASKED.headless"
[[ $* == *"install"*"-c constraints.txt"* && -n $BROKEN ]] && exit 1
exit 0"""
    program(tmp_path / ".venv" / "bin" / "python", python)
    made = setup(tmp_path, tools, ASKED=str(asked), BROKEN="")
    assert made.returncode == 0, made.stderr
    assert "done in" in made.stdout
    assert "-c constraints.txt -e .[dev]" in asked.read_text()
    pinned = next(line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("opencv-"))
    assert pinned.replace("python==", "python-headless==") in asked.read_text()
    broken = setup(tmp_path, tools, ASKED=str(asked), BROKEN="1")
    assert broken.returncode == 1
    assert "pip could not install" in broken.stderr


def test_the_list_of_targets_prints_itself() -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed")
    said = subprocess.run([make, "help"], capture_output=True, text=True, cwd=ROOT).stdout
    names = {line.split()[0] for line in said.splitlines()}
    assert {"help", "setup", "demo", "test", "test-slow", "check", "notebooks", "parity"} <= names


def test_every_requirement_is_pinned_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    names = {re.split(r"[\[<>=]", line)[0].replace("_", "-").lower() for line in wanted} - {"hallo-lit"}
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    pins = [line.split("==")[0].replace("_", "-").lower() for line in lines]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    assert len(pins) == len(set(pins))
    assert names - set(pins) == set()
