# SPDX-License-Identifier: GPL-3.0-or-later
"""The AltiGen twin by itself: mailbox, desk, phone systems, faults."""
