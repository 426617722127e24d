"""The command `hallo-lit VERB [overrides]`: a small dispatcher in front of Hydra.

Exit status: 0 success, 1 failure, 2 something the user can mend (one sentence on stderr), 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import hallo_lit
from hallo_lit.cli import usage
from hallo_lit.cli.verbs import Verb, by_name
from hallo_lit.cli.words import translate
from hallo_lit.errors import UserError

if TYPE_CHECKING:
    from omegaconf import DictConfig

SIGNALLED = 128  # exit statuses of processes that a signal ended are above


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line (default: the process's own) and returns its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    # Threads that spin while they wait made a busy machine seven times slower; read when torch is first imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        status = _dispatch(words)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        return _unheard()
    except UserError as error:
        return _say(str(error), 2)
    except KeyboardInterrupt:
        return _say("interrupted.", 130)


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(usage.overview())
        return 0
    if "--version" in words:
        print(f"hallo-lit {hallo_lit.__version__}")
        return 0
    verb = _verb(words[0])
    from hallo_lit.cli.compose import conf_dir

    if "-h" in words or "--help" in words:
        print(usage.details(conf_dir(), verb))
        return 0
    return _run(verb, words[1:])


def _verb(name: str) -> Verb:
    from hallo_lit.cli.explain import nearest

    verbs = by_name()
    if name not in verbs:
        raise UserError(f"There is no verb {name!r}{nearest(name, verbs)}; verbs are {', '.join(verbs)}.")
    return verbs[name]


def _run(verb: Verb, words: list[str]) -> int:
    """Hands the verb to Hydra under Hydra's own argv, and takes its exceptions back."""
    import hydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    from hallo_lit.cli.compose import conf_dir
    from hallo_lit.cli.explain import sentence

    call = translate(verb, words, usage.booleans(conf_dir(), verb))
    typed = [sys.argv[0], verb.name, *words]

    def task(cfg: DictConfig) -> Any:
        sys.argv = typed  # Lightning starts further ranks with it
        return _perform(verb, cfg, call.folder)

    with _as_hydra_wants([sys.argv[0], *call.flags, f"hydra.job.name={verb.name}", *call.overrides]):
        try:
            hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name=verb.name)(task)()
        except SystemExit as leaving:
            return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        except (HydraException, OmegaConfBaseException, ValueError, OSError) as error:
            if known := sentence(error, verb, call.folder):
                raise UserError(known) from error
            raise
    return 0


@contextmanager
def _as_hydra_wants(argv: list[str]) -> Iterator[None]:
    """Hydra reads its words from sys.argv, and raises instead of printing and exiting under HYDRA_FULL_ERROR."""
    before = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv, os.environ["HYDRA_FULL_ERROR"] = argv, "1"
    try:
        yield
    finally:
        sys.argv = before[0]
        if before[1] is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = before[1]


def _perform(verb: Verb, cfg: DictConfig, folder: str | None) -> Any:
    """Calls the verb's function. Alone, it ends the process's work here; in a sweep, the launcher hears of failures."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from hallo_lit.cli.explain import check_types, sentence

    alone = HydraConfig.get().mode == RunMode.RUN
    try:
        check_types(verb, cfg, HydraConfig.get().overrides.task, folder)
        result = _entry(verb)(cfg)
    except BrokenPipeError:
        raise SystemExit(_unheard()) from None
    except Exception as error:
        known = sentence(error, verb, folder)
        if known and not alone:
            raise UserError(known) from error
        if not alone:
            raise
        if known:
            raise SystemExit(_say(known, 2)) from error
        traceback.print_exc()
        raise SystemExit(1) from error
    if isinstance(result, int) and (alone or result > SIGNALLED):  # whoever stops a row wants no further ones
        raise SystemExit(int(result))
    return result


def _entry(verb: Verb) -> Any:
    module, _, name = verb.entry.partition(":")
    return getattr(import_module(module), name)


def _unheard() -> int:
    """Whoever read what we print has seen enough, as `head` does."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141


def _say(text: str, status: int) -> int:
    print(f"hallo-lit: {text}", file=sys.stderr)
    return status
