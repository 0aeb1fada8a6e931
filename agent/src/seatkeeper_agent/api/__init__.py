# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP on a unix socket: routes, problems, roles."""
