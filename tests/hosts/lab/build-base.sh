#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# build-base.sh FOLDER RELEASE: make the Debian that hosts of the labs start from, below FOLDER/tree
# Packages come from where this machine's own apt-get takes them. Needs root.
set -euo pipefail
tree="$(realpath "$1")/tree"
release="$2"

debian_sources() { # FORMAT: one line for every package list of Debian that apt-get knows
    apt-get indextargets --format "$1" 'Origin: Debian' 'Created-By: Packages'
}

# What follows a release's name, such as -updates, is kept.
mapfile -t mirrors < <(debian_sources 'deb $(SITE) $(RELEASE) $(COMPONENT)' |
    sed --regexp-extended "s/^(deb [^ ]+ )[a-z]+/\1$release/")
if [[ ${#mirrors[@]} -eq 0 ]]; then
    echo "build-base: apt-get has no Debian package lists here: run apt-get update, on Debian" >&2
    exit 1
fi
mapfile -t proxies < <(apt-config dump --no-empty Acquire::http Acquire::https | grep --ignore-case '::proxy' || true)

# Nobody logs in at a console, and libpam-systemd would cost seconds at each login.
packages=(systemd systemd-sysv dbus openssh-server sudo iproute2 procps udev polkitd
    python3 python3-apt python3-venv libusb-1.0-0 nftables)
# Not installed, but to be had without a network: what the agent's role installs, what plays
# dongles to libusb, and another firewall.
on_shelf=(acl umockdev gir1.2-umockdev-1.0 python3-gi firewalld)
# shellcheck disable=SC2016 # for the shell of mmdebstrap
fill_shelf='shelf="$1/srv/packages"
mkdir -p "$shelf"
mkdir "$shelf/partial"
chroot "$1" apt-get -qq install --yes --download-only --no-install-recommends \
    --option=Dir::Cache::archives=/srv/packages '"${on_shelf[*]}"'
rm -r "$shelf/partial" "$shelf/lock"
for package in "$shelf"/*.deb; do
    dpkg-deb --field "$package"
    echo "Filename: ./${package##*/}"
    echo "Size: $(stat --format=%s "$package")"
    echo "SHA256: $(sha256sum "$package" | cut -c 1-64)"
    echo
done >"$shelf/Packages"'
leave_out=("/usr/share/doc/*" "/usr/share/info/*" "/usr/share/locale/*" "/usr/share/man/*")
mmdebstrap --quiet --mode=root --variant=minbase \
    --include="$(IFS=,; echo "${packages[*]}")" \
    "${proxies[@]/#/--aptopt=}" \
    "${leave_out[@]/#/--dpkgopt=path-exclude=}" \
    --customize-hook="$fill_shelf" \
    "$release" "$tree" "${mirrors[@]}"

chroot "$tree" useradd --create-home --shell /bin/bash --password '*' ansible
install -d -m 0700 -o 1000 -g 1000 "$tree/home/ansible/.ssh"
echo 'ansible ALL=(ALL) NOPASSWD: ALL' >"$tree/etc/sudoers.d/ansible"
chmod 0440 "$tree/etc/sudoers.d/ansible"

rm -f "$tree"/etc/apt/sources.list "$tree"/etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/srv/packages ./' >"$tree/etc/apt/sources.list.d/shelf.list"

# Each host has an identity of its own.
: >"$tree/etc/machine-id"
rm -f "$tree/var/lib/dbus/machine-id" "$tree"/etc/ssh/ssh_host_*
: >"$tree/etc/resolv.conf"

printf 'UseDNS no\nPasswordAuthentication no\n' >"$tree/etc/ssh/sshd_config.d/lab.conf"
mkdir -p "$tree/etc/systemd/journald.conf.d"
printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=8M\n' >"$tree/etc/systemd/journald.conf.d/lab.conf"
ln -sfn /lib/systemd/system/multi-user.target "$tree/etc/systemd/system/default.target"
# What a host without a kernel, a clock and a console of its own has no use for.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    fstrim.timer console-getty.service getty.target systemd-networkd.service \
    systemd-resolved.service systemd-timesyncd.service systemd-udevd.service \
    systemd-udevd-kernel.socket systemd-udevd-control.socket systemd-udev-trigger.service \
    systemd-logind.service; do
    ln -sfn /dev/null "$tree/etc/systemd/system/$unit"
done
