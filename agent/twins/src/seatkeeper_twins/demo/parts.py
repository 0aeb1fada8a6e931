# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's parts by their names, where a new interpreter finds them as well."""

from __future__ import annotations

import argparse

from seatkeeper_twins.agent_client import AgentError
from seatkeeper_twins.codemeter.build import BuildError
from seatkeeper_twins.demo import aimms, altigen, chaos, codemeter
from seatkeeper_twins.demo.screen import DemoError, Screen
from seatkeeper_twins.lab.lab import Lab, ending_in_order
from seatkeeper_twins.lab.process import LabError

# Those that take longest begin first.
NAMES = ("chaos", "aimms", "codemeter", "altigen")
FAILURES = (DemoError, LabError, AgentError, BuildError, OSError, ValueError)


def is_shown(chosen: argparse.Namespace, part: str, screen: Screen) -> bool:
    """Show one part in a process of its own; whether all of its claims were observed."""
    try:
        with ending_in_order():
            show(part, screen, chosen)
    except FAILURES as error:
        screen.line(f"The part failed: {error}")
        return False
    except KeyboardInterrupt:
        return False
    return True


def show(part: str, screen: Screen, chosen: argparse.Namespace) -> None:
    """Show one part; DemoError and the others of FAILURES when a claim was not observed."""
    folder = None if chosen.dir is None else chosen.dir / part
    match part:
        case "codemeter":
            lab = codemeter.show(screen, folder)
        case "chaos":
            lab = chaos.show(screen, folder, chosen.performer)
        case "aimms":
            lab = aimms.show(screen, folder)
        case _:
            lab = altigen.show(screen, folder)
    _require_ended(screen, lab, kept=folder is not None)


def _require_ended(screen: Screen, lab: Lab, kept: bool) -> None:
    there = lab.folder.exists()
    screen.require(
        not lab.processes() and there == kept,
        f"no process of the demo runs and {lab.folder} is {'kept' if kept else 'gone'}",
        f"Something of the demo is left: processes {lab.processes()}, folder {lab.folder}.",
    )
