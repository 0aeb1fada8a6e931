# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m hosts.packages.chaos FOLDER: make cgls_lin_VERSION.bin with a Chaos twin in it.

As has been seen of the vendor's installer: it extracts itself, asks nothing with --auto, starts the
server, and does nothing at all, without a word, under another name than its own.
"""

from __future__ import annotations

import io
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

import seatkeeper_twins

VERSION = "6.0.1"
PLACE = "/opt/chaos-twin"
UNIT = f"""\
[Unit]
Description=Stand-in for the Chaos License Server

[Service]
ExecStart=/usr/bin/python3 -P -m seatkeeper_twins.chaos server --dir /var/lib/chaos-twin \
    --port 30304 --profile 6 --cloud http://127.0.0.1:9 --usb /var/lib/chaos-twin-usb
Environment=PYTHONPATH={PLACE} PYTHONDONTWRITEBYTECODE=1
User=daemon
StateDirectory=chaos-twin chaos-twin-usb
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
"""
HEAD = f"""\
#!/bin/sh
# A stand-in for an installer; what follows the line PAYLOAD is a tar.
case "${{0##*/}}" in cgls_lin_{VERSION}.bin) ;; *) exit 0 ;; esac
[ "$1" = --auto ] || {{ echo "This installer would ask you now." >&2; exit 1; }}
set -e
mkdir -p {PLACE}
sed '1,/^PAYLOAD$/d' "$0" | tar -x -C {PLACE}
mv {PLACE}/chaos-twin.service /etc/systemd/system/
systemctl daemon-reload
systemctl enable --quiet --now chaos-twin.service
exit 0
PAYLOAD
"""


def make_installer(folder: Path) -> Path:
    """Write the installer; gives its file."""
    source = Path(seatkeeper_twins.__file__).parent
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name)
        ignore = shutil.ignore_patterns("__pycache__", "*.md")
        for package in ("parts", "chaos"):
            place = tree / "seatkeeper_twins" / package
            shutil.copytree(source / package, place, ignore=ignore)
        shutil.copy(source / "__init__.py", tree / "seatkeeper_twins")
        (tree / "chaos-twin.service").write_text(UNIT, encoding="utf-8")
        payload = io.BytesIO()
        with tarfile.open(fileobj=payload, mode="w", format=tarfile.GNU_FORMAT) as tar:
            tar.add(tree, ".", filter=_roots)
    folder.mkdir(parents=True, exist_ok=True)
    installer = folder / f"cgls_lin_{VERSION}.bin"
    installer.write_bytes(HEAD.encode() + payload.getvalue())
    installer.chmod(0o755)
    return installer


def _roots(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Everything belongs to root, may be read by all, and is the same at each making."""
    entry.mode = 0o755 if entry.isdir() else 0o644
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mtime = 0
    return entry


if __name__ == "__main__":
    print(make_installer(Path(sys.argv[1])))
