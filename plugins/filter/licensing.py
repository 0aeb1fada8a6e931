# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters of the roles and playbooks; the logic is in plugin_utils."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._printable import made_printable
from ansible_collections.seatkeeper.licensing.plugins.module_utils._tables import table
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._allowed import more_to_read
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._declarations import (
    all_transfers,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._file_names import file_stem
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._hosts import unknown_hosts
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._legs import (
    Fleet,
    Told,
    Transfer,
    leg_calls,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._migrations import (
    migration_outcome,
    migrations_left,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._mistakes import mistakes
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._orders import (
    order_list,
    order_outcome,
    order_rows,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._outcome import (
    kept_borrows,
    kept_reading,
    kept_results,
    kept_sums,
    outcome,
    sum_problems,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._own_names import (
    no_facts,
    told_by,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._packages import (
    fences,
    package_file,
    package_method,
    server_mistakes,
    version_parts,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._places import borrows_of
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._release import (
    release_problems,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._server_moves import (
    adrift_lines,
    kept_known,
    kept_moves,
    machines_found,
    move_calls,
    move_licenses,
    move_outcome,
    move_rows,
    without_codes,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._servers import (
    declared_at,
    server_rows,
    wait_lines,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._state import (
    drift,
    drift_table,
    failures,
    held_up,
    misspelt,
    transfer_drift,
    vendors_here,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._trust import (
    trust_keys,
    trust_mistakes,
    trust_problems,
)


def _leg_calls(
    transfers: list[Transfer],
    leg: str,
    agent: str,
    told: list[Told],
    documents_dir: str | None = None,
) -> list[dict[str, t.Any]]:
    return leg_calls(transfers, leg, agent, Fleet(told), documents_dir)


def _shown(work: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    """What hosts returned comes to the controller through filters, and from there to a terminal."""

    @functools.wraps(work)
    def printable_work(*given: t.Any, **named: t.Any) -> t.Any:
        return made_printable(work(*given, **named))

    return printable_work


class FilterModule:
    """What Ansible asks a file of filters."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters by their names."""
        found: dict[str, t.Callable[..., t.Any]] = {
            "license_adrift_lines": adrift_lines,
            "license_borrow_list": borrows_of,
            "license_borrow_results": kept_borrows,
            "license_declared_at": declared_at,
            "license_drift": drift,
            "license_drift_table": drift_table,
            "license_failures": failures,
            "license_fences": fences,
            "license_held_up": held_up,
            "license_leg_calls": _leg_calls,
            "license_leg_results": kept_results,
            "license_machines_found": machines_found,
            "license_misspelt": misspelt,
            "license_mistakes": mistakes,
            "license_migration_outcome": migration_outcome,
            "license_migrations_left": migrations_left,
            "license_more_to_read": more_to_read,
            "license_move_calls": move_calls,
            "license_move_known": kept_known,
            "license_move_licenses": move_licenses,
            "license_move_outcome": move_outcome,
            "license_move_results": kept_moves,
            "license_move_rows": move_rows,
            "license_moves_without_codes": without_codes,
            "license_no_facts": no_facts,
            "license_order_list": order_list,
            "license_order_outcome": order_outcome,
            "license_order_rows": order_rows,
            "license_outcome": outcome,
            "license_file_stem": file_stem,
            "license_package_file": package_file,
            "license_package_method": package_method,
            "license_reading": kept_reading,
            "license_reading_after": kept_sums,
            "license_release_problems": release_problems,
            "license_server_mistakes": server_mistakes,
            "license_server_rows": server_rows,
            "license_sum_problems": sum_problems,
            "license_table": table,
            "license_told": told_by,
            "license_transfer_drift": transfer_drift,
            "license_transfer_list": all_transfers,
            "license_trust_keys": trust_keys,
            "license_trust_mistakes": trust_mistakes,
            "license_trust_problems": trust_problems,
            "license_unknown_hosts": unknown_hosts,
            "license_vendors": vendors_here,
            "license_version_parts": version_parts,
            "license_wait_lines": wait_lines,
        }
        return {name: _shown(work) for name, work in found.items()}
