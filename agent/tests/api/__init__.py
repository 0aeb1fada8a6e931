# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent promises to whoever asks it over its socket."""
