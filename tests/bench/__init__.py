# SPDX-License-Identifier: GPL-3.0-or-later
"""Benchmarks: ratios of the agent to the bare parts it is made of, both sides in one run."""
