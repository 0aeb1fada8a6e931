#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Has ansible-builder read what the installed collection needs, and make the folder from which an
# image with it is built. The image itself is not built: that takes a container engine.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin="$PWD/.venv/bin"
work="$PWD/.cache/lint/execution-environment"
rm -rf "$work"
mkdir -p "$work"

"$bin/ansible-builder" introspect .cache/lint/installed \
    --write-bindep "$work/bindep.txt" --write-pip "$work/requirements.txt"
grep '^openssh-client ' "$work/bindep.txt" || { echo "the needed SSH client was not found"; exit 1; }
grep '^jsonschema>=' "$work/requirements.txt" || { echo "the needed jsonschema was not found"; exit 1; }
if grep -v -e '^jsonschema>=' -e '^ *#' -e '^ *$' "$work/requirements.txt"; then
    echo "the collection is said to need these Python packages, which it does not"
    exit 1
fi

"$bin/ansible-builder" create --verbosity 2 \
    --file execution-environment.yml --context "$work/context" --output-filename Containerfile
grep 'name: seatkeeper.licensing$' "$work/context/_build/requirements.yml"
