# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts by kind, and what several of them start with; ``record.py`` lists them."""
