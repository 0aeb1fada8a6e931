# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo, a part for each vendor: ``python -m seatkeeper_twins.demo``."""
