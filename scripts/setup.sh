#!/usr/bin/env bash
# Makes the environment: PYTHON (optional interpreter), VENV (folder), EXTRAS (comma-separated extras of pyproject.toml).
set -euo pipefail

fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

usable() { # is $1 a Python that the pinned versions exist for?
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null
}

pick_python() {
    if [[ -n ${PYTHON:-} ]]; then
        usable "$PYTHON" || fail "PYTHON=$PYTHON is not a Python 3.11 or 3.12 that runs."
        printf '%s' "$PYTHON"
        return
    fi
    local candidate
    for candidate in python3.11 python3.12 python3 python; do
        if usable "$candidate"; then
            printf '%s' "$candidate"
            return
        fi
    done
    fail "Python 3.11 or 3.12 is needed and none was found ($(python3 --version 2>&1 || true));" \
        "install one, or name it: make setup PYTHON=/path/to/python3.11"
}

if ! usable "$VENV/bin/python"; then
    python=$(pick_python)
    echo "setup: $($python --version) from $(command -v "$python"), environment in $VENV"
    "$python" -m venv --clear "$VENV" || fail "$python cannot make environments;" \
        "on Debian or Ubuntu: apt install $(basename "$python")-venv"
fi
"$VENV/bin/python" -m pip --version >/dev/null 2>&1 || "$VENV/bin/python" -m ensurepip --upgrade >/dev/null ||
    fail "the environment in $VENV has no pip; delete the folder and install python's venv package."

echo "setup: installing [${EXTRAS}] with the versions of constraints.txt (some gigabytes the first time, minutes)"
SECONDS=0
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --prefer-binary \
    -c constraints.txt -e ".[${EXTRAS}]" ||
    fail "pip could not install; the lines above say what is missing. Run 'make setup' again to continue."
if ! "$VENV/bin/python" -c 'import cv2' 2>/dev/null; then
    version=$(sed -n 's/^opencv-contrib-python==//p' constraints.txt)
    echo "setup: OpenCV finds no libGL on this machine; taking its build for machines without a screen"
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps \
        "opencv-contrib-python-headless==$version"
    "$VENV/bin/python" -c 'import cv2' || fail "OpenCV cannot be imported; the line above says which library is missing."
fi
echo "setup: done in ${SECONDS} s; 'source $VENV/bin/activate' puts hallo-lit on your path"
