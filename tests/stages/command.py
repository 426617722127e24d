"""Runs the training of a configuration as its own process: command.py CONFIG.yaml [RESULT.safetensors].

Writes the network's weights after the last step. Further ranks start with the same words.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "WANDB_MODE": "offline"}


def start(config: dict[str, Any], folder: Path, name: str, result: Path | None = None) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True, parents=True)
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(config))
    words = [sys.executable, __file__, str(path), *([str(result)] if result else [])]
    log = (folder / f"{name}.log").open("w")
    return subprocess.Popen(words, env=ENVIRONMENT, stdout=log, stderr=subprocess.STDOUT, text=True)


def main() -> int:
    from safetensors.torch import save_file

    from hallo_lit.stages import running

    config = yaml.safe_load(Path(sys.argv[1]).read_text())
    status = running.train(config)
    if len(sys.argv) > 2 and os.environ.get("LOCAL_RANK", "0") == "0":
        from hallo_lit.stages.checkpoint import checkpoint_in, read_checkpoint

        save_file(dict(read_checkpoint(checkpoint_in(Path(config["run_dir"]))).state), sys.argv[2])
    return status if isinstance(status, int) else 0


if __name__ == "__main__":
    sys.exit(main())
