# SPDX-License-Identifier: GPL-3.0-or-later
"""The one service for all that is declared: a result for each, whatever becomes of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import Envelope
from seatkeeper_agent.operations.declared.kinds import Asked, Brought, Kind, Outcome

_UNKNOWN = frozenset(
    {
        ProblemCode.RUNTIME_UNAVAILABLE,
        ProblemCode.RUNTIME_UNFINISHED,
        ProblemCode.USB_UNAVAILABLE,
        ProblemCode.IN_DOUBT,
        ProblemCode.CLOCK_IMPLAUSIBLE,
    }
)
"""With these nobody can say whether what is declared is so."""

Check = Callable[[str, Any], None]
"""Holds a document against a schema; Problem for one that does not fit."""
Kinds = Mapping[str, Mapping[str, Kind]]
"""By the vendor's name, then by that of the kind."""
Result = dict[str, Any]


class DeclaredService:
    """Asks each declaration of the kind that it names, at the product that has this kind."""

    def __init__(
        self,
        kinds: Kinds,
        check: Check,
        look_again: Callable[[str, str], None],
    ) -> None:
        """``look_again`` ends what is in doubt at a vendor's product, where that shows by now."""
        self._kinds = kinds
        self._check = check
        self._look_again = look_again

    def public(self, body: dict[str, Any]) -> dict[str, Any]:
        """The request without what nobody is shown, to know it again by."""
        kinds = {name: kind for each in self._kinds.values() for name, kind in each.items()}
        entries = [
            {**entry, "declared": _shown(kinds[entry["kind"]], entry["declared"])}
            for entry in body["declarations"]
            if entry["kind"] in kinds
        ]
        return {**body, "declarations": entries}

    def put(self, body: dict[str, Any], actor: str, may_confirm: bool) -> dict[str, Any]:
        """Everything that one request declares; ``body`` fits the schema of a state.

        JournalError where nothing can be written down: then nothing else is tried.
        """
        brought = _by_declaration(body.get("documents", ()))
        evidence = {entry["agent"]: entry["envelope"] for entry in body.get("evidence", ())}
        kinds = self._for_plans() if body["dry_run"] else self._kinds
        results = [
            self._put(kinds, entry, body["dry_run"], brought, evidence, actor, may_confirm)
            for entry in body["declarations"]
        ]
        documents = [
            {"declaration": result["id"], **given}
            for result in results
            for given in result.pop("documents")
        ]
        return {"dry_run": body["dry_run"], "results": results, "documents": documents}

    def _for_plans(self) -> Kinds:
        return {
            vendor: {name: kind.planning() for name, kind in kinds.items()}
            for vendor, kinds in self._kinds.items()
        }

    def _put(
        self,
        kinds: Kinds,
        entry: dict[str, Any],
        is_dry_run: bool,
        brought: dict[str, tuple[Brought, ...]],
        evidence: dict[str, Envelope],
        actor: str,
        may_confirm: bool,
    ) -> Result:
        asked = Asked(
            entry["id"],
            entry["declared"],
            actor,
            is_dry_run,
            brought.get(entry["id"], ()),
            evidence,
        )
        # Nothing of it is repeated before it is known what may be shown.
        shown: dict[str, Any] = {}
        try:
            vendor, kind = _kind_of(kinds, entry)
            entry = {**entry, "vendor": vendor}
            self._check(kind.schema, asked.declared)
            shown = _shown(kind, asked.declared)
            self._check_brought(kind, asked)
            self._require_may_confirm(kind, asked, may_confirm)
            if not is_dry_run:
                self._look_again(vendor, actor)
            return _result(entry, shown, kind.put(asked), is_dry_run)
        except Problem as problem:
            return _result(entry, shown, Outcome(changed=False, problem=problem), is_dry_run)

    def _check_brought(self, kind: Kind, asked: Asked) -> None:
        for entry in asked.brought:
            if entry.kind not in kind.brings:
                there = ", ".join(kind.brings) or "none"
                raise Problem(
                    ProblemCode.REQUEST_INVALID,
                    f"A {kind.name} is brought no document of the kind {entry.kind}.",
                    f"Bring what the other host gave; there may be: {there}.",
                )
            self._check(kind.brings[entry.kind], entry.facts)

    def _require_may_confirm(self, kind: Kind, asked: Asked, may_confirm: bool) -> None:
        confirms = kind.confirms is not None and asked.declared.get(kind.confirms) is not None
        if not confirms or asked.is_dry_run or may_confirm:
            return
        raise Problem(
            ProblemCode.FORBIDDEN,
            f"The user {asked.actor} may not confirm an irreversible plan: that needs the role"
            " migrator.",
            "Have a migrator do it.",
        )


def _kind_of(kinds: Kinds, entry: dict[str, Any]) -> tuple[str, Kind]:
    name, wanted = entry["kind"], entry.get("vendor")
    having = {vendor: each[name] for vendor, each in kinds.items() if name in each}
    found = {vendor: kind for vendor, kind in having.items() if wanted in (None, vendor)}
    if len(found) == 1:
        return next(iter(found.items()))
    of = "" if wanted is None else f" of {wanted}"
    if not found:
        here = ", ".join(f"{name} of {vendor}" for vendor in having) or "none of this kind"
        raise Problem(
            ProblemCode.VENDOR_UNKNOWN,
            f"This agent has nothing that a {name}{of} can be declared of.",
            f"It has {here}: install the product, or name it in the agent's settings.",
        )
    raise Problem(
        ProblemCode.REQUEST_INVALID,
        f"A {name} can be declared of {' and of '.join(found)} here.",
        "Name the vendor.",
    )


def _shown(kind: Kind, declared: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in declared.items() if name not in kind.secrets}


def _by_declaration(entries: Any) -> dict[str, tuple[Brought, ...]]:
    found: dict[str, tuple[Brought, ...]] = {}
    for entry in entries:
        brought = Brought(entry["kind"], entry.get("envelope"), entry.get("facts") or {})
        found[entry["declaration"]] = (*found.get(entry["declaration"], ()), brought)
    return found


def _result(
    entry: dict[str, Any], shown: dict[str, Any], done: Outcome, is_dry_run: bool
) -> Result:
    if done.problem is not None:
        outcome = "unknown" if done.problem.code in _UNKNOWN else "failed"
    elif done.changed:
        outcome = "would_change" if is_dry_run else "changed"
    else:
        outcome = "same" if done.waits_for is None else "waits"
    return {
        **_about(entry, shown),
        "outcome": outcome,
        "changed": done.changed,
        "present": done.present,
        "before": done.before,
        "after": done.after,
        "steps": list(done.steps),
        "digest": done.digest,
        "confirmation_required": done.must_be_confirmed,
        "waits_for": done.waits_for,
        "next": done.next,
        "details": done.details,
        "problem": None if done.problem is None else done.problem.as_document(),
        "documents": [given.as_document() for given in done.documents],
    }


def _about(entry: dict[str, Any], shown: dict[str, Any]) -> Result:
    named = {"id": entry["id"], "kind": entry["kind"], "vendor": entry.get("vendor")}
    return {**named, "declared": shown}
