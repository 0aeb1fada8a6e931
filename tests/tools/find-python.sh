#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Prints the first Python of a supported version that really runs and can make an environment.
# A name on the PATH proves nothing: version managers leave shims for versions they do not have.
set -euo pipefail

for name in ${SEATKEEPER_PYTHON:-} python3.12 python3.13 python3.11 python3.14 python3 python; do
    # Modules are imported because distributions leave some of them out of the base package.
    if timeout 20 "$name" -c '
import ensurepip, sqlite3, ssl, sys, venv
if not (3, 11) <= sys.version_info[:2] < (3, 15):
    sys.exit(1)
print(sys.executable)
' </dev/null 2>/dev/null; then
        exit 0
    fi
done
echo "setup: no Python 3.11 or newer that runs and has the venv module was found" \
    "(on Debian: apt-get install python3 python3-venv)" >&2
exit 1
