# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of all hosts, checked before any host is asked, in their one spelling.

All mistakes are told at once and each once: what stands in the variables of a group is the same on
many hosts. A sentence says what, where and what is right; hosts are named where they differ.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import re
import sys
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._read_names import NAMES
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet import (
    contradictions,
    schema,
    spellings,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.faults import (
    Fault,
    faults_of,
    label_of,
    place_of,
    shown_name,
    unreadable_in,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.plain_values import member

Variables = t.Mapping[str, t.Any]
Resolve = t.Callable[[str, t.Any], t.Any]
"""What makes a value of a text with a template, by the variables of a host."""

SERVERS: t.Final = "license_server_configs"
ORDERS: t.Final = "license_orders"
SYSTEMS: t.Final = "phone_systems"
_PORT: t.Final = "ansible_port"
_LIKENESS_MIN: t.Final = 0.92
"""Of the names of two variables, as difflib measures it: a letter or two of twenty differ."""
_HOSTS_SHOWN: t.Final = 3
_NO_JSONSCHEMA: t.Final = (
    "The Python of the controller, {python}, has no package jsonschema, with which the inventory is"
    " checked. Install it there: {python} -m pip install jsonschema"
)


def _resolved_already(_host: str, value: t.Any) -> t.Any:
    return value


@dataclasses.dataclass(frozen=True)
class Inventory:
    """What all hosts declare: ``mistakes``, and by host the variables in their one spelling.

    Where there are mistakes, nothing may be gone by. Hosts that declare the same share the values.
    """

    mistakes: t.List[str]
    variables: t.Dict[str, t.Dict[str, t.Any]]


def read_inventory(
    hosts: t.Mapping[str, Variables],
    known: t.Collection[str],
    parts: t.Optional[t.Collection[str]] = None,
    resolve: Resolve = _resolved_already,
) -> Inventory:
    """The variables of ``hosts``, of which those for ``parts`` are checked (None: all parts).

    ``known`` are the names of all hosts of the inventory. Names of variables and of hosts are
    checked whatever the parts. ``resolve`` makes a value of a text with a template, for a host; it
    is called for each such text by itself, so that the place of one that fails is known.
    """
    try:
        reader = _Reader(hosts, known, parts, resolve)
    except ImportError:
        return Inventory([_NO_JSONSCHEMA.format(python=sys.executable)], {})
    return Inventory(reader.mistakes(), reader.variables())


@dataclasses.dataclass(frozen=True)
class _Value:
    """One value of a variable, and who has it; the same value on many hosts is looked at once."""

    variable: str
    value: t.Any
    hosts: t.List[str]

    @property
    def schema(self) -> schema.Schema:
        """What it may be."""
        return schema.variables()[self.variable]

    def named(self) -> t.List[t.Optional[t.Dict[str, t.Any]]]:
        """The entries that several hosts have to declare alike; None for one without a name."""
        is_for_all = "host" not in self.schema.get("items", {}).get("properties", {"host": {}})
        is_named = is_for_all and isinstance(self.value, list)
        return [
            each if isinstance(each, dict) and isinstance(each.get("name"), str) else None
            for each in (self.value if is_named else ())
        ]

    def sentence(self, fault: Fault) -> str:
        """The fault with its place."""
        path, clause = fault
        label = label_of(self.value, path, self.schema.get("items", {}))
        end = "" if clause.endswith("?") else "."
        return f"{place_of(self.variable, path)}{label} {clause}{end}"


class _Reader:
    def __init__(
        self,
        hosts: t.Mapping[str, Variables],
        known: t.Collection[str],
        parts: t.Optional[t.Collection[str]],
        resolve: Resolve,
    ) -> None:
        self._hosts = hosts
        self._known = known
        self._parts = parts
        self._resolve = resolve
        self._validators = _validators()
        self._values: t.Dict[t.Tuple[str, str], _Value] = {}
        self._of_host: t.Dict[str, t.Dict[str, _Value]] = {host: {} for host in hosts}
        for variable in schema.variables():
            for host in (host for host, variables in hosts.items() if variable in variables):
                self._keep(variable, host)

    def _keep(self, variable: str, host: str) -> None:
        plain = self._read(host, variable)
        if plain is None:
            return
        key = (variable, repr(plain))
        if key not in self._values:
            spelled = spellings.variable_spelled(plain, schema.variables()[variable])
            self._values[key] = _Value(variable, spelled, [])
        self._values[key].hosts.append(host)
        self._of_host[host][variable] = self._values[key]

    def _read(self, host: str, variable: str) -> t.Any:
        return member(self._hosts[host], variable, functools.partial(self._resolve, host))

    def variables(self) -> t.Dict[str, t.Dict[str, t.Any]]:
        return {
            host: {variable: value.value for variable, value in values.items()}
            for host, values in self._of_host.items()
        }

    def mistakes(self) -> t.List[str]:
        found: t.Dict[t.Tuple[str, str], t.List[str]] = {}
        for value in self._values.values():
            for sentence in self._of_value(value):
                hosts = found.setdefault((value.variable, sentence), [])
                hosts += [host for host in value.hosts if host not in hosts]
        told = [
            self._with_hosts(sentence, hosts, self._declaring(variable))
            for (variable, sentence), hosts in found.items()
        ]
        return self._misspelt() + told + self._differing()

    def _differing(self) -> t.List[str]:
        """What has one name for all hosts and is declared otherwise on some of them."""
        first: t.Dict[t.Tuple[str, str], t.Tuple[_Value, t.Any]] = {}
        told: t.Dict[t.Tuple[str, str], str] = {}
        for value in filter(self._is_checked, self._values.values()):
            for number, entry in enumerate(value.named()):
                if entry is None:
                    continue
                key = (value.variable, entry["name"])
                other, known = first.setdefault(key, (value, entry))
                if other is not value and known != entry and key not in told:
                    one, two = shown_name(other.hosts[0]), shown_name(value.hosts[0])
                    clause = f"differs between {one} and {two}: declare it once, for both"
                    told[key] = value.sentence(((number,), clause))
        return list(told.values())

    def _is_checked(self, value: _Value) -> bool:
        part = value.schema.get("x-part")
        return part is None or self._parts is None or part in self._parts

    def _of_value(self, value: _Value) -> t.List[str]:
        faults = list(contradictions.unknown_hosts(value.value, value.schema, self._known))
        if self._is_checked(value):
            own = self._own_faults(value)
            wrong = {path[:1] for path, _clause in own}
            faults += own + self._contradictions(value, wrong)
        order = {path: number for number, path in enumerate(_paths(value.value))}
        faults.sort(key=lambda fault: order.get(fault[0], order.get(fault[0][:-1], 0)))
        return list(dict.fromkeys(value.sentence(fault) for fault in faults))

    def _own_faults(self, value: _Value) -> t.List[Fault]:
        unreadable = list(unreadable_in(value.value))
        errors = self._validators(value.variable).iter_errors(value.value)
        return unreadable + faults_of(errors, value.schema)

    def _contradictions(self, value: _Value, wrong: t.Set[t.Any]) -> t.List[Fault]:
        faults = list(contradictions.card_data(value.variable, value.value))
        if not isinstance(value.value, list) or "properties" not in value.schema.get("items", {}):
            return faults
        entries = [
            None if (number,) in wrong else entry for number, entry in enumerate(value.value)
        ]
        faults += contradictions.twice(value.variable, value.value, value.schema)
        faults += contradictions.one_end(entries)
        if value.variable == SERVERS:
            ports = functools.partial(self._ports, value.hosts)
            faults += contradictions.server_faults(entries, ports)
        if value.variable == ORDERS:
            for host in value.hosts:
                systems = self._of_host[host].get(SYSTEMS)
                there = None if systems is None else systems.value
                faults += contradictions.unknown_systems(entries, there, value.schema)
        return faults

    def _ports(self, hosts: t.List[str], entry: t.Dict[str, t.Any]) -> t.Set[str]:
        """By which ports Ansible reaches the hosts that an entry is for."""
        concerned = [entry["host"]] if entry.get("host") else hosts
        return {
            str(self._read(host, _PORT) if _PORT in self._hosts[host] else 22)
            for host in concerned
            if host in self._hosts
        }

    def _declaring(self, variable: str) -> t.List[str]:
        return [host for host, values in self._of_host.items() if variable in values]

    def _with_hosts(self, sentence: str, hosts: t.List[str], declaring: t.List[str]) -> str:
        is_everywhere = len(hosts) == len(declaring) and len(hosts) > 1
        if is_everywhere or len(self._hosts) == 1:
            return sentence
        shown = [shown_name(host) for host in hosts[:_HOSTS_SHOWN]]
        more = len(hosts) - len(shown)
        last = f"{more} more" if more else shown.pop()
        named = f"{', '.join(shown)} and {last}" if shown else last
        return f"On {named}: {sentence}"

    def _misspelt(self) -> t.List[str]:
        """Variables that are spelled almost as one that is read, and are read by nothing."""
        setting: t.Dict[str, t.List[str]] = {}
        for host, variables in self._hosts.items():
            for name in variables:
                setting.setdefault(name, []).append(host)
        known = list(schema.variables())
        told = []
        for name in sorted(set(setting) - NAMES - set(known)):
            near = difflib.get_close_matches(name, known, 1, _LIKENESS_MIN)
            if near:
                sentence = (
                    f"The inventory sets {shown_name(name)}, which nothing reads. Did you mean"
                    f" {near[0]}?"
                )
                told.append(self._with_hosts(sentence, setting[name], setting[name]))
        return told


def _paths(value: t.Any, path: t.Tuple[t.Any, ...] = ()) -> t.Iterator[t.Tuple[t.Any, ...]]:
    """All places within a value, in the order in which it was written."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _paths(inner, (*path, number))


@functools.lru_cache(maxsize=None)
def _validators() -> t.Callable[[str], t.Any]:
    """What checks the value of a variable, made when it is first needed."""
    from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators

    formats = FormatChecker(formats=())
    for name, is_of_form in (
        ("item", spellings.is_item),
        ("moment", spellings.is_moment),
        ("day", spellings.is_day),
    ):
        formats.checks(name)(_of_texts(is_of_form))

    extend: t.Callable[..., t.Any] = validators.extend
    checking = extend(Draft202012Validator, {"pattern": _pattern(ValidationError)})

    @functools.lru_cache(maxsize=None)
    def validator(variable: str) -> t.Any:
        return checking(schema.variables()[variable], format_checker=formats)

    return validator


def _pattern(error: t.Callable[[str], Exception]) -> t.Callable[..., t.Iterator[t.Any]]:
    """The keyword of patterns; for Python ``$`` is also before a new line at the end."""

    def check(_checker: t.Any, pattern: str, value: t.Any, _schema: t.Any) -> t.Iterator[t.Any]:
        found = re.search(pattern, value) if isinstance(value, str) else None
        is_whole = found is not None and not (pattern.endswith("$") and found.end() < len(value))
        if isinstance(value, str) and not is_whole:
            yield error("another form")

    return check


def _of_texts(is_of_form: t.Callable[[str], bool]) -> t.Callable[[t.Any], bool]:
    """A format says nothing of what is no text; its type does."""
    return lambda value: not isinstance(value, str) or is_of_form(value)
