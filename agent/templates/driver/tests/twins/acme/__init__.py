# SPDX-License-Identifier: GPL-3.0-or-later
"""The Acme twin: what it shows, and what it keeps through a death."""
