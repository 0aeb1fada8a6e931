# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's part with Chaos: servers activated, dongles refused, mended and migrated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seatkeeper_twins.chaos import people
from seatkeeper_twins.chaos.twin import demo_seed
from seatkeeper_twins.cli import CHAOS_SEED_PATH, read_seeds
from seatkeeper_twins.demo import studio
from seatkeeper_twins.demo.dongles import DONGLE, STUCK, Dongles
from seatkeeper_twins.demo.screen import Screen
from seatkeeper_twins.demo.stage import (
    ACTIVATE,
    ADMIN,
    OFFLINE,
    ONLINE,
    OTHER_STUDIO,
    STUDIO,
    Stage,
)
from seatkeeper_twins.lab.chaos import browser_is_here
from seatkeeper_twins.lab.lab import Lab


def show(screen: Screen, folder: Path | None, performer: str | None) -> Lab:
    """Show it on a lab of its own, which is given back stopped; DemoError.

    ``folder`` None: a temporary one. ``performer`` None: a browser works on the page where there
    is one, else a person.
    """
    chosen = performer or ("browser" if browser_is_here() else "person")
    screen.stage(f"Start {ONLINE} and {OFFLINE}, each an agent beside a Chaos twin, and the cloud")
    lab = Lab.create(_seeds(chosen), folder, cloud_seed=_cloud_seed())
    screen.line(f"  sockets, journals and logs are in {lab.folder}")
    screen.line(
        "  Chromium works on the pages of the servers"
        if chosen == "browser"
        else "  the demo stands in for the person who works on the pages of the servers"
    )
    with lab:
        stage = Stage(lab, screen)
        servers, dongles = Servers(stage), Dongles(stage, chosen)
        servers.show("What both servers show, as their agents tell it")
        servers.activate()
        servers.bring_answer()
        dongles.refuse()
        dongles.mend()
        dongles.meet_hidden_rule()
        dongles.migrate()
        dongles.migrate_shelf()
        dongles.run_again()
        dongles.show_account()
        servers.show("What both servers show now")
        screen.stage("Stop everything")
    return lab


def _seeds(performer: str) -> dict[str, Any]:
    seeds = dict(read_seeds(CHAOS_SEED_PATH))
    for seed in seeds.values():
        seed["chaos"]["performer"] = performer
    return seeds


def _cloud_seed() -> Any:
    """The default, but with a dongle that the vendor has under the wrong name."""
    seed = demo_seed()
    companies = seed["companies"]
    del companies[STUDIO]["dongles"][DONGLE]
    companies[OTHER_STUDIO]["dongles"][DONGLE] = {"licenses": [{**STUCK, "expires": None}]}
    return seed


class Servers:
    """The stages about activation."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def show(self, title: str) -> None:
        """Both servers as they are."""
        self._stage.screen.stage(title)
        studio.show_servers(self._stage.screen, self._stage.lab)

    def activate(self) -> None:
        """One logs in; the other one's request comes out."""
        self._stage.screen.stage(
            "Activate one server online, and have the other one make its request"
        )
        self._stage.run(ACTIVATE)
        self._require_active(ONLINE, "online", ADMIN)
        self._stage.screen.require(
            self._activation(OFFLINE)["activated"] is False and len(self._files(".csr")) == 1,
            f"{OFFLINE} is not activated and its request is in {self._files('.csr')[0].name}",
            f"{OFFLINE} did not make a request.",
        )

    def bring_answer(self) -> None:
        """The account page answers; the answer goes in."""
        self._stage.screen.stage("Have the request answered on the account page, and run again")
        (request,) = self._files(".csr")
        answer = people.answer_request(
            self._stage.lab.cloud.address,
            ADMIN,
            self._stage.password,
            request.read_bytes(),
            OFFLINE,
        )
        request.with_suffix(".crt").write_bytes(answer)
        names = [station["name"] for station in self._stage.lab.cloud.describe()["workstations"]]
        self._stage.screen.line(
            f"  (a person's part: Activate Workstation with {request.name}, Download .crt File)"
        )
        self._stage.screen.require(
            names == [OFFLINE],
            f"the account has the workstation {OFFLINE}",
            f"The account has the workstations {', '.join(names) or 'none'}.",
        )
        run = self._stage.run(ACTIVATE)
        self._require_active(OFFLINE, "offline", None)
        self._stage.screen.require(
            run.recap[ONLINE]["changed"] == 0,
            f"{ONLINE}, activated before, was left alone",
            f"The second run changed {ONLINE}.",
        )

    def _require_active(self, name: str, method: str, account: str | None) -> None:
        reported = self._activation(name)
        seats = studio.shown_seats(self._stage.lab[name])
        self._stage.screen.require(
            (reported["activated"], reported["method"], reported["account"])
            == (True, method, account)
            and seats == self._stage.before,
            f"{name} is activated {method} and shows what the account of {STUDIO} holds",
            f"{name} is not activated {method}, or shows something else than the account holds.",
        )

    def _activation(self, name: str) -> Any:
        return self._stage.lab[name].client.get("/v1/servers/chaos/activation")

    def _files(self, suffix: str) -> list[Any]:
        return sorted((self._stage.lab.folder / "exchange").glob(f"*{suffix}"))
