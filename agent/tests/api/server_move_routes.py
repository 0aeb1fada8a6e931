# SPDX-License-Identifier: GPL-3.0-or-later
"""Every route of moves, asked as a license server goes from one host to another."""

from __future__ import annotations

from typing import Any

from seatkeeper_agent.domain.server_move_legs import move_id
from seatkeeper_twins.lab.lab import Lab

from .asking import Asker, asking
from .chaos_routes import follow, twice
from .contract import Contract

OLD, NEW = "old-server", "new-server"
PROFILES = {"15.90.10.1": ["ProLicense"], "15.90.10.2": ["Client"], "15.90.10.3": ["Server"]}
CODES = {number: f"TWIN{number[-1]}-AAAAA-BBBBB-CCCCC-DDDDD" for number in PROFILES}
MOVE_SEEDS: dict[str, Any] = {
    OLD: {"aimms": {"machine": {"licenses": PROFILES}}},
    NEW: {"aimms": {"machine": {"installed": False, "license_files": list(PROFILES)}}},
}
BACKUP, PROFILE = "/v1/servers/aimms/backup", "/v1/servers/aimms/profiles"
NAME = "every-route"
LICENSES = [{"number": n, "profiles": names, "has_code": True} for n, names in PROFILES.items()]


def body(name: str = NAME, **values: Any) -> dict[str, Any]:
    """What a leg is sent."""
    move = {
        "name": name,
        "vendor": "aimms",
        "source": OLD,
        "target": NEW,
        "target_host": "new-server.studio.example",
    }
    return {"move": move, **values}


def leg_path(leg: str, name: str = NAME) -> str:
    """The route of one leg."""
    return f"/v1/moves/{move_id(name)}/legs/{leg}"


def codes() -> list[dict[str, str]]:
    """The activation codes as they are sent."""
    return [{"license": number, "code": code} for number, code in CODES.items()]


def attest(asker: Asker, step: str) -> None:
    """A person's word on the step that waits."""
    (waiting,) = asker.get("/v1/waiting")["waiting"]
    assert waiting["step"] == step
    said = {"statement": "Seen on the screen.", "outcome": "done"}
    path = f"/v1/operations/{waiting['operation']}/attest"
    other = asker.problem("POST", path, json={**said, "step": "another"})
    assert other["code"] == "step-over"
    assert asker.ask("POST", path, json={**said, "step": step}).status_code == 200


def ask_every_move_route(contract: Contract) -> None:
    """All of them, with every success that is described."""
    with (
        Lab.create(MOVE_SEEDS) as lab,
        asking(lab[OLD], contract) as old,
        asking(lab[NEW], contract) as new,
    ):
        assert old.get(BACKUP) == {"backup": None}
        assert old.get("/v1/moves") == {"moves": [], "next": None}
        twice(old, "PUT", BACKUP, {"licenses": LICENSES})
        followed(old, "PUT", BACKUP, {"licenses": LICENSES})
        profile = {"license": "15.90.10.1"}
        twice(old, "PUT", f"{PROFILE}/Another", profile)
        followed(old, "PUT", f"{PROFILE}/Another", profile)
        licenses = [dict(entry) for entry in LICENSES]
        licenses[0]["profiles"] = ["Another", "ProLicense"]
        given_up(old, licenses)
        move(old, new, licenses)
        pages(old)


def followed(asker: Asker, method: str, path: str, requested: Any = None) -> None:
    """Asked for without waiting, and waited for afterwards."""
    place = follow(asker, method, path, requested)
    assert asker.get(place, wait=30)["state"] == "done"


def given_up(old: Asker, licenses: list[dict[str, Any]]) -> None:
    """Two that never went further than their backup."""
    requested = body("given-up", licenses=licenses)
    followed(old, "POST", leg_path("backup", "given-up"), requested)
    followed(old, "DELETE", f"/v1/moves/{move_id('given-up')}")
    twice(old, "POST", leg_path("backup", "given-up-too"), body("given-up-too", licenses=licenses))
    path = f"/v1/moves/{move_id('given-up-too')}"
    assert old.ask("DELETE", f"{path}?dry_run=true").json()["changed"]
    assert old.ask("DELETE", path).json()["after"] == {"state": "void"}


def move(old: Asker, new: Asker, licenses: list[dict[str, Any]]) -> None:
    """Leg by leg, each asked for twice."""
    backup = twice(old, "POST", leg_path("backup"), body(licenses=licenses))["backup"]
    prepared = twice(new, "POST", leg_path("prepare"), body(backup=backup))["document"]
    requested = body(document=prepared)
    plan = old.ask("POST", f"{leg_path('release')}?dry_run=true", json=requested).json()["plan"]
    requested["plan_digest"] = plan["digest"]
    released = twice(old, "POST", leg_path("release"), requested)
    assert len(released["move"]["adrift"]) == len(PROFILES)
    requested = body(document=released["document"], codes=codes())
    arrived = twice(new, "POST", leg_path("install"), requested)["document"]
    answer = old.ask("POST", leg_path("finish"), json=body(document=arrived)).json()
    assert answer["waiting"][0]["step"] == "repoint"
    attest(old, "repoint")
    shown = old.get(f"/v1/moves/{move_id(NAME)}")
    assert (shown["state"], shown["adrift"]) == ("finished", [])
    seen = new.get(f"/v1/moves/{move_id(NAME)}")
    assert {entry["place"] for entry in seen["licenses"]} == {"target"}


def pages(old: Asker) -> None:
    """What was moved from here."""
    whole = old.get("/v1/moves", limit=1000)["moves"]
    first = old.get("/v1/moves", limit=1)
    assert [*first["moves"], *old.get("/v1/moves", after=first["next"])["moves"]] == whole
    assert {entry["name"] for entry in whole} == {NAME, "given-up", "given-up-too"}
