"""The file of weights that an encoder of ours may be given."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from hallo_lit.errors import UserError


def load_own(module: nn.Module, path: str | Path, key: str) -> None:
    """Fills `module` from a safetensors file; `key` is the setting that named it.

    Raises:
        UserError: the file cannot be read or holds another network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(path)
        module.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"{key}={path} cannot be read ({error}); train the encoder first, or set it to null."
        ) from error
    except RuntimeError as error:
        raise UserError(f"{path} does not hold the weights of this {type(module).__name__}; train it again.") from error
