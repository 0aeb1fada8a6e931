# SPDX-License-Identifier: GPL-3.0-or-later
"""The AltiGen driver: policy, papers, cover mail and the sending of it."""
