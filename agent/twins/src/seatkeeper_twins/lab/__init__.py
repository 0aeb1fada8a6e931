# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs: hosts on this machine without root, each a real agent beside its products' twins."""
