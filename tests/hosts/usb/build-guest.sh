#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# build-guest.sh FOLDER: make a bootable Debian with a real USB stack: FOLDER/{vmlinuz,initrd.img,root.ext4}
# Packages come from where this machine's own apt-get takes them. Needs root.
set -euo pipefail
output="$(realpath "$1")"
work="$(mktemp --directory "$output/build.XXXXXX")"
trap 'rm -rf "$work"' EXIT
tree="$work/tree"

debian_sources() { # FORMAT: one line for every package list of Debian that apt-get knows
    apt-get indextargets --format "$1" 'Origin: Debian' 'Created-By: Packages'
}

mapfile -t mirrors < <(debian_sources 'deb $(SITE) $(RELEASE) $(COMPONENT)')
if [[ ${#mirrors[@]} -eq 0 ]]; then
    echo "build-guest: apt-get has no Debian package lists here: run apt-get update, on Debian" >&2
    exit 1
fi
mapfile -t proxies < <(apt-config dump --no-empty Acquire::http Acquire::https | grep --ignore-case '::proxy' || true)

# The cloud kernel has no USB, so it is the ordinary one. Drivers that a virtual machine never has
# are most of its size and are left out.
leave_out=("/usr/share/doc/*" "/usr/share/info/*" "/usr/share/locale/*" "/usr/share/man/*")
for part in drivers/gpu drivers/media drivers/infiniband drivers/iio drivers/staging \
    drivers/net/ethernet drivers/net/wireless drivers/scsi drivers/isdn sound fs/btrfs fs/xfs; do
    leave_out+=("/lib/modules/*/kernel/$part/*")
done

# Only what finds the root disk goes into the initial ramdisk.
prepare_ramdisk='mkdir -p "$1/etc/initramfs-tools/conf.d"
echo MODULES=list >"$1/etc/initramfs-tools/conf.d/seatkeeper.conf"
printf "%s\n" virtio_pci virtio_blk ext4 >"$1/etc/initramfs-tools/modules"'

mmdebstrap --quiet --mode=root --variant=essential \
    --include=systemd-sysv,udev,kmod,acl,python3,libusb-1.0-0,usbutils,usbip,qemu-guest-agent \
    --include=initramfs-tools,linux-image-amd64 \
    "${proxies[@]/#/--aptopt=}" \
    "${leave_out[@]/#/--dpkgopt=path-exclude=}" \
    --essential-hook="$prepare_ramdisk" \
    "$(debian_sources '$(CODENAME)' | head --lines=1)" "$tree" "${mirrors[@]}"

echo guest >"$tree/etc/hostname"
echo vhci_hcd >"$tree/etc/modules-load.d/usbip.conf"
cat >"$tree/etc/systemd/network/wired.network" <<'END'
[Match]
Type=ether
[Network]
Address=10.0.2.15/24
LinkLocalAddressing=no
END
systemctl --quiet --root="$tree" enable systemd-networkd.service
systemctl --quiet --root="$tree" mask getty@tty1.service serial-getty@ttyS0.service \
    systemd-networkd-wait-online.service e2scrub_reap.service systemd-pstore.service

mv "$tree"/boot/vmlinuz-* "$output/vmlinuz"
mv "$tree"/boot/initrd.img-* "$output/initrd.img"
rm -f "$output/root.ext4"
mke2fs -q -t ext4 -O ^has_journal -d "$tree" "$output/root.ext4" 1G
