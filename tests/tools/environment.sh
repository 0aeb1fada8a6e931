#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the environment .venv/NAME (for dev .venv itself) with what requirements/NAME.lock holds, and
# anew when the lock or the Python is another than what the one that is there was made of.
# Usage: environment.sh NAME [PYTHON_VERSION...]; without versions with the Python of .venv.
# Where none of the Pythons is found it makes nothing, and says so: what needs it is left out.
set -euo pipefail
cd "$(dirname "$0")/../.."
name="$1"
shift
folder=".venv/$name"
if [[ "$name" == dev ]]; then
    folder=.venv
    python="$(tests/tools/find-python.sh)"
elif [[ $# -eq 0 ]]; then
    python=.venv/bin/python
elif ! python="$(tests/tools/find-python.sh "$@" 2>/dev/null)"; then
    rm -rf "$folder"
    echo "setup: $name is left out: no Python ${*} was found on this machine"
    exit 0
fi

version="$("$python" --version)"
# An environment holds its own path in every script, so it serves no other place.
made_of="$(sha256sum <"requirements/$name.lock") $version $PWD"
[[ "$(cat "$folder/.made-of" 2>/dev/null)" != "$made_of" ]] || exit 0
echo "setup: installing the packages of requirements/$name.lock with $version"
if [[ "$name" == dev ]]; then
    # Here pip is wanted too: it makes the agent's release, and it brings uv, which does the rest.
    "$python" -m venv --clear "$folder"
    "$folder/bin/python" -m pip --disable-pip-version-check -qq --no-input install \
        --require-hashes -r requirements/uv.lock
else
    tests/tools/uv.sh venv --clear --python "$python" "$folder"
fi
tests/tools/uv.sh pip install --python "$folder/bin/python" --compile-bytecode \
    --require-hashes -r "requirements/$name.lock"
echo "$made_of" >"$folder/.made-of"
