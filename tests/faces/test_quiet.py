"""Known chatter vanishes, everything else comes through."""

from __future__ import annotations

import os

import pytest

from hallo_lit.faces.quiet import chatter_hidden


def test_only_chatter_is_hidden(capfd):
    with chatter_hidden():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")
        os.write(2, b"W0000 00:00:1.1 1 inference_feedback_manager.cc:114] Feedback manager requires a model\n")
        os.write(2, b"something real\n")
        os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n")
        os.write(2, b"E0000 00:00:1.1 1 other.cc:1] failed\n")
    assert capfd.readouterr().err == "something real\nE0000 00:00:1.1 1 other.cc:1] failed\n"


def test_the_terminal_comes_back_after_an_exception(capfd):
    with pytest.raises(RuntimeError), chatter_hidden():
        raise RuntimeError
    os.write(2, b"INFO: heard again\n")
    assert capfd.readouterr().err == "INFO: heard again\n"
