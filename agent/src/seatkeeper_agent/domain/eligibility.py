# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a dongle's licenses can be migrated: every rule of the vendor as a row.

The rules are Chaos's (grade D). The vendor adds "among other criteria", so no report can say
that a migration will be allowed; it can only say that nothing seen here speaks against it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from seatkeeper_agent.domain.rules import OnUnknown, RuleRow, RuleVerdict, verdict_of
from seatkeeper_agent.domain.servers import Dongle, ServerStatus
from seatkeeper_agent.domain.versions import at_least

SERVER_VERSION_MIN = "4.5.0"
WIBUKEY_VERSION_MIN = "6.00"
PRODUCT_VERSION_MIN = "3.0"
DONGLE_FAMILY = "wibukey"

_SHOWN_ALONE = {
    True: "",
    False: ", which the server lists nevertheless",
    None: "; whether it counts them nevertheless is seen at the server only",
}
ON_UNKNOWN: dict[str, tuple[OnUnknown, OnUnknown]] = {
    "server_version": (OnUnknown.BLOCKS, OnUnknown.BLOCKS),
    "one_dongle": (OnUnknown.CONFIRMED, OnUnknown.CONFIRMED),  # and more, see _on_unknown
    "wibukey_driver": (OnUnknown.BLOCKS, OnUnknown.BLOCKS),
    "dongle_local": (OnUnknown.SHOWN, OnUnknown.BLOCKS),
    "online_activated": (OnUnknown.BLOCKS, OnUnknown.BLOCKS),
    "user_logged_in": (OnUnknown.CONFIRMED, OnUnknown.CONFIRMED),
    "same_company": (OnUnknown.CONFIRMED, OnUnknown.CONFIRMED),
    "licenses_movable": (OnUnknown.CONFIRMED, OnUnknown.CONFIRMED),
    "vendor_criteria": (OnUnknown.CONFIRMED, OnUnknown.CONFIRMED),
}
"""What an unknown does, when a migration is planned and right before its irreversible step.

What the host can be asked blocks until it is known, at the latest before that step: what is seen
only with other dongles hidden and the dongle service on is looked at again then. What nobody here
can ask is confirmed in words, or stated by the operator and then not unknown any more.
"""

_AS_TEXT = {
    "one_dongle": "the vendor counts no dongle of another kind",
    "user_logged_in": "a valid user is logged in",
    "same_company": "dongle, logged-in user and target user are of one company",
    "licenses_movable": "it holds no perpetual license of a 2.x product",
    "vendor_criteria": "the vendor's further criteria are met",
}

MAKER_FAMILY = "wibu"
"""Devices of the same maker that the list of known dongles does not tell apart."""


