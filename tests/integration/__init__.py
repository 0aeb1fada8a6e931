# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection with the real ansible-playbook, real agents, and twins of the product."""
