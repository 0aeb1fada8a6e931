# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that need a whole machine: a real kernel, its USB, its users."""
