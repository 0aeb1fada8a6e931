# SPDX-License-Identifier: GPL-3.0-or-later
"""USB dongles of this host: what is plugged, what can be migrated, and migrating it."""
