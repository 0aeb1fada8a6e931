#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# install.sh: install the Debian packages that tests/hosts and molecule/ need and this machine lacks.
# What cannot be had is only told: the tests then say why they cannot run, and in CI they fail.
# Usage: install.sh [--list]; --list only prints which packages these are.
set -euo pipefail

has_debian_lists() {
    apt-get indextargets 'Origin: Debian' 'Created-By: Packages' 2>/dev/null | grep --quiet .
}

missing=()
needs() { # PROGRAM PACKAGE
    command -v "$1" >/dev/null || missing+=("$2")
}
PATH="$PATH:/usr/sbin:/sbin"
needs qemu-system-x86_64 qemu-system-x86
needs qemu-img qemu-utils
needs mmdebstrap mmdebstrap
needs mke2fs e2fsprogs
# The hosts of molecule's scenarios.
needs systemd-nspawn systemd-container
needs ip iproute2
needs ssh openssh-client
needs tar tar
needs openssl openssl

if [[ "${1:-}" == --list ]]; then
    echo "${missing[*]}"
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "hosts: no apt-get here, nothing is installed"
    exit 0
fi
if [[ ${#missing[@]} -eq 0 ]] && has_debian_lists; then
    exit 0
fi
if [[ $(id -u) -ne 0 ]]; then
    echo "hosts: not root, so these packages are not installed: ${missing[*]:-(package lists)}"
    exit 0
fi
echo "hosts: installing ${missing[*]:-the package lists}"
apt-get update -qq || echo "hosts: apt-get update failed"
[[ ${#missing[@]} -eq 0 ]] ||
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
        "${missing[@]}" >/dev/null || echo "hosts: could not install ${missing[*]}"
