# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of a run that concerns all hosts: it runs on the controller and asks nobody."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.seatkeeper.licensing.plugins.module_utils._printable import made_printable
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    AGENT_MISSING,
    LicenseProblem,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._agents import agent_of
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet import report
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import (
    READERS,
    read_declarations,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.folder import Folder
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.plan import Plan

Result = t.Dict[str, t.Any]
Vars = t.Mapping[str, t.Any]


class ActionModule(ActionBase):  # type: ignore[misc]
    """What Ansible asks a file of actions."""

    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(("answers", "known", "begin", "documents_dir", "verdict"))

    def run(self, tmp: t.Any = None, task_vars: t.Any = None) -> Result:
        """Plan the next requests of all hosts, or say how the run ended for one of them."""
        result: Result = super().run(tmp, task_vars)
        try:
            is_end = self._task.args.get("verdict")
            made = self._verdict(task_vars) if is_end else self._next(task_vars)
        except LicenseProblem as problem:
            raise AnsibleActionFail(str(problem)) from problem
        return {**result, **made_printable(made)}

    def _next(self, variables: Vars) -> Result:
        hostvars, here = variables["hostvars"], variables["ansible_play_hosts"]
        name = self._task.args["answers"]
        answers = {host: hostvars[host].get(name) for host in variables["ansible_play_hosts_all"]}
        # Who was not asked has nothing that this is about, unless it could not be reached.
        asked = [host for host, answer in answers.items() if answer or host not in here]
        names = {host: agent_of(host, hostvars) for host in asked}
        hosts = {agent: host for host, agent in names.items()}
        plan = self._plan(variables, names)
        for agent, host in hosts.items():
            self._take(plan, agent, answers[host] if host in here else None)
        orders = plan.next()
        return {
            "changed": False,
            "orders": {hosts[agent]: order for agent, order in orders.items()},
            "busy": sorted({hosts[agent] for agent in plan.concerned() if agent in hosts}),
            "round": plan.round,
            "kept": plan.as_kept(),
            **({} if orders else self._ended(plan, hosts)),
        }

    def _plan(self, variables: Vars, names: t.Mapping[str, str]) -> Plan:
        """What the tasks before have kept, or a plan of what each host has declared."""
        is_check = bool(self._task.check_mode)
        path = self._task.args.get("documents_dir")
        folder = Folder(path, is_check) if path else None
        if not self._task.args.get("begin"):
            return Plan.from_kept(variables[self._task.args["known"]]["kept"], folder)
        hostvars = variables["hostvars"]
        plan = Plan(list(names.values()), is_check, folder)
        for host, agent in names.items():
            declared = {name: hostvars[host].get(name) for name in READERS}
            read = read_declarations(declared, lambda other: agent_of(other, hostvars))
            plan.declare(each for each in read if agent in each.agents)
        return plan

    def _take(self, plan: Plan, agent: str, answer: t.Any) -> None:
        if answer is None or not {"results", "problem", "skipped"} & answer.keys():
            plan.take(agent, {"problem": _no_answer(agent, answer)})
        elif not answer.get("skipped"):
            plan.take(agent, answer)

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


def _no_answer(agent: str, answer: t.Any) -> t.Dict[str, t.Any]:
    said = "it was not asked" if answer is None else str(answer.get("msg", "no reason was given"))
    problem = LicenseProblem.of(
        AGENT_MISSING,
        f"The host of {agent} cannot be reached: {said.rstrip('.')}.",
        "Run the playbook again once it can be.",
    )
    return problem.document
