#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# releases.sh COMMIT FOLDER: bundle the agent of an earlier commit, that of this checkout as version
# 0.2.98, and as 0.2.99 one that ends as soon as it is to serve. Runs in a checkout.
set -euo pipefail
commit="$1"
mkdir -p "$2"
output="$(realpath "$2")"
work="$(mktemp --directory)"
trap 'rm -rf "$work"' EXIT
if ! git cat-file -e "$commit^{commit}" 2>/dev/null; then
    echo "releases: this clone does not have the commit $commit of the release before; fetch it whole" >&2
    exit 1
fi
# The hosts of the scenario have one Python.
export BUNDLE_PYTHONS=3.11

if [[ ! -e "$output/$commit" ]]; then
    mkdir "$work/before"
    git archive "$commit" agent requirements | tar --extract --directory "$work/before"
    agent/bundle.sh "$work/before" "$output"
    touch "$output/$commit"
fi

cp --recursive agent requirements "$work"
source="$work/agent/src/seatkeeper_agent"
bundle_as() { # VERSION
    sed --in-place "s/^version = .*/version = \"$1\"/" "$work/agent/pyproject.toml"
    sed --in-place "s/^__version__ = .*/__version__ = \"$1\"/" "$source/__init__.py"
    agent/bundle.sh "$work" "$output"
}
bundle_as 0.2.98
sed --in-place 's/^    _end_in_order()$/    raise SettingsError("This release is broken.")/' "$source/api/server.py"
grep --quiet 'This release is broken' "$source/api/server.py"
bundle_as 0.2.99
