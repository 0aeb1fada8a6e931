#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds the collection as it would be published and installs it into an empty path.
# Leaves .cache/lint/artifact/*.tar.gz and .cache/lint/installed/ansible_collections/.
set -euo pipefail
cd "$(dirname "$0")/../.."
export ANSIBLE_HOME="$PWD/.cache/lint/ansible-home" ANSIBLE_COLLECTIONS_PATH="$PWD/.cache/lint/installed"
work=.cache/lint
rm -rf "$work/artifact" "$work/installed"
mkdir -p "$work/artifact" "$work/installed"
.venv/bin/ansible-galaxy collection build --output-path "$work/artifact"
.venv/bin/ansible-galaxy collection install --offline --no-deps \
    --collections-path "$work/installed" "$work"/artifact/*.tar.gz
