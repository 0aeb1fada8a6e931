# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared of a host: one way to ask for all kinds, one form of result for each."""
