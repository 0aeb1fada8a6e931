# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be declared: how each kind is read from the variables of a host, and told of."""
