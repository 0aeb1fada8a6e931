# SPDX-License-Identifier: GPL-3.0-or-later
"""Vendor drivers: one folder each, behind the protocols of operations.ports."""
