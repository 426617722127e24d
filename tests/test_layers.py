"""The direction of dependency: a module imports from strictly lower layers or from its own package."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "hallo_lit"
LAYERS = {
    **dict.fromkeys(("", "__version__", "errors"), -1),
    **dict.fromkeys(("structs", "factory"), 0),
    **dict.fromkeys(("blocks", "media", "faces", "signals"), 1),
    **dict.fromkeys(("components", "diffusion", "Hallo"), 2),
    **dict.fromkeys(("data", "metrics", "weights"), 3),
    **dict.fromkeys(("animation", "Animator"), 4),
    "stages": 5,
    "evaluation": 6,
    **dict.fromkeys(("cli", "compose"), 7),
}
ONLY = {"hydra": ("cli/",), "lightning": ("stages/", "data/datamodule.py")}
HEAVY = ("mediapipe", "wandb", "gradio", "transformers", "onnxruntime", "ray")
PICKLES = ("pickle", "dill", "cloudpickle", "joblib")


def imports(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """Every imported dotted name, and whether the import runs when the module is loaded."""
    later = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.If))
        and (not isinstance(node, ast.If) or ast.unparse(node.test) == "TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) not in later) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names] if node.module else []
            yield from ((name, id(node) not in later) for name in names)
            if node.level:
                yield "hallo_lit.<relative>", True


def faults(path: str, text: str) -> list[str]:
    """What is wrong with one module, `path` relative to the package."""
    found = []
    own = path.split("/")[0].removesuffix(".py")
    for name, at_load in imports(ast.parse(text)):
        root, _, rest = name.partition(".")
        if root == "hallo_lit" and own != "__init__":
            other = rest.split(".")[0]
            if other == "<relative>":
                found.append(f"{path}: relative import; write hallo_lit....")
            elif other != own and LAYERS[other] >= LAYERS[own]:
                found.append(f"{path}: {own} (layer {LAYERS[own]}) imports {other} (layer {LAYERS[other]})")
        if root in ONLY and not path.startswith(ONLY[root]):
            found.append(f"{path}: only {' and '.join(ONLY[root])} may import {root}")
        if root in HEAVY and at_load:
            found.append(f"{path}: {root} is heavy; import it inside the function that needs it")
        if root in PICKLES and rest and not rest.endswith("Error"):
            found.append(f"{path}: {root} runs code from files")
    calls = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    return found + [f"{path}:{call.lineno}: {why}" for call in calls if (why := dangerous(call))]


def dangerous(call: ast.Call) -> str:
    """Why this call must not be in the tree, or nothing."""
    name = ast.unparse(call.func)
    words = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    if words.get("strict") == "False" and name != "zip":
        return "weights are loaded whole or not at all"
    if words.get("shell", "False") != "False" or name == "os.system":
        return "a shell breaks on odd file names"
    if name.split(".")[0] in PICKLES or words.get("allow_pickle", "False") != "False":
        return "pickles run code"
    if name == "torch.load" and words.get("weights_only") != "True":
        return "torch.load reads pickles unless weights_only=True"
    return ""


def test_imports_point_downwards() -> None:
    modules = sorted(SOURCE.rglob("*.py"))
    assert len(modules) > 10
    wrong = [fault for p in modules for fault in faults(p.relative_to(SOURCE).as_posix(), p.read_text("utf-8"))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("path", "planted"),
    [
        ("blocks/trunk.py", "from hallo_lit.components.vae import LatentCodec"),
        ("media/image.py", "from hallo_lit.faces import regions"),
        ("diffusion/process.py", "import hallo_lit.components.hallo"),
        ("weights/fetch.py", "def f():\n    from hallo_lit.animation import jobs"),
        ("data/store.py", "from hallo_lit import compose"),
        ("structs.py", "from hallo_lit.media.image import read_image"),
        ("components/vae.py", "from .hallo import Hallo"),
        ("components/hallo.py", "import hydra"),
        ("components/hallo.py", "def f():\n    from hydra.utils import instantiate"),
        ("data/dataset.py", "import lightning as L"),
        ("faces/landmarks.py", "import mediapipe as mp"),
        ("weights/bundle.py", "model.load_state_dict(state, strict=False)"),
        ("weights/bundle.py", "import pickle\nstate = pickle.load(file)"),
        ("weights/bundle.py", "from pickle import loads"),
        ("weights/bundle.py", "np.load(path, allow_pickle=True)"),
        ("weights/bundle.py", "torch.load(path, weights_only=False)"),
        ("weights/bundle.py", "state = torch.load(path)"),
        ("media/video.py", "subprocess.run(f'ffmpeg {path}', shell=True)"),
    ],
)
def test_a_planted_fault_is_found(path: str, planted: str) -> None:
    assert faults(path, planted)


@pytest.mark.parametrize(
    ("path", "honest"),
    [
        ("cli/main.py", "import hydra\nfrom hallo_lit.stages.base import DiffusionStage"),
        ("components/hallo.py", "from hallo_lit.components.vae import LatentCodec\nfrom hallo_lit.structs import Drop"),
        ("data/datamodule.py", "import lightning as L"),
        ("faces/landmarks.py", "def f():\n    import mediapipe as mp"),
        ("weights/reading.py", "import pickle\ntry:\n    f()\nexcept pickle.UnpicklingError:\n    pass"),
        ("data/clips.py", "zip(a, b, strict=False)"),
        ("weights/reading.py", "state = torch.load(path, map_location='cpu', weights_only=True)"),
    ],
)
def test_an_honest_line_passes(path: str, honest: str) -> None:
    assert not faults(path, honest)
