# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of a run that concerns all hosts: it runs on the controller and asks nobody."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.template import Templar

from ansible_collections.seatkeeper.licensing.plugins.module_utils._printable import made_printable
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    AGENT_MISSING,
    INPUT_INVALID,
    LicenseProblem,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._agents import agent_of
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._own_names import why_not_own
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet import report, schema
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.folder import Folder
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.inventory import (
    read_inventory,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.kind import (
    entries_at,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.registry import (
    PARTS,
    read_declarations,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.plan import Plan

Result = t.Dict[str, t.Any]
Vars = t.Mapping[str, t.Any]

_ANSWERED: t.Final = frozenset({"results", "problem", "skipped"})
_OWN_OPTIONS: t.Final = "license_state_"
"""Of the role itself, with defaults that outrank nothing."""
_OF_SETUP: t.Final = ("package", "unit", "ports", "allow_from")
_SETUP: t.Final = {
    "license_server_changes": "changes",
    "license_server_only_planned": "only_planned",
    "license_state_failures": "failures",
}
"""What the role that installs servers keeps, with what it is called here."""


class ActionModule(ActionBase):  # type: ignore[misc]
    """What Ansible asks a file of actions."""

    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(("answers", "known", "begin", "parts", "documents_dir", "verdict"))

    def run(self, tmp: t.Any = None, task_vars: t.Any = None) -> Result:
        """Plan the next requests of all hosts, or say how the run ended for one of them."""
        result: Result = super().run(tmp, task_vars)
        given = self._task.args
        try:
            if given.get("begin"):
                made = self._begin(task_vars)
            elif given.get("verdict"):
                made = self._verdict(task_vars)
            else:
                made = self._next(task_vars)
        except LicenseProblem as problem:
            raise AnsibleActionFail(str(problem)) from problem
        return {**result, **made_printable(made)}

    def _begin(self, variables: Vars) -> Result:
        """Read what all hosts of the play declare, and ask each of them for it."""
        hostvars, here = variables["hostvars"], variables["ansible_play_hosts"]
        parts, path = self._task.args.get("parts") or PARTS, self._task.args.get("documents_dir")
        names = {host: agent_of(host, hostvars) for host in variables["ansible_play_hosts_all"]}
        plan = Plan(list(names.values()), bool(self._task.check_mode), self._folder(path), parts)
        for host, declared in self._declared(plan, names, variables, parts).items():
            if "settings" in parts and _is_to_be_set_up(declared, host):
                plan.to_set_up.append(names[host])
            # Without this part nothing is opened, fenced or installed.
            is_set_up = "settings" not in parts or names[host] in plan.to_set_up
            plan.hosts[names[host]].is_set_up = is_set_up
            plan.declare(
                read_declarations(declared, host, lambda each: agent_of(each, hostvars), parts)
            )
        for host in set(names) - set(here):
            plan.take(names[host], {"problem": _no_answer(names[host], None)})
        return self._planned(plan, {agent: host for host, agent in names.items()}, path)

    def _declared(
        self,
        plan: Plan,
        names: t.Mapping[str, str],
        variables: Vars,
        parts: t.Collection[str],
    ) -> t.Dict[str, Vars]:
        """By host, what its variables declare; AnsibleActionFail says all that is wrong in them."""
        hostvars, here = variables["hostvars"], variables["ansible_play_hosts"]
        own, of_play = {}, _of_play(variables)
        for host in (host for host in names if host in here):
            raw = hostvars.raw_get(host)
            why = why_not_own(raw.get("ansible_facts") or {}, host)
            if why is None:
                own[host] = {**raw, **of_play}
            else:
                problem = LicenseProblem.of(INPUT_INVALID, why, "")
                plan.take(names[host], {"problem": problem.document})
        templars = {host: Templar(self._loader, variables=each) for host, each in own.items()}

        def resolve(host: str, value: t.Any) -> t.Any:
            return templars[host].template(value)

        read = read_inventory(own, variables["groups"]["all"], parts, resolve)
        if read.mistakes:
            raise AnsibleActionFail("\n".join([*read.mistakes, "Nothing was done on any host."]))
        return {
            host: {**declared, "inventory_dir": own[host].get("inventory_dir")}
            for host, declared in read.variables.items()
        }

    def _next(self, variables: Vars) -> Result:
        hostvars, here = variables["hostvars"], variables["ansible_play_hosts"]
        known, name = variables[self._task.args["known"]], self._task.args["answers"]
        plan = Plan.from_kept(known["kept"], self._folder(known["documents_dir"]))
        hosts = known["hosts"]
        for agent, host in hosts.items():
            if host in known["setup"]:
                # Of this run: an earlier one of the same host may have left its own.
                for variable, member in _SETUP.items():
                    setattr(plan.hosts[agent], member, list(hostvars[host].get(variable) or ()))
            answer = hostvars[host].get(name) if host in here else None
            self._take(plan, agent, answer, host in known["orders"])
        return self._planned(plan, hosts, known["documents_dir"])

    def _take(self, plan: Plan, agent: str, answer: t.Any, was_asked: bool) -> None:
        if answer is None or not _ANSWERED & answer.keys():
            plan.take(agent, {"problem": _no_answer(agent, answer)})
        elif was_asked and not answer.get("skipped"):
            plan.take(agent, answer)

    def _folder(self, path: t.Optional[str]) -> t.Optional[Folder]:
        return Folder(path, bool(self._task.check_mode)) if path else None

    def _planned(self, plan: Plan, hosts: t.Mapping[str, str], path: t.Optional[str]) -> Result:
        orders = plan.next()
        return {
            "changed": False,
            "orders": {hosts[agent]: order for agent, order in orders.items()},
            "busy": sorted({hosts[agent] for agent in plan.concerned() if agent in hosts}),
            "setup": [hosts[agent] for agent in plan.to_set_up],
            "round": plan.round,
            "hosts": dict(hosts),
            # Read before any host was asked, and by no variable of a host after that.
            "documents_dir": path,
            "kept": plan.as_kept(),
            **({} if orders else self._ended(plan, hosts)),
        }

    def _ended(self, plan: Plan, hosts: t.Mapping[str, str]) -> Result:
        rows = report.rows_of(plan)
        drift = report.drift_of(rows, plan)
        for line in report.lines_of(rows):
            self._display.display(line)
        return {
            "rows": rows,
            "steps": report.steps_of(plan),
            "drift": {hosts[agent]: found for agent, found in drift.items()},
        }

    def _verdict(self, variables: Vars) -> Result:
        """How it ended for one host: what changed there, and why it failed."""
        agent = agent_of(variables["inventory_hostname"], variables["hostvars"])
        known = variables[self._task.args["known"]]
        plan = Plan.from_kept(known["kept"])
        failures = [row["why"] for row in known["rows"] if agent in row["failed_at"]]
        differences = report.differences_of(plan, agent)
        made: Result = {"changed": bool(differences)}
        if self._task.diff:
            made["diff"] = differences
        return {**made, "failed": True, "msg": "\n".join(failures)} if failures else made


def _of_play(variables: Vars) -> t.Dict[str, t.Any]:
    """What play, block or role declare for all hosts, unresolved; it outranks the inventory."""
    own = variables["hostvars"].raw_get(variables["inventory_hostname"])
    return {
        name: variables[name]
        for name in schema.variables()
        if name in variables and not name.startswith(_OWN_OPTIONS)
        # The same in both comes from the inventory.
        if name not in own or own[name] != variables[name]
    }


def _is_to_be_set_up(declared: Vars, host: str) -> bool:
    """Whether packages, units or ports of a host's servers are declared."""
    entries = entries_at(declared, "license_server_configs", host)
    return any(entry.get(name) is not None for entry, _all in entries for name in _OF_SETUP)


def _no_answer(agent: str, answer: t.Any) -> t.Dict[str, t.Any]:
    said = "it was not asked" if answer is None else str(answer.get("msg", "no reason was given"))
    problem = LicenseProblem.of(
        AGENT_MISSING,
        f"The host of {agent} cannot be reached: {said.rstrip('.')}.",
        "Run the playbook again once it can be.",
    )
    return problem.document
