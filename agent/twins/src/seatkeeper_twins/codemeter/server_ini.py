# SPDX-License-Identifier: GPL-3.0-or-later
"""Server.ini as the runtime treats it: read at the start, rewritten at the end (grade D)."""

from __future__ import annotations

from pathlib import Path

FILE_NAME = "Server.ini"

DEFAULT = """\
[General]
BindAddress=0.0.0.0
NetworkPort=22350
IsNetworkServer=0
IsCmWANServer=0
CmWANPort=22351
EnabledContainerTypes=4294967295
ProxyServer=
ProxyPort=0
ProxyUser=
UseSystemProxy=1
LogLicenseTracking=0
LogLicenseTrackingPath=
Logging=0
StartDaemon=1

[ServerSearchList]
UseBroadcast=1

[HTTP]
RemoteRead=1
DigestAuthentication=0

[Backup]
Interval=24

[TripleModeRedundancy]
TmrEnabled=0
"""
"""Keys of the package default (7.30) whose values are public."""


def read(directory: Path) -> str:
    """The whole text as it is at the start; the default when the file is missing."""
    path = directory / FILE_NAME
    return path.read_text(encoding="utf-8") if path.is_file() else DEFAULT


def write(directory: Path, text: str) -> None:
    """Replace the file in one step; a link stays, and the file behind it is replaced."""
    path = (directory / FILE_NAME).resolve()
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
