"""Runs the training of a configuration as its own process: command.py CONFIG.yaml. Further ranks start likewise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "WANDB_MODE": "offline"}


def start(config: dict[str, Any], folder: Path, name: str) -> subprocess.Popen[str]:
    """What it says goes to `folder/name.log`."""
    folder.mkdir(exist_ok=True, parents=True)
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))  # parts are built, and drawn, in their order
    with (folder / f"{name}.log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, __file__, str(path)], env=ENVIRONMENT, stdout=log, stderr=subprocess.STDOUT, text=True
        )


def main() -> int:
    from hallo_lit.stages.running import train

    status = train(yaml.safe_load(Path(sys.argv[1]).read_text()))
    return status if isinstance(status, int) else 0


if __name__ == "__main__":
    sys.exit(main())
