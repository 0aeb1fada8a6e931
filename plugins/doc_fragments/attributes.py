# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes that the modules state about themselves."""

from __future__ import annotations


class ModuleDocFragment:
    """The fragment seatkeeper.licensing.attributes, and one part per kind of module."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and tell what would change, without changing it.
  diff_mode:
    description: Returns what changes in a form that C(--diff) shows.
  idempotent:
    description:
      - Run again with the same options it changes nothing and says so.
      - This assumes that nobody else changed the licenses in between.
"""

    ACTIONGROUP_LICENSING = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/seatkeeper.licensing.licensing) in C(module_defaults) to set
      options for this module.
    support: full
    membership:
      - seatkeeper.licensing.licensing
"""

    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This module reads only.
  diff_mode:
    support: N/A
    details:
      - This module reads only.
  idempotent:
    support: full
    details:
      - This module reads only.
"""
