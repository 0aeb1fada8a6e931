# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the vendor drivers, against the real library of a twin."""
