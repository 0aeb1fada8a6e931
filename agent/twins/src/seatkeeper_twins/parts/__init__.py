# SPDX-License-Identifier: GPL-3.0-or-later
"""What twins are made of, whatever the product: a kept state, faults, HTTP, control, commands.

Standard library only, and nothing of any vendor: a twin may run where nothing is installed.
"""

from __future__ import annotations
