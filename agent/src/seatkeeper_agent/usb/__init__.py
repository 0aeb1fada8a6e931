# SPDX-License-Identifier: GPL-3.0-or-later
"""License dongles on this host's USB: which there are, their coming and going, hiding them."""
