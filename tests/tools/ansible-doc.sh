#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Shows the documentation of every module, filter and role from the installed artifact, as a user would.
set -euo pipefail
cd "$(dirname "$0")/../.."
export ANSIBLE_COLLECTIONS_PATH="$PWD/.cache/lint/installed"
installed="$ANSIBLE_COLLECTIONS_PATH/ansible_collections/seatkeeper/licensing"

cd "$ANSIBLE_COLLECTIONS_PATH" # away from the checkout's own ansible.cfg

show() { # KIND NAME...
    local kind="$1"
    shift
    [[ $# -gt 0 ]] || { echo "ansible-doc: the artifact holds no $kind"; return 1; }
    ansible-doc --type "$kind" "${@/#/seatkeeper.licensing.}"
}

names() { # FOLDER ENDING
    find "$installed/plugins/$1" -name "[a-z]*.$2" -printf '%f\n' | sed "s/\.$2\$//" | sort
}

mapfile -t modules < <(names modules py)
mapfile -t filters < <(names filter yml)
mapfile -t roles < <(find "$installed/roles" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort)
show module "${modules[@]}"
show filter "${filters[@]}"
show role "${roles[@]}"
