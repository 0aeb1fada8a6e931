# SPDX-License-Identifier: GPL-3.0-or-later
"""A real agent, forked and killed at will, beside a real license server twin and its cloud."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from crash.client import ask
from crash.instrument import instrument_agent, tell
from crash.processes import ForkedProcess
from crash.tripwire import Tripwire
from vendors.chaos.twins import ADMIN, ChaosTwins

from seatkeeper_agent.api import server
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.ports import DriverRefused, DriverUnfinished
from seatkeeper_agent.operations.server_ports import AboutTo
from seatkeeper_agent.settings import Settings
from seatkeeper_agent.usb.isolation import Isolation
from seatkeeper_agent.usb.settings import UsbSettings
from seatkeeper_agent.vendors.chaos import driver as driver_module
from seatkeeper_agent.vendors.chaos import product as product_module
from seatkeeper_agent.vendors.chaos.http_calls import HttpCalls
from seatkeeper_agent.vendors.codemeter.settings import CodeMeterSettings
from seatkeeper_twins.chaos import people, usb_folder
from seatkeeper_twins.parts import control

PROCESS = "agent"
DONGLE, PORT, OTHER, OTHER_PORT = "90000001", "1-1.1", "90000004", "1-1.4"
SETTLE_SECONDS = 0.05
STARTS_MAX = 6
CLOUD_SECONDS = 0.2


class ClickingPage:
    """The page's one irreversible click, made in the twin; each is counted on the disk."""

    def __init__(self, address: str, clicks: Path, announce: Callable[[str], None]) -> None:
        self._address = address
        self._clicks = clicks
        self._announce = announce

    def transfer_dongle(self, target_user: str, about_to: AboutTo) -> None:
        """EFFECT, irreversible."""
        about_to()
        self._announce("before the click")
        with self._clicks.open("a", encoding="ascii") as file:
            file.write("click\n")
        try:
            people.transfer(self._address, target_user)
        except control.TwinRefused as error:
            raise DriverRefused(str(error), error.status) from error
        except OSError as error:
            raise DriverUnfinished(str(error)) from error
        self._announce("after the click")


class World:
    """One host; everything of it can be put back to where a scenario begins."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state_folder = folder / "state"
        self.clicks_path = folder / "clicks"
        self.performer = "person"
        self.mutate: Callable[[], None] = lambda: None
        self.cloud_seconds = CLOUD_SECONDS
        self.tripwire = Tripwire()
        self.twins = ChaosTwins(folder / "twins", server_seed={"visible_seconds": 0})
        self.twins.folder.mkdir()
        self.twins.start()
        self.agent = ForkedProcess(PROCESS, self._run_agent, folder / "agent.log")

    def close(self) -> None:
        """End everything."""
        self.agent.kill()
        self.twins.stop()

    def reset(self, performer: str, activated: bool) -> None:
        """A new agent, and twins as they were made; two dongles are plugged."""
        self.agent.kill()
        self.performer = performer
        shutil.rmtree(self.state_folder, ignore_errors=True)
        self.clicks_path.unlink(missing_ok=True)
        control.reset(self.twins.cloud, self.twins.server)
        seconds = ("migration_seconds", "arrival_seconds", "workstation_seconds")
        control.set_values(self.twins.cloud, **dict.fromkeys(seconds, self.cloud_seconds))
        if activated:
            values = {"activation_method": "online", "user": ADMIN, "logged_in": True}
            control.set_values(self.twins.server, **values)
        usb_folder.unplug_all(self.twins.usb)
        self.twins.plug(PORT, DONGLE)
        self.twins.plug(OTHER_PORT, OTHER)

    def revive(self) -> None:
        """Start the agent if it is dead, again when it dies in its own recovery."""
        for _start in range(STARTS_MAX):
            if self.agent.is_alive or self.agent.start():
                return
        raise RuntimeError(f"after {STARTS_MAX} starts the agent is still dead, see its log")

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """A request to the agent; see client.ask."""
        return ask(self.folder / "agent.sock", method, path, body)

    def let_vendor_end(self) -> None:
        """What the vendor has begun is due."""
        control.advance(2 * self.cloud_seconds, self.twins.cloud)

    @property
    def clicks(self) -> int:
        """How often TRANSFER >> was clicked by the agent."""
        return len(self.clicks_path.read_text().split()) if self.clicks_path.exists() else 0

    def hidden(self) -> set[str]:
        """The ports whose dongles drivers cannot have."""
        return {entry.path for entry in usb_folder.plugged(self.twins.usb) if not entry.authorized}

    def disk(self) -> Journal | None:
        """A copy of the journal as it lies on the disk; None before the agent's first start."""
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for path in self.state_folder.glob("journal.db*"):
            shutil.copy(path, copy)
        return Journal(copy / "journal.db") if any(copy.iterdir()) else None

    def _announce(self, point: str) -> None:
        self.tripwire.announce(PROCESS, point)

    def _run_agent(self, ready: int) -> None:
        self.mutate()
        instrument_agent(self.tripwire, PROCESS, lambda: tell(ready), waits_for_recovery=True)
        self._announce_calls(HttpCalls, "effect")
        self._announce_calls(Isolation, "_write")
        self._announce_calls(driver_module, "login")
        if self.performer == "browser":
            page = ClickingPage(self.twins.server, self.clicks_path, self._announce)
            product_module._page = lambda _settings: page  # type: ignore[assignment,return-value]
        absent = str(self.folder / "absent.so")
        server.serve(
            Settings(
                name="crashing",
                state_folder=self.state_folder,
                socket=self.folder / "agent.sock",
                settle_seconds=SETTLE_SECONDS,
                usb=UsbSettings(str(self.twins.usb), recording=True),
                vendors={
                    "codemeter": CodeMeterSettings(library=absent, cmu=absent, server_ini=absent),
                    "chaos": self.twins.settings(
                        performer=self.performer, migration_seconds_max=20.0
                    ),
                },
            )
        )

    def _announce_calls(self, holder: Any, name: str) -> None:
        call = getattr(holder, name)

        @wraps(call)
        def announced(*arguments: Any, **values: Any) -> Any:
            self._announce(f"before the call of {name}")
            try:
                return call(*arguments, **values)
            finally:
                self._announce(f"after the call of {name}")

        setattr(holder, name, announced)
