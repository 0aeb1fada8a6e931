# SPDX-License-Identifier: GPL-3.0-or-later
"""What a migration is asked for, how it is remembered, and what its confirmation is bound to."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from typing import Any

from seatkeeper_agent.domain.eligibility import HeldLicense, as_text
from seatkeeper_agent.domain.planned_steps import digest
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.rules import RuleRow
from seatkeeper_agent.domain.servers import Dongle
from seatkeeper_agent.domain.transfers import NAMESPACE
from seatkeeper_agent.operations.dongles.report import DongleReports, Stated, report_view
from seatkeeper_agent.operations.people import planned_view
from seatkeeper_agent.operations.steps import Step

KIND = "dongle_migration"

Known = dict[str, Any] | None


@dataclass(frozen=True)
class MigrationRequest:
    """What is declared: one dongle, one account's user, and what is known of its licenses."""

    dongle: str
    target_user: str
    isolate: bool = False
    licenses: tuple[HeldLicense, ...] | None = None
    confirmation: str | None = None
    acknowledgement: str | None = None
    deadline_seconds: int | None = None
    dongle_company: str | None = None
    account_company: str | None = None

    @property
    def stated(self) -> Stated:
        """What of it is stated because no host can show it."""
        return Stated(self.licenses, self.target_user, self.dongle_company, self.account_company)


def acknowledgement(dongle_id: str, unknown: tuple[str, ...] = (), stopped: bool = False) -> str:
    """What has to be said in words, so that nobody does it by accident.

    It says as well what no host can show: of the rules, and after an attempt that was stopped.
    """
    said = f"The dongle {dongle_id} can never be used again"
    if unknown:
        said += f", and no program can tell whether {'; '.join(unknown)}"
    return f"{said}, and nobody has begun its migration so far." if stopped else f"{said}."


def migration_id(vendor: str, dongle: str) -> str:
    """The id of the only migration that a dongle can have."""
    return str(uuid.uuid5(NAMESPACE, f"migration/{vendor}/{dongle}"))


def operation_id(migration: str, attempt: int) -> str:
    """The id of one attempt at it."""
    return str(uuid.uuid5(NAMESPACE, f"{KIND}/{migration}/{attempt}"))


def declaration_of(
    request: MigrationRequest, dongle: Dongle, name: str, others: list[str], known: Known
) -> dict[str, Any]:
    """What is remembered of an order; ``known`` is what was of the attempt before, if one was.

    ``name`` is what the dongle is known by, ``names`` what it was declared by.
    """
    held = None if request.licenses is None else [asdict(entry) for entry in request.licenses]
    shown = {key: value for key, value in asdict(dongle).items() if key != "number"}
    before = known or {}
    return {
        "dongle": shown | {"id": dongle.id},
        "name": name,
        "names": sorted({name, request.dongle}),
        "target_user": request.target_user,
        "others": others,
        "licenses": held,
        "dongle_company": request.dongle_company,
        "account_company": request.account_company,
        "deadline_seconds": request.deadline_seconds,
        "attempt": before.get("attempt", 0) + 1,
        "stopped": before.get("disturbance"),
        "switched_off": False,
        "disturbance": None,
        "outcome": None,
    }


def licenses_from(documents: list[dict[str, Any]] | None) -> tuple[HeldLicense, ...] | None:
    """What the operator declared that it holds."""
    return None if documents is None else tuple(HeldLicense(**entry) for entry in documents)


def stated_in(document: dict[str, Any]) -> Stated:
    """What was stated in a declaration."""
    return Stated(
        licenses_from(document["licenses"]),
        document["target_user"],
        document.get("dongle_company"),
        document.get("account_company"),
    )


def plan_view(
    reports: DongleReports,
    declaration: dict[str, Any],
    steps: tuple[Step, ...],
    rows: tuple[RuleRow, ...],
) -> dict[str, Any]:
    """The steps and the digest of all that a confirmation relies on.

    Not on what the account holds: with every dongle it is more, and the next one's confirmation
    was given in advance.
    """
    status = reports.status()
    shown = [planned_view(step) for step in steps]
    depending = reports.dependencies()
    seen = {
        "dependencies": depending.as_document(),
        "dongles": [[entry.id, entry.path] for entry in reports.dongles()],
        "version": None if status is None else status.version,
        "activated": None if status is None else status.activated,
        "dongle_driver": reports.dongle_driver_version(),
    }
    fixed = {key: value for key, value in declaration.items() if key not in ("attempt", "names")}
    return {
        "digest": digest({"declaration": fixed, "steps": shown, "seen": seen}),
        "confirmation_required": True,
        "acknowledgement": acknowledgement(
            declaration["dongle"]["id"], as_text(rows), declaration["stopped"] is not None
        ),
        "warnings": list(depending.sentences()),
        "steps": shown,
    }


def require_confirmed(request: MigrationRequest, dongle: Dongle, plan: dict[str, Any]) -> None:
    """Refuse what is not confirmed for exactly this plan, and acknowledged in words."""
    facts = {"digest": plan["digest"], "acknowledgement": plan["acknowledgement"]}
    if request.confirmation != plan["digest"]:
        raise Problem(
            ProblemCode.CONFIRMATION_REQUIRED,
            f"Migrating the dongle {dongle.id} cannot be undone, and the confirmation given is"
            f" {'missing' if request.confirmation is None else 'for another plan'}."
            + "".join(f" {text}" for text in plan["warnings"]),
            f"Confirm exactly this plan with plan_digest {plan['digest']} if it shall run.",
            facts,
        )
    if request.acknowledgement != plan["acknowledgement"]:
        raise Problem(
            ProblemCode.ACKNOWLEDGEMENT_REQUIRED,
            f"Migrating the dongle {dongle.id} cannot be undone, and it was not acknowledged in"
            " words.",
            f"Acknowledge it with the sentence: {plan['acknowledgement']}",
            facts,
        )


def not_eligible(dongle: Dongle, report: dict[str, Any]) -> Problem:
    """The refusal, with every rule."""
    unmet = [
        row
        for row in report["rules"]
        if row["verdict"] == "not_met"
        or (row["verdict"] == "unknown" and row["on_unknown"] == "blocks")
    ]
    first = "; ".join(f"required is {row['required']}, seen is {row['observed']}" for row in unmet)
    return Problem(
        ProblemCode.DONGLE_NOT_ELIGIBLE,
        f"The dongle {dongle.id} cannot be migrated: {first}.",
        unmet[0]["advice"] if unmet else "Look at the report.",
        report,
    )


def dry_answer(dongle: Dongle, rows: tuple[RuleRow, ...], plan: dict[str, Any]) -> dict[str, Any]:
    """The answer of a dry run."""
    return {
        "changed": True,
        "before": {"dongle": dongle.id, "migrated": False},
        "after": {"dongle": dongle.id, "migrated": True},
        "report": report_view(rows),
        "plan": plan,
        "migration": None,
        "operation": None,
        "waiting": [],
    }
