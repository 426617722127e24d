"""What a video says about itself."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from hallo_lit.errors import UserError
from hallo_lit.media.container import open_media


def read_metadata(path: str | Path) -> dict[str, Any]:
    """What a VideoWriter was given as metadata. Raises UserError where the file carries none."""
    with open_media(Path(path), "video") as container:
        comment = container.metadata.get("comment", "")
    with suppress(ValueError):
        described = json.loads(comment)
        if isinstance(described, dict):
            return described
    raise UserError(f"{path} carries no description; only videos made by hallo_lit and never re-encoded do")
