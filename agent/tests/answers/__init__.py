# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests of every kind and how they are answered, recorded as data.

Scripts say what is requested in terms of what is declared, never of a route; ``v1.py`` alone knows
the API. What was answered is compared with ``recorded/``, one line for each request.
"""
