# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles for license servers and dongles share: whose entry it is, and who is awaited."""

from __future__ import annotations

import shlex
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._printable import one_line

Entry = t.Dict[str, t.Any]

_WHO: t.Final = {"person": "a person", "vendor": "the vendor"}


def declared_at(entries: list[Entry], host: str, vendors: list[str] | None = None) -> list[Entry]:
    """The entries for ``host``; one that names none is for every host.

    With ``vendors`` it is for every host that has the product of the entry's vendor.
    """
    return [
        entry
        for entry in entries
        if entry.get("host") == host
        or ("host" not in entry and (not vendors or entry.get("vendor") in vendors))
    ]


def server_rows(servers: list[Entry]) -> list[Entry]:
    """License servers with an account as rows of a table, one for each product they show."""
    rows = []
    for server in servers:
        if "activation" not in server:
            continue
        activation = server["activation"]
        shown = {
            "server": server["vendor"],
            "version": server["version"],
            "activation": _activation(activation),
            "dongle_service": {True: "on", False: "off"}.get(server["dongle_service"], "unknown"),
        }
        for entry in server["licenses"] or [{"product": None, "seats": {}}]:
            offline = entry["product"] in server["offline_products"]
            seats = {kind: entry["seats"].get(kind) for kind in ("interface", "render", "network")}
            rows.append(
                {
                    **shown,
                    "product": entry["product"],
                    **seats,
                    "borrowed": "yes" if offline else None,
                }
            )
    return rows


def _activation(activation: Entry) -> str:
    if not activation["activated"]:
        return "unknown" if activation["activated"] is None else "none"
    known = (activation["method"], activation["account"])
    return ", ".join(text for text in known if text) or "by other means"


def wait_lines(waits: list[Entry], host: str = "the host") -> list[str]:
    """Steps that wait for somebody, as lines that tell what to do; ``host`` is their agent's."""
    lines = []
    for wait in waits:
        lines.append(f"Waiting for {_WHO.get(wait['who'], wait['who'])}: {wait['title']}")
        lines.append(f"  About: {wait['subject']}")
        lines += _times(wait)
        lines += [f"  {n}. {text}" for n, text in enumerate(wait["instructions"], start=1)]
        if wait["verified_by"]:
            lines.append(f"  Done when: {wait['verified_by']}")
        if wait["attestable"]:
            lines.append(f"  Then say so on {host}: {_attest(wait)}")
    return [one_line(line) for line in lines]


def _attest(wait: Entry) -> str:
    """The line to paste into a shell, which has to read every word of it as one."""
    step = ("--step", str(wait["step"]))
    words = ("seatkeeper-agent", "attest", str(wait["operation"]), "done", *step, "how you know")
    return shlex.join(words)


def _times(wait: Entry) -> list[str]:
    commands = []
    if wait["since"]:
        commands.append(f"since {wait['since']}")
    if wait["until"]:
        commands.append(f"until {wait['until']}{' (overdue)' if wait['overdue'] else ''}")
    return [f"  When: {', '.join(commands)}"] if commands else []
