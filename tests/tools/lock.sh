#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the lock files anew from what asks for packages; needs uv on the PATH (pip install uv).
# One lock serves every supported Python: what differs between them carries a marker.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v uv >/dev/null || { echo "lock: uv is needed: pip install uv" >&2; exit 1; }

lock() { # NAME INPUT...
    local name="$1"
    shift
    uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
        --no-header --no-emit-index-url --no-emit-find-links "$@" -o "requirements/$name.lock"
}

lock agent agent/pyproject.toml
# What is tested is what is installed on hosts: the same versions in both.
lock dev agent/pyproject.toml requirements/dev.in --constraints requirements/agent.lock
lock importer requirements/importer.in
lock compiler requirements/compiler.in
