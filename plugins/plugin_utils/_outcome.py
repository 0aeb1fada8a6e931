# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run came to: its plan, what failed or waits, and whether all licenses are still there."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from datetime import datetime, timedelta, timezone

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._allowed import (
    kept_records,
    lots_allowed,
    open_allowed,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._answers import (
    check_leg,
    check_lots,
    check_records,
    check_view,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._legs import (
    ASK,
    LEGS,
    Fleet,
    Reported,
    Transfer,
    agent_of,
    needed_legs,
    over,
    run_order,
)

Sums = t.Dict[t.Tuple[str, str], int]

EXPIRY_MARGIN = timedelta(minutes=5)


def kept_reading(
    reported: Reported, read: dict[str, t.Any], ids: t.Container[str] = ()
) -> Reported:
    """What a host told, with what its agent holds and knows; a second reading looks up ``ids``."""
    if reported.get("before"):
        check_records(read.get("transfers"), reported["agent"])
        return kept_records(reported, read["transfers"], ids)
    check_view(read, reported["agent"])
    before = {
        "containers": read["containers"],
        "items": read["license_items"],
        "transfers": read["transfers"],
        "peers": read["peers"],
    }
    return {**reported, "before": before}


def kept_sums(reported: Reported, read: dict[str, t.Any]) -> Reported:
    """What a host told, with what its agent holds after the last leg."""
    check_view({"containers": [], **read}, reported["agent"])
    return {**reported, "after": {"items": read["license_items"], "transfers": read["transfers"]}}


def kept_results(reported: Reported, leg: str, results: list[dict[str, t.Any]]) -> Reported:
    """What a host told, with the results of one more leg."""
    kept = dict(reported["results"].get(leg, {}))
    for result in results:
        call = result["license_transfer_call"]
        check_leg(result, reported["agent"])
        done = "plan" in result
        waiting = bool(result.get("waiting"))
        kept[call["id"]] = {
            "changed": bool(result.get("changed")),
            "failed": not done,
            "waiting": waiting,
            "msg": None if done and not waiting else str(result.get("msg", "no reason was given")),
            "document": result.get("document"),
            "facts": result.get("facts") or {},
            "plan": result.get("plan") or {"digest": None, "steps": []},
        }
    return {**reported, "results": {**reported["results"], leg: kept}}


def kept_borrows(reported: Reported, results: list[dict[str, t.Any]]) -> Reported:
    """What a host told, with the transfers that its borrows bring about."""
    done = [result for result in results if "transfers" in result]
    for result in done:
        check_lots(result["transfers"], reported["agent"])
    return {
        **reported,
        "lots": [lot for result in done for lot in result["transfers"]],
        "failures": [
            f"{result['license_transfer_borrow']['name']}:"
            f" {result.get('msg', 'no reason was given')}"
            for result in results
            if "transfers" not in result
        ],
    }


def outcome(
    transfers: list[Transfer], agent: str, reported: list[Reported], documents_dir: str | None
) -> dict[str, t.Any]:
    """The plan of all hosts; failures and waits of the host of ``agent``."""
    fleet = Fleet(reported)
    plan = [row for transfer in transfers for row in _planned(transfer, fleet, bool(documents_dir))]
    failures = [
        text for host in reported if host["agent"] == agent for text in host.get("failures", ())
    ]
    failures += _refused(transfers, agent, reported)
    failures += [
        text
        for transfer in transfers
        for text in _failures(transfer, agent, fleet, bool(documents_dir))
    ]
    waits = [
        result["msg"]
        for transfer in transfers
        for leg in LEGS
        if (result := fleet.result(agent, leg, transfer["id"])) is not None and result["waiting"]
    ]
    confirmations = {
        transfer["name"]: result["plan"]["digest"]
        for transfer in transfers
        if (result := fleet.result(transfer["source"]["agent"], "issue", transfer["id"]))
        and not all(step["reversible"] for step in result["plan"]["steps"])
    }
    return {
        "legs": _legs_left(transfers, fleet, bool(documents_dir)),
        "plan": plan,
        "confirmations": confirmations,
        "failures": failures,
        "waits": waits,
    }


def _refused(transfers: list[Transfer], agent: str, reported: list[Reported]) -> list[str]:
    """What the agent claimed, and neither the inventory nor another host's journal covers."""
    declared = {transfer["id"] for transfer in transfers if transfer["declared"]}
    return [
        text
        for host in reported
        if host["agent"] == agent
        for text in (*lots_allowed(host, reported)[1], *open_allowed(host, reported, declared)[1])
    ]


def _legs_left(transfers: list[Transfer], fleet: Fleet, by_files: bool) -> list[str]:
    """The legs that some transfer still needs and no host has tried in this run."""
    left = {
        leg
        for transfer in transfers
        for leg in run_order(transfer, fleet, by_files)
        if fleet.result(agent_of(transfer, leg), leg, transfer["id"]) is None
    }
    return [leg for leg in (ASK, *LEGS) if leg in left]


def _planned(transfer: Transfer, fleet: Fleet, by_files: bool) -> t.Iterator[dict[str, t.Any]]:
    for leg in needed_legs(transfer, fleet, by_files):
        doer = agent_of(transfer, leg)
        result = fleet.result(doer, leg, transfer["id"])
        if result is None or not result["changed"]:
            continue
        for step in result["plan"]["steps"]:
            yield {
                "transfer": transfer["name"],
                "leg": leg,
                "host": doer,
                "step": step["name"],
                "title": step["title"],
                "reversible": step["reversible"],
                "performer": step["performer"],
            }


def _failures(transfer: Transfer, agent: str, fleet: Fleet, by_files: bool) -> t.Iterator[str]:
    for leg in (ASK, *LEGS):
        result = fleet.result(agent, leg, transfer["id"])
        if result is not None and result["failed"]:
            named = "issue" if leg == ASK else leg
            yield f"{transfer['name']}, leg {named}: {result['msg']}"
    if agent not in (transfer["source"]["agent"], transfer["target"]["agent"]):
        return
    reason = over(transfer, fleet)
    if reason is not None and agent == transfer["target"]["agent"]:
        yield reason
    absent = [
        transfer[side]["agent"]
        for side in ("source", "target")
        if transfer[side]["agent"] not in fleet
    ]
    if absent and transfer["declared"] and not by_files and needed_legs(transfer, fleet, by_files):
        yield (
            f"{transfer['name']}: no host of this play has the agent {absent[0]}. Add the host, or"
            " set license_transfer_documents_dir to carry the documents in files."
        )


def sum_problems(transfers: list[Transfer], reported: list[Reported]) -> list[str]:
    """Items of which there are more or fewer than before; empty when all are accounted for.

    Counted are usable amounts of all hosts and what is on its way between them. Items of which
    something went to or came from a host outside the play are left out, as are those whose
    borrow ends just now and those in doubt.
    """
    complete = [host for host in reported if host.get("before") and host.get("after")]
    left_out = _outside(transfers, complete) | _unsettled(complete)
    sums_before = _sums([host["before"] for host in complete])
    sums_after = _sums([host["after"] for host in complete])
    problems = []
    for key in sorted(set(sums_before) | set(sums_after)):
        code, measure = key
        was, is_now = sums_before.get(key, 0), sums_after.get(key, 0)
        if code not in left_out and was != is_now:
            problems.append(
                f"There were {was} {measure} of item {code} over all hosts and there are {is_now}"
                " now. Change nothing more and compare the history of the containers."
            )
    return problems


def _outside(transfers: list[Transfer], reported: list[Reported]) -> set[str]:
    agents = {host["agent"] for host in reported}
    return {
        _code(transfer["item"])
        for transfer in transfers
        if not {transfer["source"]["agent"], transfer["target"]["agent"]} <= agents
    }


def _unsettled(reported: list[Reported]) -> set[str]:
    soon = (datetime.now(timezone.utc) + EXPIRY_MARGIN).strftime("%Y-%m-%dT%H:%M:%SZ")
    codes = set()
    for host in reported:
        for view in (host["before"], host["after"]):
            codes |= {
                _code(item["item"])
                for item in view["items"]
                if item["borrowed_until"] is not None and item["borrowed_until"] <= soon
            }
            codes |= {
                _code(record["item"])
                for record in view["transfers"]
                if record["state"] in ("debiting", "crediting", "crediting_back")
            }
    return codes


def _sums(views: list[dict[str, t.Any]]) -> Sums:
    sums: Sums = defaultdict(int)
    for view in views:
        for item in view["items"]:
            for measure in ("seats", "units"):
                sums[_code(item["item"]), measure] += item[measure]
    arrived = {
        record["id"]
        for view in views
        for record in view["transfers"]
        if record["side"] == "target"
        and record["state"] in ("transferred", "transferred_receipted")
    }
    for view in views:
        for record in view["transfers"]:
            on_its_way = record["side"] == "source" and record["state"] == "in_transit"
            if on_its_way and record["id"] not in arrived:
                for measure, amount in record["amounts"].items():
                    sums[_code(record["item"]), measure] += amount
    return sums


def _code(item: str) -> str:
    return item.partition("@")[0]
