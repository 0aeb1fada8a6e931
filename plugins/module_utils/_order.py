# SPDX-License-Identifier: GPL-3.0-or-later
"""An order of license moves: judged and priced, confirmed, waited for, or refused."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._client import (
    AgentClient,
    path_of,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import day, order_id
from ansible_collections.seatkeeper.licensing.plugins.module_utils._papers import keep_papers
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import LicenseProblem
from ansible_collections.seatkeeper.licensing.plugins.module_utils._reports import (
    readable,
    report_table,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._waiting import (
    request_with_retries,
    waiting_members,
)

Params = t.Dict[str, t.Any]
Result = t.Dict[str, t.Any]

TO_BE_ASKED = "to be asked"


def run_order(params: Params, client: AgentClient, check_mode: bool) -> Result:
    """Have the order placed and followed; the module's whole result."""
    path = path_of("orders", order_id(params["name"]))
    body = {**order_declaration(params), "plan_digest": params["plan_digest"]}
    seen: list[Result] = []

    def ask() -> Result:
        seen.append(client.change("PUT", path, body, check_mode))
        return seen[-1]

    try:
        answer = request_with_retries(client, ask, 0 if check_mode else params["wait_timeout"])
    except LicenseProblem as problem:
        quote = problem.document.get("quote")
        raise readable(problem, judged=None if quote is None else _quoted(quote)) from problem
    went_on = len(seen) > 1 and _states(seen[0]) != _states(answer)
    documents, written = _documents(params, client, answer, check_mode)
    changed = bool(answer["changed"]) or went_on or written
    return _shaped(params["name"], {**answer, "changed": changed}, documents)


def quote_table(quote: dict[str, t.Any]) -> list[str]:
    """The quote as lines of text: what is not known is to be asked, and so is the total then."""
    rows = [(_amount(line, quote["currency"]), line["text"]) for line in quote["lines"]]
    total = quote["total"]
    sum_reported = TO_BE_ASKED if total is None else f"{total} {quote['currency']}"
    rows.append((sum_reported, "Total"))
    width = max(len(amount) for amount, _text in rows)
    papers = ", ".join(name.replace("_", " ") for name in quote["documents"])
    return [*(f"{amount.rjust(width)}  {text}" for amount, text in rows), f"Papers: {papers}"]


def _amount(line: dict[str, t.Any], currency: str) -> str:
    if line["to_be_asked"]:
        return TO_BE_ASKED
    # What a conversion costs is part of another line.
    return "" if line["amount"] is None else f"{line['amount']} {currency}"


def order_declaration(params: Params) -> dict[str, t.Any]:
    """What the agent is told; an option that was left out is left out there."""
    prices = _given(params["prices"] or {})
    years = prices.get("assurance_per_year")
    if years is not None:
        # As texts: 120.5 and "120.5" are one price, in every run.
        prices["assurance_per_year"] = {str(name): str(price) for name, price in years.items()}
    return {
        "name": params["name"],
        "source": _system(params["source"], "source"),
        "target": _system(params["target"], "target"),
        "keys": [_given(key) for key in params["keys"]],
        "on": None if params["date"] is None else day("date", params["date"]),
        "fields": {str(name): str(value) for name, value in (params["fields"] or {}).items()},
        "prices": prices,
        "rules": list(params["rules"] or ()),
        "case_number": params["case_number"],
        "new_keys": [_given(key) for key in params["new_keys"] or ()],
        "others": [_other(other) for other in params["others"] or ()],
    }


def _other(other: dict[str, t.Any]) -> dict[str, t.Any]:
    """As it was given; what is missing the agent names."""
    given = _given(other)
    if "ended_on" in given:
        given["ended_on"] = day("others.ended_on", str(given["ended_on"]))
    for side in ("source", "target"):
        if isinstance(given.get(side), dict):
            given[side] = _system(given[side], f"others.{side}")
    if isinstance(given.get("keys"), list):
        given["keys"] = [_given(key) if isinstance(key, dict) else key for key in given["keys"]]
    return given


def _system(system: dict[str, t.Any], option: str) -> dict[str, t.Any]:
    given = _given(system)
    for name in ("assurance_until", "stations_as_of"):
        if name in given:
            given[name] = day(f"{option}.{name}", str(given[name]))
    return given


def _given(options: dict[str, t.Any]) -> dict[str, t.Any]:
    return {name: value for name, value in options.items() if value is not None}


def _states(answer: Result) -> list[str]:
    return [step["state"] for step in answer["plan"]["steps"]]


def _documents(
    params: Params, client: AgentClient, answer: Result, check_mode: bool
) -> tuple[list[str], bool]:
    """The paths of the papers, and whether one was, or would be, written."""
    name, folder = params["name"], params["documents_dir"]
    if answer["order"] is None:
        return [], False
    found = client.get(f"{path_of('orders', order_id(name))}/documents")["documents"]
    if folder is None:
        return [str(entry["path"]) for entry in found], False
    return keep_papers(folder, name, found, check_mode)


def _shaped(name: str, answer: Result, documents: list[str]) -> Result:
    report, quote = _judged(answer)
    before, after = dict(answer["before"] or {}), dict(answer["after"] or {})
    shown = {"report": report["report_table"], "quote": quote["quote_table"]}
    # What was judged before is no change; the first time all of it is.
    known = {} if before.get("state") == "none" else shown
    return {
        "changed": answer["changed"],
        **report,
        **quote,
        "plan": answer["plan"],
        "digest": answer["plan"]["digest"],
        "order": _order(answer["order"]),
        "documents": documents,
        "operation": answer["operation"],
        "before": before,
        "after": after,
        **waiting_members(answer),
        "diff": {
            "before_header": f"order {name}, before",
            "after_header": f"order {name}, after",
            "before": {**before, **known},
            "after": {**after, **shown},
        },
    }


def _order(order: dict[str, t.Any] | None) -> dict[str, t.Any] | None:
    """The order, with its keys under a name that a template reaches with a dot."""
    if order is None:
        return None
    return {"license_keys" if name == "keys" else name: value for name, value in order.items()}


def _judged(answer: Result) -> tuple[Result, Result]:
    report = answer["report"]
    shown = {"report": report, "report_table": report_table(report["rules"])}
    return shown, _quoted(answer["quote"])


def _quoted(quote: dict[str, t.Any]) -> Result:
    return {"quote": quote, "quote_table": quote_table(quote)}
