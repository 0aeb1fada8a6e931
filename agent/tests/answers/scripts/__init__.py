# SPDX-License-Identifier: GPL-3.0-or-later
"""One script for each kind, by the name of its recorded file."""
