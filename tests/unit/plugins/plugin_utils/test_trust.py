# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose key is taken as whose, for every state of a small world of names, keys and holders."""

from __future__ import annotations

import base64
import itertools
import re
import typing as t

import pytest

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._trust import (
    fingerprint,
    public_key,
    trust_keys,
    trust_mistakes,
    trust_problems,
)

ED25519 = bytes.fromhex("302a300506032b6570032100")


def pem(der: bytes, lines: str = "\n", width: int = 64) -> str:
    """A public key as a PEM, written in one of the ways that there are."""
    text = base64.b64encode(der).decode()
    body = lines.join(text[start : start + width] for start in range(0, len(text), width))
    return f"-----BEGIN PUBLIC KEY-----{lines}{body}{lines}-----END PUBLIC KEY-----{lines}"


FIRST, SECOND, THIRD = (pem(ED25519 + bytes([number]) * 32) for number in (1, 2, 3))
NAMED = {key: fingerprint(key) for key in (FIRST, SECOND, THIRD)}
NO_KEYS: tuple[t.Any, ...] = (
    "", "no key", 7, None, {"a": 1}, FIRST + SECOND, FIRST[:-30], f"junk\n{FIRST}", "x" * 10_000,
    pem(ED25519 + bytes(31)), pem(ED25519 + bytes(33)), pem(bytes(44)),
    FIRST.replace("PUBLIC", "PRIVATE"), FIRST.replace("M", "\u041c"), FIRST.replace("=", ""),
)  # fmt: skip


def agent(host: str, reported: t.Any = None, **members: t.Any) -> dict[str, t.Any]:
    """A host of the inventory as the role sees it."""
    return {"host": host, "name": host, "declared": None, "told": reported, **members}


def test_a_key_has_one_name_however_it_is_written() -> None:
    der = ED25519 + bytes([1]) * 32
    for lines, width in itertools.product(("\n", "\r\n", "\n\n"), (16, 60, 64, 80)):
        written = pem(der, lines, width)
        assert fingerprint(written) == NAMED[FIRST], repr(written)
        assert public_key(written) == FIRST
    assert len(set(NAMED.values())) == len(NAMED)
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", str(name)) for name in NAMED.values())


@pytest.mark.parametrize("text", NO_KEYS)
def test_what_is_no_key_is_none(text: t.Any) -> None:
    assert public_key(text) is None
    assert fingerprint(text) is None


def test_a_key_is_taken_only_if_it_is_declared_or_nobody_knows_another() -> None:
    """Every combination of what is declared, told, and known to two others."""
    declared = (None, FIRST, SECOND)
    known = (None, FIRST, SECOND, "no key")
    for wanted, reported, *held in itertools.product(declared, (*known, {}), known, known):
        old = agent("old", reported, declared=NAMED.get(wanted or ""))
        holders = {
            host: {"old": key, "someone": THIRD}
            for host, key in zip(("new", "spare"), held, strict=True)
            if key is not None
        }
        problems = trust_problems([old, agent("new", THIRD)], {}, holders)
        if wanted is None:
            taken = reported in (FIRST, SECOND) and set(held) <= {None, reported}
        else:
            taken = reported == wanted
        assert (problems == []) == (reported is None or taken), (wanted, reported, held, problems)
        assert all(text.endswith("No agent's trust was changed.") for text in problems)
        # What is not refused is what is written, under the inventory's name.
        if taken:
            assert trust_keys([old], {}) == {"old": reported}


def test_a_key_in_agent_trusted_keys_is_a_declaration_too() -> None:
    for reported, pinned in itertools.product((FIRST, SECOND), repeat=2):
        problems = trust_problems(
            [agent("old", reported)], {"old": pinned}, {"new": {"old": THIRD}}
        )
        assert (problems == []) == (reported == pinned)


def test_a_refusal_names_both_keys_who_knows_and_what_to_do() -> None:
    (changed,) = trust_problems([agent("old", SECOND)], {}, {"new": {"old": FIRST}})
    (other,) = trust_problems([agent("old", SECOND, declared=NAMED[FIRST])], {}, {})
    for text in (changed, other):
        assert str(NAMED[FIRST]) in text
        assert str(NAMED[SECOND]) in text
        assert "seatkeeper-agent key --fingerprint` run on old" in text
        assert "seatkeeper_agent_key_fingerprint" in text
    assert "known as old to new" in changed


def test_one_key_at_two_hosts_is_refused_whatever_is_declared() -> None:
    pairs = [agent(host, FIRST, declared=NAMED[FIRST]) for host in ("new", "old")]
    (text,) = trust_problems(pairs, {}, {})
    assert text.startswith("The agents of new and old sign with one key")
    (text,) = trust_problems(pairs[:1], {"far": FIRST}, {})
    assert "far (seatkeeper_agent_trusted_keys) and new" in text


def test_no_two_hosts_have_one_name() -> None:
    """Every way to name the agents of three hosts by two names, or as the host."""
    for names in itertools.product(("a", "b", "c"), repeat=3):
        agents = [
            agent(host, name=name) for host, name in zip(("one", "two", "six"), names, strict=True)
        ]
        mistakes = trust_mistakes(agents, {})
        shared = {name for name in names if names.count(name) > 1}
        assert len(mistakes) == len(shared), names
        for text in mistakes:
            (name,) = re.findall(r"have one name, (\w),", text)
            reported = text.removeprefix("The agents of ").partition(" have one name")[0]
            named = {found["host"] for found in agents if found["name"] == name}
            assert named == set(reported.split(" and "))


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "a b", "-", "a.", "ä", "a" * 64, "a\n"])
def test_a_name_that_no_agent_can_have_is_refused_before_it_is_a_path(name: str) -> None:
    (text,) = trust_mistakes([agent("old", name=name)], {})
    assert repr(name) in text
    (text,) = trust_mistakes([], {name: FIRST})
    assert repr(name) in text


@pytest.mark.parametrize("declared", ["", "sha256:", f"sha256:{'g' * 64}", "0a" * 32, 7])
def test_a_fingerprint_of_another_form_is_refused(declared: t.Any) -> None:
    (text,) = trust_mistakes([agent("old", declared=declared)], {})
    assert "is not sha256: and 64 hexadecimal digits" in text
    # And whoever asks all the same is not told yes.
    assert trust_problems([agent("old", FIRST, declared=declared)], {}, {})


def test_two_declarations_of_one_key_agree() -> None:
    mine = agent("old", declared=str(NAMED[FIRST]).upper().replace("SHA", "sha"))
    assert trust_mistakes([mine], {"old": FIRST}) == []
    (text,) = trust_mistakes([mine], {"old": SECOND})
    assert "differ" in text
    (text,) = trust_mistakes([], {"old": "no key"})
    assert "no Ed25519 public key for old" in text
