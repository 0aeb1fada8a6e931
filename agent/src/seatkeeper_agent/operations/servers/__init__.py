# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared of a license server: settings, activation, seats for offline use."""
