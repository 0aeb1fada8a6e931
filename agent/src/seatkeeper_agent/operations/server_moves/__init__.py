# SPDX-License-Identifier: GPL-3.0-or-later
"""License servers that move to another machine."""
