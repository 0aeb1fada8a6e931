# SPDX-License-Identifier: GPL-3.0-or-later
"""The words on the vendor's pages, as its documents write them (grade D; borrowing grade T)."""

from __future__ import annotations

ONLINE_LICENSING = "ONLINE LICENSING"

DONGLE = "DONGLE"
TRANSFER = "TRANSFER"
TRANSFER_NOW = "TRANSFER >>"
CLOSE = "CLOSE"

USE_LICENSES_OFFLINE = "Use licenses offline"
NEXT = "Next"
PREVIEW = "PREVIEW"
BORROW = "BORROW"
AUTO_RENEW = "AUTO-RENEW"
RELEASE = "RELEASE"

WORKSTATIONS = "WORKSTATIONS"
ACTIVATE_WORKSTATION = "Activate Workstation"
ACTIVATE = "Activate"
DOWNLOAD_CRT = "Download .crt File"
