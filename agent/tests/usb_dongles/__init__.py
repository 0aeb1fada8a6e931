# SPDX-License-Identifier: GPL-3.0-or-later
"""USB dongles: recorded buses, and the real libusb on devices that umockdev plays."""
