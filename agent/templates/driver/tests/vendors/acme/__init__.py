# SPDX-License-Identifier: GPL-3.0-or-later
"""The Acme driver against its twin, and through the agent's operations."""
