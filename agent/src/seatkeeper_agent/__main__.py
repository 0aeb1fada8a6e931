# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m seatkeeper_agent``."""

from __future__ import annotations

import sys

from seatkeeper_agent.cli import main

sys.exit(main())
