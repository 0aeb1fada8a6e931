# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be known of one declared thing beside its row: rules, prices, steps, who does what."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._order import quote_table
from ansible_collections.seatkeeper.licensing.plugins.module_utils._reports import report_table
from ansible_collections.seatkeeper.licensing.plugins.module_utils._tables import table
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._open_steps import step_lines
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import Entry
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.registry import KINDS
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.matters import Matter

_STEPS: t.Final = {"title": "Step", "performer": "Performer", "reversible": "Reversible"}


def notes_of(matter: Matter, is_to_be_judged: bool) -> t.List[str]:
    """The lines below the table; what was judged is shown while it is not done."""
    lasts = [(agent, last) for agent in matter.agents if (last := matter.last(agent)) is not None]
    lines = KINDS[matter.declaration.kind].urgent(matter)
    for agent, last in lasts:
        if is_to_be_judged:
            lines += _judged(matter, last)
        lines += [f"{agent}: {text}" for text in (*_said(matter, agent), *_pictured(last))]
        lines += _waits(matter, agent, last)
    return lines


def digest_of(matter: Matter) -> t.Optional[str]:
    """What confirms a plan that cannot be undone, also where a run has come to it by itself."""
    asked = [matter.asked.get(agent) or {} for agent in matter.agents]
    found = [each["digest"] for each in asked if each.get("confirmation_required")]
    found += [problem["digest"] for _agent, problem in matter.problems() if "digest" in problem]
    return found[0] if found else None


def _judged(matter: Matter, last: Entry) -> t.List[str]:
    details, name = last["details"], f"{matter.declaration.kind} {matter.declaration.name}"
    name = name.replace("_", " ")
    rules = (last["problem"] or {}).get("rules") or (details.get("report") or {}).get("rules")
    lines = [f"The rules for {name}:", *report_table(rules)] if rules else []
    quote = details.get("quote") or (last["problem"] or {}).get("quote")
    if quote:
        lines += [f"What {name} costs:", *quote_table(quote)]
    if last["confirmation_required"]:
        rows = [{**s, "reversible": "yes" if s["reversible"] else "no"} for s in last["steps"]]
        lines += [f"The steps of {name}, which cannot be undone:", *table(rows, _STEPS)]
        lines += [f"This confirms {name}:", f"  plan_digest: {last['digest']}"]
        if details.get("acknowledgement"):
            lines.append(f"  acknowledge_irreversible: {details['acknowledgement']}")
    return lines


def _said(matter: Matter, agent: str) -> t.List[str]:
    """What an agent wants to be known of what it did, or would do."""
    done = matter.told.get(agent) or matter.asked.get(agent) or {}
    details = done.get("details") or {}
    said = [*details.get("warnings", ()), *details.get("notes", ())]
    return list(dict.fromkeys(said)) if done.get("changed") else []


def _pictured(last: Entry) -> t.List[str]:
    """Where the picture is of what a page showed in place of what was looked for."""
    picture = (last["problem"] or {}).get("screenshot")
    return [f"A picture of the page is in {picture} on its host."] if picture else []


def _waits(matter: Matter, agent: str, last: Entry) -> t.List[str]:
    wait = last["waits_for"] or {}
    if "who" not in wait:
        return []
    more = KINDS[matter.declaration.kind].instructions(matter)
    return step_lines(agent, {**wait, "instructions": more or wait["instructions"]})
