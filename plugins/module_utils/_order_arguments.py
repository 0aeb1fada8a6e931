# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module license_order."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._arguments import ArgumentSpec

# License keys and system keys stand on papers and in cases: they name things and open nothing.
SYSTEM = {
    "name": {"type": "str", "required": True},
    "system_key": {"type": "str", "required": True, "no_log": False},
    "owner": {"type": "str", "required": True},
    "chassis": {"type": "str", "required": True},
    "registered": {"type": "bool"},
    "assurance_until": {"type": "str"},
    "stations": {"type": "int"},
    "stations_as_of": {"type": "str"},
}
KEY = {
    "key": {"type": "str", "required": True, "no_log": False},
    "product": {"type": "str", "required": True},
    "quantity": {"type": "int"},
}

ORDER_ARGUMENTS: t.Final = ArgumentSpec(
    options={
        "name": {"type": "str", "required": True},
        "source": {"type": "dict", "required": True, "options": SYSTEM},
        "target": {"type": "dict", "required": True, "options": SYSTEM},
        "keys": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "no_log": False,
            "options": KEY,
        },
        "date": {"type": "str"},
        "fields": {"type": "dict"},
        "prices": {
            "type": "dict",
            "options": {
                "move_fee": {"type": "str"},
                "assurance_per_year": {"type": "dict"},
                "days_per_year": {"type": "int"},
                "currency": {"type": "str"},
            },
        },
        "rules": {"type": "list", "elements": "dict"},
        "case_number": {"type": "str"},
        "new_keys": {
            "type": "list",
            "elements": "dict",
            "no_log": False,
            "options": KEY,
        },
        "others": {"type": "list", "elements": "dict"},
        "plan_digest": {"type": "str"},
        "documents_dir": {"type": "path"},
    },
)
