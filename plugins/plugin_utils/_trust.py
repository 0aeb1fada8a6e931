# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose key an agent may take as whose: what hosts tell is held against inventory and trust so far.

A host is known by its inventory name; that an agent tells another name changes nothing here. A key
is named by its fingerprint, as ``seatkeeper-agent key --fingerprint`` prints it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import typing as t

Agent = t.Dict[str, t.Any]
"""``host``, the inventory's name; ``name`` of its agent; ``declared`` and ``told``, if any."""

_NAME: t.Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_FINGERPRINT: t.Final = re.compile(r"sha256:[0-9a-f]{64}")
_PEM: t.Final = re.compile(
    r"\s*-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]+?)\s+-----END PUBLIC KEY-----\s*"
)
_PEM_CHARACTERS_MAX: t.Final = 8192
# What comes before the 32 bytes of an Ed25519 key, see RFC 8410.
_ED25519: t.Final = bytes.fromhex("302a300506032b6570032100")
_KEY_BYTES: t.Final = len(_ED25519) + 32
_NOTHING_DONE: t.Final = "Nothing was done here."
_NO_TRUST_CHANGED: t.Final = "No agent's trust was changed."
_COMMAND: t.Final = "runuser -u seatkeeper-agent -- seatkeeper-agent key --fingerprint"


def public_key(text: t.Any) -> str | None:
    """The Ed25519 key of a PEM in its one spelling; None for what is no such key."""
    found = _PEM.fullmatch(text) if _is_short(text) else None
    if found is None:
        return None
    try:
        key = base64.b64decode("".join(found[1].split()), validate=True)
    except binascii.Error:
        return None
    if len(key) != _KEY_BYTES or not key.startswith(_ED25519):
        return None
    body = base64.b64encode(key).decode()
    return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"


def fingerprint(text: t.Any) -> str | None:
    """The name of a key: SHA-256 over its DER form, whatever the PEM looks like."""
    key = public_key(text)
    if key is None:
        return None
    return f"sha256:{hashlib.sha256(base64.b64decode(key.splitlines()[1])).hexdigest()}"


def trust_mistakes(agents: list[Agent], trusted_keys: dict[str, t.Any]) -> list[str]:
    """What the inventory cannot mean about names and keys of agents; nobody was asked yet."""
    reported = list(_shared_names(agents))
    for agent in agents:
        reported += _agent_mistakes(agent, trusted_keys)
    for name, key in trusted_keys.items():
        if not _NAME.fullmatch(str(name)):
            reported.append(
                f"seatkeeper_agent_trusted_keys names {str(name)!r}, and no agent can be called so."
            )
        elif public_key(key) is None:
            reported.append(
                f"seatkeeper_agent_trusted_keys has no Ed25519 public key for {name}; give the one"
                " that"
                " `seatkeeper-agent key` prints there."
            )
    return [f"{text} {_NOTHING_DONE}" for text in reported]


def trust_keys(agents: list[Agent], trusted_keys: dict[str, t.Any]) -> dict[str, str]:
    """The keys to be trusted by the names of their agents, as far as they are known.

    What agents have told comes after what the inventory itself has, which it has to be equal to.
    """
    found = {str(name): public_key(key) for name, key in trusted_keys.items()}
    for agent in agents:
        if agent.get("told") is not None:
            found[agent["name"]] = public_key(agent["told"])
    return {name: key for name, key in found.items() if key is not None}


def trust_problems(
    agents: list[Agent],
    trusted_keys: dict[str, t.Any],
    held: dict[str, dict[str, t.Any]],
) -> list[str]:
    """Why what the agents have told cannot be taken as it is; empty when it can.

    ``held`` are the keys that the agents of hosts have so far, by host and name. One that holds
    another key than is told now is enough: who joins today must not believe what others contest.
    """
    reported = [agent for agent in agents if agent.get("told") is not None]
    found = []
    for agent in reported:
        shown = fingerprint(agent["told"])
        declared = _declared(agent, trusted_keys)
        if shown is None:
            found.append(f"The agent of {agent['host']} tells no Ed25519 public key as its own.")
        elif declared is not None and shown != declared:
            found.append(_other_than_declared(agent, shown, declared))
        elif declared is None:
            found += _changed(agent, shown, held)
    found += _shared_keys(reported, trusted_keys)
    return [f"{text} {_NO_TRUST_CHANGED}" for text in found]


