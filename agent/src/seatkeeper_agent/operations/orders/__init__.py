# SPDX-License-Identifier: GPL-3.0-or-later
"""License moves that a vendor's staff performs: judged, priced, documented, followed to the end."""
