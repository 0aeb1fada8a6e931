# SPDX-License-Identifier: GPL-3.0-or-later
"""Journaled work: the engine and the operations that are made of its steps."""
