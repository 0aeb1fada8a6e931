#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# releases.sh before FOLDER: bundle the agent of the release before, with the relay of this checkout,
# by which the collection asks.
# releases.sh after WHEELS FOLDER: bundle that of this checkout as version 0.2.98, and as 0.2.99 one
# that ends as soon as it is to serve; of the packages that are in WHEELS.
# Runs in a checkout. The hosts of the scenario have one Python, see $BUNDLE_PYTHONS.
set -euo pipefail
# The last commit of the release before, see CHANGELOG.md.
commit_before=6654cba
folder="${!#}"
mkdir -p "$folder"
output="$(realpath "$folder")"
work="$(mktemp --directory)"
trap 'rm -rf "$work"' EXIT

bundle_before() {
    if ! git cat-file -e "$commit_before^{commit}" 2>/dev/null; then
        echo "releases: this clone does not have the commit $commit_before of the release before; fetch it whole" >&2
        exit 1
    fi
    git archive "$commit_before" agent requirements | tar --extract --directory "$work"
    local program="$work/agent/src/seatkeeper_agent"
    cp agent/src/seatkeeper_agent/relay.py "$program"
    cat >>"$program/cli.py" <<'PYTHON'


_before = main


def main(words: list[str] | None = None) -> int:
    """The commands of this release, and the relay."""
    import sys

    given = sys.argv[1:] if words is None else words
    if given[:2] == ["relay", "--socket"]:
        from seatkeeper_agent import relay

        return relay.main(given[2])
    return _before(given)
PYTHON
    agent/bundle.sh wheels "$work" "$work/wheels"
    agent/bundle.sh bundle "$work" "$work/wheels" "$output"
}

bundle_as() { # VERSION WHEELS
    sed --in-place "s/^version = .*/version = \"$1\"/" "$work/agent/pyproject.toml"
    sed --in-place "s/^__version__ = .*/__version__ = \"$1\"/" "$source/__init__.py"
    agent/bundle.sh bundle "$work" "$2" "$output"
}

bundle_after() { # WHEELS
    cp --recursive agent requirements "$work"
    source="$work/agent/src/seatkeeper_agent"
    bundle_as 0.2.98 "$1"
    sed --in-place 's/^    _end_in_order()$/    raise SettingsError("This release is broken.")/' "$source/api/server.py"
    grep --quiet 'This release is broken' "$source/api/server.py"
    bundle_as 0.2.99 "$1"
}

"bundle_$1" "$2"
