#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Prints the first Python of a supported version, or of one of the versions that are named (3.12),
# that really runs and can make an environment. A name on the PATH proves nothing: version managers
# leave shims for versions they do not have, and have versions that no name on the PATH leads to.
set -euo pipefail

versions=("$@")
[[ $# -gt 0 ]] || versions=(3.12 3.13 3.11 3.14)
managed=("${PYENV_ROOT:-$HOME/.pyenv}/versions" "${XDG_DATA_HOME:-$HOME/.local/share}/uv/python")

candidates=("${versions[@]/#/python}" python3 python)
[[ -z "${SEATKEEPER_PYTHON:-}" ]] || candidates=("$SEATKEEPER_PYTHON" "${candidates[@]}")
for version in "${versions[@]}"; do
    for folder in "${managed[@]}"; do
        for candidate in "$folder"/*/bin/"python$version"; do
            [[ ! -x "$candidate" ]] || candidates+=("$candidate")
        done
    done
done

for candidate in "${candidates[@]}"; do
    # Modules are imported because distributions leave some of them out of the base package.
    if timeout 20 "$candidate" -c '
import ensurepip, sqlite3, ssl, sys, venv
if "%d.%d" % sys.version_info[:2] not in sys.argv[1:]:
    sys.exit(1)
# Of an environment what it was made of: the one that is asked for may stand in its place.
print(sys._base_executable)
' "${versions[@]}" </dev/null 2>/dev/null; then
        exit 0
    fi
done
if [[ $# -gt 0 ]]; then
    echo "no Python ${*} that runs and has the venv module was found" >&2
else
    echo "setup: no Python 3.11 or newer that runs and has the venv module was found" \
        "(on Debian: apt-get install python3 python3-venv)" >&2
fi
exit 1