@dataclass(frozen=True, slots=True)
class HeldLicense:
    """One license that the operator knows a dongle to hold.

    ``seats`` are its seats by kind, as an account shows them; None where that is not declared.
    """

    product: str
    version: str
    perpetual: bool
    seats: dict[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """What this host shows; None where it does not tell.

    ``dongles`` are those that drivers can have, ``hidden`` how many of the kind are hidden from
    them already; ``hides_others`` says that all but the ``chosen`` one will be. ``account`` is the
    one that this agent activated.
    """

    status: ServerStatus | None
    driver_version: str | None
    serves_this_host: bool
    dongles: tuple[Dongle, ...] | None
    chosen: Dongle
    hides_others: bool
    account: str | None
    licenses: tuple[HeldLicense, ...] | None
    target_user: str | None = None
    hidden: int = 0
    dongle_company: str | None = None
    account_company: str | None = None


def rules(sighting: Sighting, at_step: bool = False) -> tuple[RuleRow, ...]:
    """All rules in the order in which they are best mended.

    ``at_step`` is right before the irreversible step, with all prepared.
    """
    return tuple(
        replace(row, on_unknown=_on_unknown(row, sighting, at_step)) for row in _rows(sighting)
    )


def as_text(rows: tuple[RuleRow, ...]) -> tuple[str, ...]:
    """What a person confirms of the rules that nobody here can ask, as clauses."""
    return tuple(
        _AS_TEXT[row.rule]
        for row in rows
        if row.verdict is RuleVerdict.UNKNOWN and row.on_unknown is OnUnknown.CONFIRMED
    )


def _on_unknown(row: RuleRow, sighting: Sighting, at_step: bool) -> OnUnknown:
    if row.rule != "one_dongle":
        return ON_UNKNOWN[row.rule][at_step]
    seen, chosen = sighting.dongles, sighting.chosen
    if seen is None or chosen.family != DONGLE_FAMILY:
        return OnUnknown.BLOCKS
    if at_step:
        # How many the server counts shows now, with the others hidden.
        is_counted = _is_shown_alone(sighting, 0) is not None
        return OnUnknown.CONFIRMED if is_counted else OnUnknown.BLOCKS
    others = any(entry.family != DONGLE_FAMILY for entry in seen)
    return OnUnknown.CONFIRMED if others else OnUnknown.SHOWN


def _rows(sighting: Sighting) -> tuple[RuleRow, ...]:
    return (
        _server_version(sighting),
        _one_dongle(sighting),
        _wibukey_driver(sighting),
        _dongle_local(sighting),
        _online_activated(sighting),
        _user_logged_in(sighting),
        _same_company(sighting),
        _licenses_movable(sighting),
        _vendor_criteria(),
    )


def _server_version(sighting: Sighting) -> RuleRow:
    version = sighting.status.version if sighting.status else None
    return RuleRow(
        "server_version",
        f"license server {SERVER_VERSION_MIN} or newer",
        version or "the server does not tell its version",
        verdict_of(at_least(version, SERVER_VERSION_MIN)),
        "Update the license server with the vendor's installer.",
    )


def _one_dongle(sighting: Sighting) -> RuleRow:
    if sighting.dongles is None:
        observed, holds = "this host's USB cannot be looked at", None
    else:
        observed, holds = _counted(sighting, sighting.dongles)
    return RuleRow(
        "one_dongle",
        "exactly one dongle plugged",
        observed,
        verdict_of(holds),
        "Name a WibuKey dongle, and unplug all other dongles, or set isolate to hide them while"
        " this one is migrated.",
    )


def _counted(sighting: Sighting, seen: tuple[Dongle, ...]) -> tuple[str, bool | None]:
    """What is plugged, and whether it is exactly the chosen one; None if that cannot be told."""
    chosen, hidden = sighting.chosen, 0
    same = [dongle for dongle in seen if dongle.family == DONGLE_FAMILY]
    others = [dongle for dongle in seen if dongle.family != DONGLE_FAMILY]
    if sighting.hides_others and chosen in same:
        same, hidden = [chosen], len(same) - 1
    observed = f"{len(same)}: {', '.join(f'{d.id} at {d.path}' for d in same)}" if same else "none"
    text = _is_shown_alone(sighting, hidden)
    if hidden or sighting.hidden:
        observed += f", with {hidden + sighting.hidden} hidden from the driver"
        observed += _SHOWN_ALONE[text]
    if others:
        observed += f", and {len(others)} of another kind"
    if chosen.family == DONGLE_FAMILY:
        # Whether the vendor counts another maker's dongle is not known.
        if len(same) != 1:
            return observed, False
        return observed, text if text is False or not others else None
    # An unknown device of the same maker may be a WibuKey; anything else is none.
    maybe = chosen.family == MAKER_FAMILY and not same
    return f"{observed}; {chosen.id} is a {chosen.model}", None if maybe else False


def _is_shown_alone(sighting: Sighting, to_hide: int) -> bool | None:
    """Whether the one dongle is the only one to the driver as well.

    A hidden device can be had by nobody, but the kernel still lists it: what the driver makes of
    that is not known, and shows in how many dongles the server lists then.
    """
    if not to_hide and not sighting.hidden:
        return True
    status = sighting.status
    if to_hide or status is None or not status.dongle_service or not status.dongle_keys:
        return None
    return len(status.dongle_keys) == 1


def _wibukey_driver(sighting: Sighting) -> RuleRow:
    version = sighting.driver_version
    return RuleRow(
        "wibukey_driver",
        f"WibuKey driver {WIBUKEY_VERSION_MIN} or newer",
        version or "the driver's version cannot be asked for here",
        verdict_of(at_least(version, WIBUKEY_VERSION_MIN)),
        "Update the WibuKey driver; set chaos.wibukey_version_command to have it asked.",
    )


def _dongle_local(sighting: Sighting) -> RuleRow:
    status, seen = sighting.status, sighting.dongles
    observed, holds = "the dongle service is off, so the server lists no dongles", None
    if not sighting.serves_this_host:
        observed, holds = "the license server runs on another machine", False
    elif seen is None or sighting.chosen not in seen:
        observed = "the dongle is not on this host's USB, or it is hidden from the driver"
        holds = None if seen is None else False
    elif status is None or status.dongle_service is None:
        observed = "the server does not tell which dongles it sees"
    elif status.dongle_service:
        count = len(status.dongle_keys)
        observed = f"plugged here, and the server lists {count} dongle{'' if count == 1 else 's'}"
        holds = count > 0
    return RuleRow(
        "dongle_local",
        "dongle in the machine that runs the server",
        observed,
        verdict_of(holds),
        "Plug the dongle into the license server's own machine, and pass it through to no other.",
    )


def _online_activated(sighting: Sighting) -> RuleRow:
    activated = sighting.status.activated if sighting.status else None
    words = {True: "activated", False: "not activated", None: "the server does not tell"}
    return RuleRow(
        "online_activated",
        "online licensing activated",
        words[activated],
        verdict_of(activated),
        "Declare an online activation for this server.",
    )


def _user_logged_in(sighting: Sighting) -> RuleRow:
    activated = sighting.status.activated if sighting.status else None
    text = f"; activated here for {sighting.account}" if sighting.account else ""
    return RuleRow(
        "user_logged_in",
        "a valid user logged in",
        "nobody, online licensing is off"
        if activated is False
        else f"the server does not tell{text}",
        RuleVerdict.NOT_MET if activated is False else RuleVerdict.UNKNOWN,
        "Log a user in on the server's page or by an online activation; an activation by files"
        " logs nobody in.",
    )


def _same_company(sighting: Sighting) -> RuleRow:
    whom = f" and which company {sighting.target_user} is of" if sighting.target_user else ""
    dongles, accounts = sighting.dongle_company, sighting.account_company
    observed, holds = f"only the vendor knows who owns the dongle{whom}", None
    if dongles is not None and accounts is not None:
        observed = f"declared: the dongle of {dongles}, the account of {accounts}"
        holds = dongles.split() == accounts.split()
    return RuleRow(
        "same_company",
        "dongle's owner, logged-in user and target user of the same company",
        observed,
        verdict_of(holds),
        "Ask the vendor which company the dongle is registered to, and declare dongle_company and"
        " account_company.",
    )


def _licenses_movable(sighting: Sighting) -> RuleRow:
    held = sighting.licenses
    stuck = [entry for entry in held or () if _is_stuck(entry)]
    rest = [entry for entry in held or () if not _is_stuck(entry)]
    holds = None if not held else not stuck
    if stuck:
        observed = f"declared: {', '.join(map(_license_text, stuck))}; of the rest could be moved: "
        observed += ", ".join(map(_license_text, rest)) or "nothing, as there is no other"
    elif held:
        observed = "as declared, nothing stays behind; the server itself does not tell"
    else:
        observed = "the server does not tell what the dongle holds, and nothing is declared"
    return RuleRow(
        "licenses_movable",
        "no perpetual licenses of 2.x products",
        observed,
        verdict_of(holds),
        "Perpetual 2.x licenses cannot be moved: have the vendor replace them first, then declare"
        " what the dongle holds.",
    )


def _license_text(held: HeldLicense) -> str:
    kinds = ", ".join(f"{n} {kind}" for kind, n in (held.seats or {}).items())
    how = "perpetual" if held.perpetual else "with an end date"
    return f"{held.product} {held.version} {how}" + (f" ({kinds})" if kinds else "")


def _is_stuck(held: HeldLicense) -> bool:
    return held.perpetual and at_least(held.version, PRODUCT_VERSION_MIN) is False


def _vendor_criteria() -> RuleRow:
    return RuleRow(
        "vendor_criteria",
        "the vendor's further criteria, which it does not name",
        "cannot be observed",
        RuleVerdict.UNKNOWN,
        "If TRANSFER is missing although all else is met, ask the vendor.",
    )
