# SPDX-License-Identifier: GPL-3.0-or-later
"""Activations of license servers: online with an account, or by two files that somebody carries."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import os
import subprocess
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._activation import VENDOR
from ansible_collections.seatkeeper.licensing.plugins.module_utils._files import (
    read_file,
    write_file,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    DOCUMENT_FILE,
    LicenseProblem,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import (
    AgentOf,
    Declaration,
    Entry,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.kind import (
    Kind,
    Run,
    Secrets,
    Variables,
    entries_at,
    first_of,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.matters import Matter

_NAMED: t.Final = 8
"""So many characters of a request's digest are in the names of its files."""
_COMMAND_SECONDS: t.Final = 600


def _entry_at(
    variables: Variables, host: str, method: t.Optional[str], state: str
) -> t.Iterator[t.Tuple[Entry, bool]]:
    """A server has one activation, so the first entry for a host counts."""
    for entry, names_no_host in entries_at(variables, "license_activations", host)[:1]:
        if entry["state"] == state and method in (None, entry["method"]):
            yield entry, names_no_host


def read_online(variables: Variables, host: str, agent_of: AgentOf) -> t.Iterator[Declaration]:
    """The account of a server; its password is a secret."""
    for entry, names_no_host in _entry_at(variables, host, "online", "activated"):
        declared: Entry = {"account": entry["account"]}
        if entry.get("already_active"):
            declared["already_active"] = True
        yield _declaration("activation", declared, agent_of(host), names_no_host)


def read_offline(variables: Variables, host: str, agent_of: AgentOf) -> t.Iterator[Declaration]:
    """The folder in which requests and answers lie, and what has a request answered."""
    for _entry, names_no_host in _entry_at(variables, host, "offline", "activated"):
        folder = variables.get("license_activation_exchange_dir")
        local = {
            "host": host,
            "folder": folder or os.path.join(variables.get("inventory_dir") or ".", "activations"),
            "command": list(variables.get("license_activation_exchange_command") or ()),
        }
        made = _declaration("offline_activation", {}, agent_of(host), names_no_host)
        yield dataclasses.replace(made, local=local)


def read_given_up(variables: Variables, host: str, agent_of: AgentOf) -> t.Iterator[Declaration]:
    """Activations that are given up, after what was borrowed by them was returned."""
    for entry, names_no_host in _entry_at(variables, host, None, "deactivated"):
        agent, digest = agent_of(host), entry.get("plan_digest")
        confirmed = {agent: {"plan_digest": digest}} if digest else {}
        made = _declaration("deactivation", {}, agent, names_no_host)
        yield dataclasses.replace(made, confirmed=confirmed)


def _declaration(kind: str, declared: Entry, agent: str, is_optional: bool) -> Declaration:
    return Declaration(
        kind, "server", "", (agent,), declared, vendor=VENDOR, is_optional=is_optional
    )


def _secrets(variables: Variables, host: str) -> Secrets:
    """The password of an account; the check of the inventory refuses an empty one."""
    for entry, _names_no_host in _entry_at(variables, host, "online", "activated"):
        return {"server": {"password": entry["password"]}}
    return {}


def _exchanged(matter: Matter, run: Run) -> Declaration:
    """With the answer to the server's request, once somebody has brought it.

    LicenseProblem where a file cannot be written or read, or the operator's command fails.
    """
    (agent,) = matter.agents
    request = ((matter.last(agent) or {}).get("details") or {}).get("request")
    if request is None:
        return matter.declaration
    stem = _stem(matter.declaration, request)
    asked_by, answered_by = f"{stem}.csr", f"{stem}.crt"
    if not run.is_check:
        _write_request(asked_by, request)
        _have_answered(matter.declaration.local["command"], asked_by, answered_by)
    if read_file(answered_by) is None:
        return matter.declaration
    return dataclasses.replace(
        matter.declaration,
        declared={"request_digest": request["digest"]},
        files={"answer": answered_by},
    )


def _stem(declaration: Declaration, request: Entry) -> str:
    """An answer belongs to one request, so both have the beginning of its digest in their names."""
    local = declaration.local
    return os.path.join(local["folder"], f"{local['host']}-{request['digest'][:_NAMED]}")


def _write_request(path: str, request: Entry) -> None:
    try:
        content = base64.b64decode(request["content"], validate=True)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    except (binascii.Error, OSError) as error:
        raise LicenseProblem.of(
            DOCUMENT_FILE,
            f"The activation request cannot be written to {path}: {error}.",
            "Correct license_activation_exchange_dir, or its permissions.",
        ) from error
    write_file(path, content, False)


def _have_answered(command: t.List[str], asked_by: str, answered_by: str) -> None:
    """Run the operator's command, unless there is an answer already."""
    if not command or os.path.exists(answered_by):
        return
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own command
            [*command, asked_by, answered_by],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        why = None if done.returncode == 0 else f"it ended with {done.returncode}"
    except (OSError, subprocess.TimeoutExpired) as error:
        why = str(error)
    if why is not None:
        raise LicenseProblem.of(
            DOCUMENT_FILE,
            f"The command of license_activation_exchange_command did not answer {asked_by}: {why}.",
            "Run it by hand to see what it says, or leave it out and bring the answer yourself.",
        )


def _instructions(matter: Matter) -> t.List[str]:
    """What a person does with the files, which lie where only the controller knows."""
    (agent,) = matter.agents
    request = ((matter.last(agent) or {}).get("details") or {}).get("request")
    if request is None:
        return []
    stem = _stem(matter.declaration, request)
    return [
        "Log in to the vendor's account page, tab WORKSTATIONS, Activate Workstation",
        f"Upload {stem}.csr, give the workstation a name, Activate",
        "When the workstation appears, Download .crt File",
        f"Save it as {stem}.crt and run the playbook again",
    ]


def _present_text(matter: Matter) -> t.Optional[str]:
    before = first_of(matter).get("before") or {}
    if "activated" not in before:
        return None
    if not before["activated"]:
        return "unknown" if before["activated"] is None else "not activated"
    known = (before.get("method"), before.get("account"))
    return ", ".join(text for text in known if text) or "by other means"


ONLINE: t.Final = Kind(
    "activation",
    read_online,
    lambda matter: f"online, {matter.declaration.declared['account']}",
    _present_text,
    secrets=_secrets,
)
OFFLINE: t.Final = Kind(
    "activation",
    read_offline,
    lambda _matter: "offline",
    _present_text,
    completed=_exchanged,
    instructions=_instructions,
)
GIVEN_UP: t.Final = Kind("activation", read_given_up, lambda _matter: "given up", _present_text)
