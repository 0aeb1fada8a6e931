# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between operating systems, and that nothing else does."""
