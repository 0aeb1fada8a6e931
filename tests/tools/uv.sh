#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the uv of .venv with what pip is told by its settings: who installs through a mirror or with
# certificates of their own says so once, to pip.
# Usage: uv.sh ARGUMENT...
set -euo pipefail
bin="$(cd "$(dirname "$0")/../.." && pwd)/.venv/bin"
settings="$("$bin/python" -m pip --disable-pip-version-check config list)"

setting() { # NAME ; of the environment, else of pip's files, the narrower one first
    local variable="PIP_${1^^}" scope value
    variable="${variable//-/_}"
    if [[ -n "${!variable:-}" ]]; then
        echo "${!variable}"
        return
    fi
    for scope in install global; do
        value="$(sed -n "s/^$scope\.$1='\(.*\)'$/\1/p" <<<"$settings")"
        if [[ -n "$value" ]]; then
            # pip shows the lines of a setting that has several as \n.
            echo "${value//\\n/ }"
            return
        fi
    done
}

there() { # PLACE... ; without folders that are not there, which pip only warns of
    local place kept=()
    for place in "$@"; do
        [[ "$place" == *://* && "$place" != file://* || -e "${place#file://}" ]] && kept+=("$place")
    done
    echo "${kept[*]}"
}

take() { # UV_VARIABLE PIP_SETTING ; what is said to uv itself stands
    local value
    value="$(setting "$2")"
    case "$2" in *index-url | find-links)
        # shellcheck disable=SC2086 # several places, apart by spaces
        value="$(there $value)" ;;
    esac
    [[ -z "$value" || -n "${!1:-}" ]] || export "$1=$value"
}

take UV_DEFAULT_INDEX index-url
take UV_INDEX extra-index-url
take UV_FIND_LINKS find-links
[[ -z "${UV_FIND_LINKS:-}" ]] || export UV_FIND_LINKS="${UV_FIND_LINKS// /,}"
take SSL_CERT_FILE cert
take HTTPS_PROXY proxy
take UV_INSECURE_HOST trusted-host
take UV_HTTP_TIMEOUT default-timeout
# As pip does; which file it is that an index has is for the hashes of a lock to say.
export UV_INDEX_STRATEGY=unsafe-best-match
# A copy: what is changed in an environment by hand changes no other one through uv's cache.
export UV_LINK_MODE=copy
exec "$bin/uv" --quiet --no-config --no-python-downloads "$@"
