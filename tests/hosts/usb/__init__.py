# SPDX-License-Identifier: GPL-3.0-or-later
"""License dongles on a real kernel, in a virtual machine without a virtualizing processor."""
