"""A run that is killed without warning, and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from hallo_lit.data.preprocess.run import preprocess
from hallo_lit.data.store import ClipStore, check_store

from .videos import speech, swaying, write_video

PROCESSES = "hallo_lit.data.preprocess.engines.processes.Processes"
CONFIG = {"crop": {"size": 128}, "features": {"identity": None}, "clips": {"max_seconds": 1.0}}


def child(videos: Path, out: Path) -> subprocess.Popen:
    """The same job in a process group of its own, with one worker process."""
    config = {**CONFIG, "videos": str(videos), "out": str(out), "engine": {"_target_": PROCESSES, "workers": 1}}
    code = f"from hallo_lit.data.preprocess.run import preprocess\nif __name__ == '__main__': preprocess({config!r})"
    script = out.parent / "job.py"
    script.write_text(code)
    return subprocess.Popen([sys.executable, str(script)], start_new_session=True)


def clips(out: Path) -> dict[Path, int]:
    """Finished clips and when their pictures were made."""
    found = [path for path in (out / "clips").rglob("*.safetensors") if not path.name.startswith(".")]
    return {path: path.with_suffix(".mp4").stat().st_mtime_ns for path in found}


def test_kill_and_restart(tmp_path):
    """Killed between two clips of one long source: the first stays as it is, workers die, nothing broken is left."""
    videos, out = tmp_path / "in", tmp_path / "store"
    for name in ("a.mp4", "b.mp4"):
        write_video(
            videos / name, swaying(100, face=125 + len(name) + ord(name[0]) % 2), wave=speech(4.0, ord(name[0]))
        )
    process = child(videos, out)
    while not clips(out) and process.poll() is None:
        time.sleep(0.02)
    assert process.poll() is None, "the job ended before it could be killed"
    os.kill(process.pid, signal.SIGKILL)  # the parent alone: its worker has to notice by itself
    process.wait()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.05)
    else:
        os.killpg(process.pid, signal.SIGKILL)
        raise AssertionError("the worker outlived the run")
    finished = clips(out)
    assert 1 <= len(finished) < 8
    assert check_store(out).problems == [], "a clip is broken"

    here = {"_target_": PROCESSES, "workers": 0}
    outcome = preprocess({**CONFIG, "videos": str(videos), "out": str(out), "engine": here})
    assert [line["verdict"] for line in outcome.lines] == ["undecided", "undecided"]
    after = clips(out)
    assert len(after) == len(ClipStore(out)) == 8
    assert {path: after[path] for path in finished} == finished, "finished clips were made again"
    report = check_store(out)
    assert report.ok
    assert list((out / "tmp").iterdir()) == []
