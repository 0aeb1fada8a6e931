# SPDX-License-Identifier: GPL-3.0-or-later
"""CodeMeter: the runtime library in a process of its own, cmu, and Server.ini.

This file imports nothing, because the worker process starts through it without site-packages.
"""
