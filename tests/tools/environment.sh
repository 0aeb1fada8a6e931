#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the environment .venv/NAME with what requirements/NAME.lock holds, anew when that changed.
# Usage: environment.sh NAME [PYTHON_VERSION...]; without versions with the Python of .venv.
# Where none of the Pythons is found it makes nothing, and says so: what needs it is left out.
set -euo pipefail
cd "$(dirname "$0")/../.."
name="$1"
shift
folder=".venv/$name"
if [[ $# -eq 0 ]]; then
    python=.venv/bin/python
elif ! python="$(tests/tools/find-python.sh "$@" 2>/dev/null)"; then
    rm -rf "$folder"
    echo "setup: $name is left out: no Python ${*} was found on this machine"
    exit 0
fi
[[ ! "$folder/.packages" -nt "requirements/$name.lock" ]] || exit 0
echo "setup: installing the packages of requirements/$name.lock with $("$python" --version)"
"$python" -m venv --clear "$folder"
"$folder/bin/python" -m pip --disable-pip-version-check -qq --no-input install \
    --require-hashes -r "requirements/$name.lock"
touch "$folder/.packages"
