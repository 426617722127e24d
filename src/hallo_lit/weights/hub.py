"""Bundles on the Hugging Face hub."""

from __future__ import annotations

import re
from pathlib import Path

from hallo_lit.errors import UserError
from hallo_lit.weights.index import INDEX, read_index, verify

_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
BUNDLED = {"tiny": Path(__file__).parents[1] / "bundles" / "tiny"}
"""Names of the bundles that come with the package."""
PATTERNS = ["*.safetensors", "*.onnx", "*.yaml", "*.json", "*.md", "LICENSES", INDEX]


def local_folder(where: str | Path) -> Path:
    """The folder itself, a bundle of BUNDLED, or what the hub has under that id.

    Downloads are resumed and kept in the hub's cache.

    Raises:
        UserError: there is no such folder, and the hub does not know it or cannot be reached.
    """
    path = Path(where).expanduser()
    if path.is_dir():
        return path
    if path.exists():
        raise UserError(f"{path} is a file; a bundle is a folder with a {INDEX}: `hallo-lit weights import` makes one.")
    name = str(where)
    if name in BUNDLED:
        return BUNDLED[name]
    if not _ID.fullmatch(name):
        raise UserError(
            f"There is no bundle folder {name}; give a folder, {' or '.join(BUNDLED)}, or a hub id like user/name."
        )
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=PATTERNS))
    except Exception as error:  # httpx, the hub and the file system each have their own
        raise UserError(
            f"There is no folder {name}, and the hub did not give a bundle of that id ({reason(error)}); "
            f"download https://huggingface.co/{name} where there is a network and give its folder."
        ) from error


def push_to_hub(folder: Path, repo: str, private: bool = True) -> str:
    """Uploads a bundle whose hashes are right, and returns its address; needs `hf auth login` once.

    Raises:
        UserError: the bundle is missing or altered, or the hub refuses.
    """
    if not _ID.fullmatch(repo):
        raise UserError(f"{repo!r} is not a hub id; write it as user/name.")
    verify(folder, read_index(folder))
    from huggingface_hub import HfApi

    try:
        api = HfApi()
        address = api.create_repo(repo, private=private, exist_ok=True)
        api.upload_folder(repo_id=repo, folder_path=folder, commit_message=f"Upload bundle {folder.name}")
    except Exception as error:  # see local_folder
        raise UserError(
            f"The hub did not take {folder} as {repo} ({reason(error)}); log in with `hf auth login`."
        ) from error
    return str(address)


def reason(error: BaseException) -> str:
    """The first line of an error, short, without the address of the request."""
    line = str(error).strip().split("\n")[0] or type(error).__name__
    return line if len(line) <= 140 else f"{line[:137]}..."
