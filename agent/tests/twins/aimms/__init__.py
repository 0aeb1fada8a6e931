# SPDX-License-Identifier: GPL-3.0-or-later
"""The AIMMS twin: what licman shows, and what it keeps through every death."""