def _is_short(text: t.Any) -> bool:
    return isinstance(text, str) and len(text) <= _PEM_CHARACTERS_MAX


def _shared_names(agents: list[Agent]) -> t.Iterator[str]:
    hosts: dict[str, list[str]] = {}
    for agent in agents:
        hosts.setdefault(str(agent["name"]), []).append(agent["host"])
    for name, found in hosts.items():
        if len(found) > 1:
            yield (
                f"The agents of {' and '.join(sorted(found))} have one name, {name}, so that"
                " one would be taken for the other. Give each a seatkeeper_agent_name of its own in"
                " the inventory; a machine that stands in it twice belongs there once."
            )


def _agent_mistakes(agent: Agent, trusted_keys: dict[str, t.Any]) -> list[str]:
    host, name, declared = agent["host"], str(agent["name"]), agent.get("declared")
    reported = []
    if not _NAME.fullmatch(name):
        reported.append(
            f"The agent of {host} cannot be called {name!r}: set a seatkeeper_agent_name of at most"
            " 63 letters, digits, dots, dashes and underscores."
        )
    if declared is None:
        return reported
    if not _FINGERPRINT.fullmatch(str(declared).lower()):
        reported.append(
            f"seatkeeper_agent_key_fingerprint of {host} is not sha256: and 64 hexadecimal digits,"
            " as"
            f" `{_COMMAND}` prints it on {host}."
        )
    elif name in trusted_keys and fingerprint(trusted_keys[name]) != str(declared).lower():
        reported.append(
            f"seatkeeper_agent_key_fingerprint of {host} and the key of {name} in"
            " seatkeeper_agent_trusted_keys differ;"
            " leave one of them out."
        )
    return reported


def _declared(agent: Agent, trusted_keys: dict[str, t.Any]) -> str | None:
    """The fingerprint that the inventory says this agent has, in one of two ways."""
    if agent.get("declared") is not None:
        return str(agent["declared"]).lower()
    return fingerprint(trusted_keys.get(agent["name"]))


def _other_than_declared(agent: Agent, shown: str, declared: str) -> str:
    return (
        f"The agent of {agent['host']} signs with the key {shown}, and the inventory declares"
        f" {declared} for it. If it was given a new key, have `{_COMMAND}` run on"
        f" {agent['host']} by who looks after it, and declare what it prints as"
        " seatkeeper_agent_key_fingerprint; if not, somebody else answers in its place."
    )


def _changed(agent: Agent, shown: str, held: dict[str, dict[str, t.Any]]) -> list[str]:
    knowing = {
        holder: fingerprint(keys[agent["name"]])
        for holder, keys in sorted(held.items())
        if agent["name"] in keys and fingerprint(keys[agent["name"]]) != shown
    }
    if not knowing:
        return []
    before = ", ".join(sorted({known or "no key that can be read" for known in knowing.values()}))
    text = (
        f"The agent of {agent['host']} signs with the key {shown}; known as {agent['name']} to"
        f" {', '.join(knowing)} is another one so far: {before}. If it was given a new key, have"
        f" `{_COMMAND}` run on {agent['host']} by who looks after it, and declare what it prints"
        f" as seatkeeper_agent_key_fingerprint of {agent['host']} in the inventory; if not,"
        " somebody else"
        " answers in its place."
    )
    return [text]


def _shared_keys(reported: list[Agent], trusted_keys: dict[str, t.Any]) -> t.Iterator[str]:
    names = {agent["name"] for agent in reported}
    owners = [(fingerprint(agent["told"]), agent["host"]) for agent in reported]
    owners += [
        (fingerprint(key), f"{name} (seatkeeper_agent_trusted_keys)")
        for name, key in trusted_keys.items()
        if name not in names
    ]
    hosts: dict[str, list[str]] = {}
    for shown, owner in owners:
        if shown is not None:
            hosts.setdefault(shown, []).append(owner)
    for shown, found in hosts.items():
        if len(found) > 1:
            yield (
                f"The agents of {' and '.join(sorted(found))} sign with one key, {shown}: one is a"
                " copy of the other. On the copy stop the agent and move /var/lib/seatkeeper away,"
                " so that it begins with a key and a journal of its own."
            )
