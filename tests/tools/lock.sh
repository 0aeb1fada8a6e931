#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the lock files anew from what asks for packages; with the uv of .venv (make setup).
# One lock serves every supported Python: what differs between them carries a marker.
set -euo pipefail
cd "$(dirname "$0")/../.."

lock() { # NAME PYTHON_VERSION_MIN INPUT...
    local name="$1" python="$2"
    shift 2
    tests/tools/uv.sh pip compile --universal --python-version "$python" --generate-hashes \
        --no-header --no-emit-index-url --no-emit-find-links "$@" -o "requirements/$name.lock"
}

lock agent 3.11 agent/pyproject.toml
# What is tested is what is installed on hosts: the same versions in both.
lock dev 3.11 agent/pyproject.toml requirements/dev.in --constraints requirements/agent.lock
lock uv 3.11 requirements/uv.in
lock importer 3.11 requirements/importer.in
lock compiler 3.11 requirements/compiler.in
lock ansible-2.19 3.11 requirements/ansible-2.19.in
lock ansible-2.20 3.12 requirements/ansible-2.20.in
lock ansible-2.21 3.12 requirements/ansible-2.21.in
lock docs 3.11 requirements/docs.in
lock hosts-python 3.9 requirements/hosts-python.in
