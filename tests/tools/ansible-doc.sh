#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Shows the documentation of every module and role from the installed artifact, as a user would.
set -euo pipefail
cd "$(dirname "$0")/../.."
export ANSIBLE_COLLECTIONS_PATH="$PWD/.cache/lint/installed" ANSIBLE_CONFIG=/dev/null
installed="$ANSIBLE_COLLECTIONS_PATH/ansible_collections/seatkeeper/licensing"

show() { # KIND NAME...
    local kind="$1"
    shift
    [[ $# -gt 0 ]] || { echo "ansible-doc: the artifact holds no $kind"; return 1; }
    ansible-doc --type "$kind" "${@/#/seatkeeper.licensing.}"
}

mapfile -t modules < <(find "$installed/plugins/modules" -name '[a-z]*.py' -printf '%f\n' | sed 's/\.py$//' | sort)
mapfile -t roles < <(find "$installed/roles" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort)
show module "${modules[@]}"
show role "${roles[@]}"
