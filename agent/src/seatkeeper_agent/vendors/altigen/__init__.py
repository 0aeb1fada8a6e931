# SPDX-License-Identifier: GPL-3.0-or-later
"""AltiGen MaxCS: the vendor's staff moves licenses; this prepares, mails and tells the steps."""

from __future__ import annotations
