# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of an inventory as plain values of Python, whatever carries them.

Ansible hands over texts with tags, containers that resolve a template when they are read, and
secrets that are decrypted when they are read. What cannot be read is marked where it stands, so
that one such value hides no other mistake.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t
from datetime import date

_DEPTH_MAX: t.Final = 40
_UNSET: t.Final = re.compile(r"'(\w+)' is undefined")
_SECRETS: t.Final = frozenset({"EncryptedString", "AnsibleVaultEncryptedUnicode"})
_UNDEFINED: t.Final = frozenset({"Undefined", "Marker"})
_TEMPLATE_MARK: t.Final = re.compile(r"\{[{%#]")
_VAULT_HEAD: t.Final = "$ANSIBLE_VAULT;"


@dataclasses.dataclass(frozen=True)
class Unreadable:
    """A value that could not be read; ``why`` is a clause that follows its place."""

    why: str


TEMPLATE: t.Final = Unreadable(
    "has a template that cannot be resolved: set the variables that it names"
)
VAULT: t.Final = Unreadable(
    "is in a vault that this run cannot open: give its password, as with --ask-vault-pass"
)
_DEEP: t.Final = Unreadable("is nested too deep, or within itself: write it out")
_STRANGE: t.Final = Unreadable("is neither a text, a number, a date, a list nor keys with values")


Resolve = t.Callable[[t.Any], t.Any]
"""What makes a value of a text with a template; whatever it raises says that it cannot."""


def unchanged(value: t.Any) -> t.Any:
    """For values that have no templates any more."""
    return value


def member(container: t.Any, key: t.Any, resolve: Resolve = unchanged) -> t.Any:
    """One value of a container, plain; Unreadable where reading it, or a value in it, fails."""
    return _Reader(resolve).member(container, key, 0)


class _Reader:
    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve

    def member(self, container: t.Any, key: t.Any, depth: int) -> t.Any:
        try:
            value = container[key]
            if isinstance(value, str) and _TEMPLATE_MARK.search(value):
                value = self._resolve(value)
        # Which error a template or a vault ends with is Ansible's affair, not imported here.
        except Exception as error:  # noqa: BLE001
            return _unresolved(error)
        return self._plain(value, depth + 1)

    def _plain(self, value: t.Any, depth: int) -> t.Any:
        classes = {each.__name__ for each in type(value).__mro__}
        if classes & _UNDEFINED:
            return TEMPLATE
        if classes & _SECRETS:
            return _decrypted(value)
        if isinstance(value, str):
            return VAULT if value.startswith(_VAULT_HEAD) else str(value)
        if value is None or isinstance(value, (bool, date, Unreadable)):
            return value
        for number in (int, float):
            if isinstance(value, number):
                return number(value)
        return self._container(value, depth)

    def _container(self, value: t.Any, depth: int) -> t.Any:
        if depth > _DEPTH_MAX:
            return _DEEP
        if isinstance(value, t.Mapping):
            # As ansible-inventory writes them, and a result that comes back as JSON.
            if "__ansible_vault" in value:
                return VAULT
            if "__ansible_unsafe" in value:
                return str(value["__ansible_unsafe"])
            return {_key(key): self.member(value, key, depth) for key in value}
        if isinstance(value, (list, tuple)):
            return [self.member(value, number, depth) for number in range(len(value))]
        return _STRANGE


def _key(key: t.Any) -> t.Any:
    return str(key) if isinstance(key, str) else key


def _decrypted(value: t.Any) -> t.Any:
    try:
        return str(value)
    # As above.
    except Exception:  # noqa: BLE001
        return VAULT


def _unresolved(error: Exception) -> Unreadable:
    if "vault" in str(error).lower():
        return VAULT
    found = _UNSET.search(str(error))
    if found is None:
        return TEMPLATE
    return Unreadable(f"has a template with the variable {found[1]}, which is not set: set it")
