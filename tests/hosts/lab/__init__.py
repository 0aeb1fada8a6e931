# SPDX-License-Identifier: GPL-3.0-or-later
"""Real hosts with systemd, SSH and an address each, for the scenarios in molecule/."""
