"""Keeps the start-up chatter of native libraries off the terminal, and nothing else."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_CHATTER = re.compile(
    rb"INFO: |I\d{4} |W\d{4} .*(inference_feedback_manager|landmark_projection_calculator|face_landmarker_graph)"
    rb"|WARNING: All log messages before absl::InitializeLog"
    rb"|E\d{4} .*calculator_graph|ERROR: The model is not|Calculator::\w+\(\) for node"  # come as exceptions, too
)


@contextmanager
def chatter_hidden() -> Iterator[None]:
    """Within the block, known messages written to file descriptor 2 by any thread vanish; other lines come after it.

    MediaPipe logs by file descriptor before its log level can be set, so no Python logger can catch it.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as caught:
        try:
            terminal = os.dup(2)
        except OSError:  # a process without a stderr has nobody to disturb
            yield
            return
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
            caught.seek(0)
            rest = b"".join(line for line in caught if not _CHATTER.match(line))
            if rest:
                os.write(2, rest)
