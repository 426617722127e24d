"""Every notebook runs from top to bottom, and none carries the outputs of a run."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MINUTES: frozenset[str] = frozenset()  # names of notebooks that take longer than 40 seconds: make test-slow


def marked(path: Path) -> object:
    return pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem in MINUTES else [])


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS
    assert {path.stem for path in NOTEBOOKS} >= MINUTES


@pytest.mark.parametrize("path", map(marked, NOTEBOOKS))
def test_it_runs_and_writes_nothing_beside_itself(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    for name in ("TMPDIR", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    before = sorted(os.listdir(FOLDER))
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(FOLDER)}}).execute()
    assert sorted(os.listdir(FOLDER)) == before
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    said = [output.text for output in outputs if output.get("name") == "stderr"]
    assert [text for text in said if "font cache" not in text] == []  # which Matplotlib says on a slow machine


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_stored_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    for cell in code:
        assert not cell.outputs
        assert cell.execution_count is None
