# SPDX-License-Identifier: GPL-3.0-or-later
"""The Chaos driver against odd servers, programs and pages, and against the twin."""
