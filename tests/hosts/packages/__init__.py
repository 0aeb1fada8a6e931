# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages as vendors have them, with twins in them, for hosts that install something."""
