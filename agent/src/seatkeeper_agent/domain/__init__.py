# SPDX-License-Identifier: GPL-3.0-or-later
"""What licenses, transfers and plans are: pure rules without clock, files or frameworks."""
