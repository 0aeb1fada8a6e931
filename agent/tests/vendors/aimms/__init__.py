# SPDX-License-Identifier: GPL-3.0-or-later
"""The AIMMS driver against odd programs and folders, and against the twin."""
