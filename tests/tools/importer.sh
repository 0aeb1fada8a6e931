#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs Galaxy's own import check on the built artifact; a warning counts as a failure.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/.venv/importer/bin:$PATH"
work="$PWD/.cache/lint/importer"
rm -rf "$work"
mkdir -p "$work"
artifact="$(echo "$PWD"/.cache/lint/artifact/*.tar.gz)"
cd "$work" # it leaves its result beside itself
export GALAXY_IMPORTER_TMP_ROOT_DIR="$work"
export GALAXY_IMPORTER_ANSIBLE_LOCAL_TMP="$work/tmp"
python -m galaxy_importer.main "$artifact" 2>&1 | tee importer.log
if grep -E '^(WARNING|ERROR)' importer.log >/dev/null; then
    echo "importer: the warnings above are to be settled"
    exit 1
fi
