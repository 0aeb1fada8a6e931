# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of license servers of CodeMeter and Chaos, started and stopped services."""

from __future__ import annotations

from typing import Any

from costs.lab import products

from answers.script import Lines, Script
from answers.scripts.chaos import HOST, SEED
from answers.scripts.codemeter import OLD, SEEDS
from answers.wanted import DECLARE, LOOK, RESUME, Wanted
from seatkeeper_twins.lab.lab import Lab
from seatkeeper_twins.parts import control

OFTEN = 100
"""More often than the agent tries anything."""


def run(lines: Lines) -> None:
    """Request everything, line by line."""
    with products({OLD: SEEDS[OLD], HOST: SEED}) as (lab, agents):
        script = Script(lines, agents)
        codemeter(script, lab)
        chaos(script, lab)


def server(vendor: str, **values: Any) -> Wanted:
    """What is declared of a server."""
    return Wanted("server", DECLARE, {"vendor": vendor, **values})


def codemeter(script: Script, lab: Lab) -> None:
    """The service is stopped, its file written, and it is started again."""
    network = {"General": {"IsNetworkServer": "1"}}
    script.whole("CodeMeter, one setting", OLD, server("codemeter", settings=network))
    more = {"General": {"IsNetworkServer": "1", "NetworkPort": "22352"}, "HTTP": {"New": "1"}}
    script.whole("CodeMeter, settings of two sections", OLD, server("codemeter", settings=more))
    for title, values in (
        ("nothing declared", {}),
        ("line end in a setting", {"settings": {"General": {"ProxyServer": "a\nb"}}}),
        ("password in a setting", {"settings": {"General": {"ProxyPassword": "canary"}}}),
        ("key in other letters", {"settings": {"General": {"networkport": "1"}}}),
        ("number for a text", {"settings": {"General": {"NetworkPort": 22350}}}),
        ("dongle service", {"dongle_service": "enabled"}),
        ("least version", {"version_min": "7.0"}),
        ("unknown key", {"force": True}),
    ):
        script.twice(f"CodeMeter, {title}", OLD, server("codemeter", **values))
    script.whole("CodeMeter, stopped", OLD, server("codemeter", running=False))
    script.whole("CodeMeter, setting while it stands", OLD, server("codemeter", settings=network))
    changed = {"General": {"IsNetworkServer": "0"}}
    script.whole(
        "CodeMeter, started with a setting",
        OLD,
        server("codemeter", settings=changed, running=True),
    )
    script.ask("CodeMeter, looked at", OLD, Wanted("server", LOOK, {"vendor": "codemeter"}))
    assert lab[OLD].engine.pid is not None


def chaos(script: Script, lab: Lab) -> None:
    """Named keys change; the dongle service is switched; the server has a least version."""
    address = lab[HOST].chaos.address
    proxy = {"proxy": {"host": "10.0.0.1"}}
    script.whole("Chaos, one setting", HOST, server("chaos", settings=proxy))
    script.whole("Chaos, dongle service on", HOST, server("chaos", dongle_service="enabled"))
    script.whole("Chaos, dongle service off", HOST, server("chaos", dongle_service="disabled"))
    both = {"settings": {"proxy": {"host": ""}}, "dongle_service": "enabled"}
    script.whole("Chaos, setting and dongle service", HOST, server("chaos", **both))
    script.whole("Chaos, least version that it has", HOST, server("chaos", version_min="4.5.0"))
    for title, values in (
        ("least version of the future", {"version_min": "7.0"}),
        ("least version that is none", {"version_min": "newest"}),
        ("nothing declared", {}),
        ("unknown section", {"settings": {"nowhere": {"key": "value"}}}),
        ("unknown setting", {"settings": {"proxy": {"nothing": "value"}}}),
        ("two ports alike", {"settings": {"local": {"vrlPort": "30306"}}}),
        ("port that is none", {"settings": {"local": {"vrlPort": "0"}}}),
        ("dongle service by a word that is none", {"dongle_service": "on"}),
    ):
        script.twice(f"Chaos, {title}", HOST, server("chaos", **values))
    lost(script, address, proxy)
    for action in (DECLARE, LOOK):
        nobody = Wanted("server", action, {"vendor": "nobody", "running": True})
        script.ask(f"server of an unknown vendor, {action}", HOST, nobody)
    down(script, lab, proxy)


def lost(script: Script, address: str, proxy: dict[str, Any]) -> None:
    """Answers that are lost, and a server that refuses."""
    control.set_fault(address, "write_config.after", "lose")
    script.twice("Chaos, setting whose answer is lost", HOST, server("chaos", settings=proxy))
    control.set_fault(address, "write_config.before", "refuse", 500)
    once = server("chaos", settings={"proxy": {"host": "10.0.0.2"}})
    script.twice("Chaos, setting that is refused once", HOST, once)
    control.set_fault(address, "write_config.before", "refuse", 500, times=OFTEN)
    never = server("chaos", settings={"proxy": {"host": "10.0.0.3"}})
    script.twice("Chaos, setting that is refused again and again", HOST, never)
    control.clear_faults(address)
    script.ask("Chaos, everything resumed", HOST, Wanted("operation", RESUME, {}))


def down(script: Script, lab: Lab, proxy: dict[str, Any]) -> None:
    """A server that does not run, and is started."""
    script.whole("Chaos, stopped", HOST, server("chaos", running=False))
    script.twice("Chaos, setting while it stands", HOST, server("chaos", settings=proxy))
    started = server("chaos", settings={"proxy": {"host": "10.0.0.4"}}, running=True)
    script.whole("Chaos, started with a setting", HOST, started)
    assert lab[HOST].chaos.process.pid is not None
