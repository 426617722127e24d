"""`python -m hallo_lit.cli VERB ...`, for places where the `hallo-lit` command is not on the path."""

from __future__ import annotations

import sys

from hallo_lit.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
