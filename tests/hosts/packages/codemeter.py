# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m hosts.packages.codemeter FOLDER [VERSION]: make codemeter_VERSION_amd64.deb.

There is a twin in it. As with the product: a daemon codemeter.service, /usr/bin/cmu and the
library, whose place is /var/lib/codemeter because a twin's library lies beside its engine.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import seatkeeper_twins
from seatkeeper_twins.codemeter.build import build_library
from seatkeeper_twins.codemeter.twin import LIBRARY_NAME

VERSION = "9.10.7777.500"
BUILD_SECONDS_MAX = 600
PLACE = "usr/lib/codemeter-twin"
CONTROL = """\
Package: codemeter
Version: {version}
Architecture: amd64
Maintainer: Seatkeeper maintainers
Depends: python3 (>= 3.11)
Description: stand-in for the CodeMeter runtime, never serves a usable license
"""
UNIT = f"""\
[Unit]
Description=Stand-in for the CodeMeter runtime

[Service]
Type=notify
ExecStart=/usr/bin/python3 -P /{PLACE}/service.py
Environment=PYTHONPATH=/{PLACE} PYTHONDONTWRITEBYTECODE=1
User=daemon
StateDirectory=codemeter
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
"""
CMU = f"""\
#!/bin/sh
export PYTHONPATH=/{PLACE}
exec /usr/bin/python3 -P -B -m seatkeeper_twins.codemeter.cmu /var/lib/codemeter "$@"
"""
TWIN = f"""\
#!/bin/sh
export PYTHONPATH=/{PLACE}
exec /usr/bin/python3 -P -B -m seatkeeper_twins.codemeter "$@" --dir /var/lib/codemeter
"""


def make_package(folder: Path, version: str = VERSION) -> Path:
    """Build the package, of the same twin whatever the version; gives its file.

    BuildError without a compiler for the library.
    """
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name) / "tree"
        place = tree / PLACE
        source = Path(seatkeeper_twins.__file__).parent
        ignore = shutil.ignore_patterns("__pycache__", "*.md", "*.c")
        for part in ("parts", "codemeter"):
            shutil.copytree(source / part, place / "seatkeeper_twins" / part, ignore=ignore)
        shutil.copy(source / "__init__.py", place / "seatkeeper_twins")
        shutil.copy(build_library("current"), place / LIBRARY_NAME)
        shutil.copy(Path(__file__).with_name("codemeter_service.py"), place / "service.py")
        for path, content, mode in (
            ("DEBIAN/control", CONTROL.format(version=version), 0o644),
            ("lib/systemd/system/codemeter.service", UNIT, 0o644),
            ("usr/bin/cmu", CMU, 0o755),
            ("usr/bin/codemeter-twin", TWIN, 0o755),
        ):
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(content, encoding="utf-8")
            (tree / path).chmod(mode)
        folder.mkdir(parents=True, exist_ok=True)
        package = folder / f"codemeter_{version}_amd64.deb"
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(package)],
            check=True,
            capture_output=True,
            timeout=BUILD_SECONDS_MAX,
        )
    return package


if __name__ == "__main__":
    print(make_package(Path(sys.argv[1]), *sys.argv[2:]))
