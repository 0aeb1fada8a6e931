# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what: decided by the kernel's word about the peer, denied by default."""

from __future__ import annotations

import asyncio
import grp
import json
import os
import pwd
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_agent.api import roles as api_roles
from seatkeeper_agent.api.roles import People, Role
from seatkeeper_agent.domain.transfers import transfer_id
from seatkeeper_agent.host import Peer, host, linux
from seatkeeper_agent.settings import Roles
from seatkeeper_twins.lab.lab import Lab, LabHost

from .asking import declared
from .chaos_routes import DONGLE, MIGRATION, TARGET
from .conftest import CHAOS_CLOUD, CHAOS_SEED, SEEDS
from .contract import Contract
from .order_routes import ORDER_SEED, ordered, path_of
from .peers import Request, User, spare_groups, stranger
from .role_table import CONFIRMED, ROUTES, UNDESCRIBED
from .server_move_routes import body, leg_path

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can become other users and show what they may do"
)
ID = transfer_id("roles")
SERIAL = "130-1000000001"
VALUES = {
    "serial": SERIAL,
    "vendor": "codemeter",
    "leg": "issue",
    "transfer": ID,
    "borrow": ID,
    "operation": ID,
    "dongle": "90000001",
    "migration": ID,
    "order": ID,
    "move": ID,
    "name": "Client",
}
# Bodies that are whole, so that nothing but the role is in their way.
BODIES = {
    ("POST", "/v1/moves/{move}/legs/{leg}"): body(),
    ("POST", "/v1/transfers/{transfer}/{leg}"): {"transfer": declared("roles")},
    ("PUT", "/v1/migrations/{migration}"): {"dongle": DONGLE, "target_user": TARGET},
    ("PUT", "/v1/orders/{order}"): ordered("roles"),
}
NAMES = {
    "migration": MIGRATION,
    "order": path_of("roles").rpartition("/")[2],
    "move": leg_path("release").split("/")[3],
}


def role_of(peer: Peer, roles: Roles) -> Role:
    """What the agent's gate decides."""
    return asyncio.run(People(roles).role_of(peer))


def concrete(path: str) -> str:
    """A route's path for what the whole bodies name."""
    leg = {"leg": "release"} if path.startswith("/v1/moves/") else {}
    return path.format(**VALUES | NAMES | leg)


class TestRoleOf:
    """The decision itself."""

    def test_root_and_the_agents_own_user_are_migrators(self) -> None:
        empty = Roles((), (), ())
        assert role_of(Peer(0, 0), empty) is Role.MIGRATOR
        assert role_of(Peer(os.geteuid(), 4_000_000), empty) is Role.MIGRATOR

    def test_a_peer_that_the_kernel_does_not_name_is_nobody(self) -> None:
        everybody = Roles(*[tuple(group.gr_name for group in grp.getgrall())] * 3)
        for peer in (Peer(None, None), Peer(None, 0), Peer(0, None)):
            assert role_of(peer, everybody) is Role.NOBODY
        assert host().peer_of(None) == Peer(None, None)
        with socket.socket(socket.AF_INET) as connection:
            assert host().peer_of(connection) == Peer(None, None)

    def test_the_kernel_tells_the_user_and_the_group(self) -> None:
        left, right = socket.socketpair()
        with left, right:
            own = Peer(os.getuid(), os.getgid(), tuple(sorted(os.getgroups())))
            assert host().peer_of(left) == own

    def test_the_highest_role_of_any_group_counts(self) -> None:
        low, high = (group.gr_name for group in spare_groups(2))
        gid = {name: grp.getgrnam(name).gr_gid for name in (low, high)}
        roles = Roles(observer=(low, high), operator=(high,), migrator=())
        unknown = 4_000_000
        assert role_of(Peer(unknown, gid[low]), roles) is Role.OBSERVER
        assert role_of(Peer(unknown, gid[high]), roles) is Role.OPERATOR
        assert role_of(Peer(unknown, unknown), roles) is Role.NOBODY

    def test_names_are_compared_whole_and_absent_groups_give_nothing(self) -> None:
        (group,) = spare_groups(1)
        for name in (group.gr_name[:-1], group.gr_name + "x", group.gr_name.upper(), "*", ""):
            roles = Roles((name,), (name,), (name,))
            assert role_of(Peer(4_000_000, group.gr_gid), roles) is Role.NOBODY

    def test_any_group_of_the_process_counts(self) -> None:
        (group,) = spare_groups(1)
        roles = Roles(observer=(), operator=(group.gr_name,), migrator=())
        gid = group.gr_gid
        assert role_of(Peer(4_000_000, 4_000_000, (4_000_001, gid)), roles) is Role.OPERATOR

    def test_groups_that_are_changed_count_from_then_on(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        file = tmp_path / "group"
        file.write_text("staff:1000\n", "utf-8")
        requested: list[str] = []

        def looked_up(name: str) -> grp.struct_group:
            requested.append(name)
            return grp.struct_group((name, "x", int(file.read_text("utf-8").split(":")[1]), []))

        monkeypatch.setattr(linux, "GROUP_FILE", file)
        monkeypatch.setattr(grp, "getgrnam", looked_up)
        people = People(Roles(observer=(), operator=("staff",), migrator=()))

        async def decided() -> list[Role]:
            return [await people.role_of(Peer(4_000_000, gid)) for gid in (1000, 1001)]

        for _turn in range(3):
            assert asyncio.run(decided()) == [Role.OPERATOR, Role.NOBODY]
        assert requested == ["staff"]
        replaced = tmp_path / "new"
        replaced.write_text("staff:1001\n", "utf-8")
        replaced.replace(file)
        assert asyncio.run(decided()) == [Role.NOBODY, Role.OPERATOR]
        assert requested == ["staff"] * 2

    def test_a_name_service_that_hangs_holds_up_nobody_for_long(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answering = threading.Event()

        def hanging(_uid: int) -> pwd.struct_passwd:
            answering.wait()
            raise KeyError

        monkeypatch.setattr(pwd, "getpwuid", hanging)
        monkeypatch.setattr(api_roles, "LOOK_UP_SECONDS_MAX", 0.01)
        people = People(Roles((), (), ()))

        async def names() -> list[str]:
            return [await people.name_of(Peer(uid, uid)) for uid in (4_000_000, 4_000_001)]

        try:
            assert asyncio.run(names()) == ["uid 4000000", "uid 4000001"]
        finally:
            answering.set()

    def test_each_role_includes_the_ones_below(self) -> None:
        assert Role.NOBODY < Role.OBSERVER < Role.OPERATOR < Role.MIGRATOR


@dataclass(frozen=True)
class Guarded:
    """An agent whose socket lets everybody in, so that only its gate decides."""

    host: LabHost
    peers: dict[Role, User]


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    """An agent with a group for each role, and a user for each group."""
    names = ("observer", "operator", "migrator")
    groups = dict(zip(names, spare_groups(3), strict=True))
    seed = {"codemeter": SEEDS["old-server"], **CHAOS_SEED, **ORDER_SEED, "aimms": {}}
    lab = Lab.create({"old-server": seed}, cloud_seed=CHAOS_CLOUD)
    host = lab["old-server"]
    lines = [f'{name} = ["{group.gr_name}"]' for name, group in groups.items()]
    with host.settings_path.open("a", encoding="utf-8") as settings:
        settings.write("\n".join(["[roles]", *lines, ""]))
    with lab:
        for folder in (lab.folder, host.folder):
            folder.chmod(0o711)
        host.socket_path.chmod(0o666)
        nobody = stranger()
        peers = {Role.NOBODY: nobody, Role.MIGRATOR: User(0, 0)}
        for role in (Role.OBSERVER, Role.OPERATOR):
            peers[role] = User(nobody.uid, groups[role.name.lower()].gr_gid)
        yield Guarded(host, peers)


def test_every_route_has_a_row_in_the_table(contract: Contract) -> None:
    assert set(ROUTES) == contract.operations()


def test_every_body_that_takes_a_confirmation_is_in_the_table(contract: Contract) -> None:
    assert {row for row in ROUTES if _takes_confirmation(contract, *row)} == CONFIRMED


def _takes_confirmation(contract: Contract, method: str, path: str) -> bool:
    operation = contract.document["paths"][path][method.lower()]
    if "requestBody" not in operation:
        return False
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    name = schema["$ref"].rpartition("/")[2]
    return "plan_digest" in contract.document["components"]["schemas"][name]["properties"]


@needs_root
@pytest.mark.parametrize("role", Role)
def test_every_route_asks_for_its_role(guarded: Guarded, role: Role) -> None:
    rows = sorted((ROUTES | UNDESCRIBED).items())
    requests: list[Request] = [
        (method, path.format(**VALUES), None) for (method, path), _needed in rows
    ]
    answers = guarded.peers[role].ask(guarded.host.socket_path, requests)
    for (row, needed), (status, text) in zip(rows, answers, strict=True):
        assert (status != 403) is (role >= needed), (row, status, text)
        if role < needed:
            problem = json.loads(text)
            assert problem["code"] == "forbidden"
            assert problem["next_action"]
            assert len(text) < 600


@needs_root
@pytest.mark.parametrize("row", sorted(CONFIRMED))
def test_only_a_migrator_confirms(guarded: Guarded, row: tuple[str, str]) -> None:
    method, path = row
    said = json.dumps(BODIES[row] | {"plan_digest": "0" * 64})
    requested: list[Request] = [(method, concrete(path), said)]
    ((refused, reported),) = guarded.peers[Role.OPERATOR].ask(guarded.host.socket_path, requested)
    assert (refused, json.loads(reported)["code"]) == (403, "forbidden")
    assert "role migrator" in json.loads(reported)["detail"]
    ((received, reported),) = guarded.peers[Role.MIGRATOR].ask(guarded.host.socket_path, requested)
    assert received not in (403, 422), reported


@needs_root
def test_the_role_is_that_of_the_process_and_not_of_the_group_database(guarded: Guarded) -> None:
    """A process has what it was started with, whatever is written down of its user since."""
    gid, nobody = guarded.peers[Role.OPERATOR].gid, guarded.peers[Role.NOBODY]
    requested: list[Request] = [("GET", "/v1/agent", None)]
    # A user of the system for whom the database names that group.
    member = next(entry for entry in pwd.getpwall() if entry.pw_gid == gid)
    without = User(member.pw_uid, nobody.gid)
    assert without.ask(guarded.host.socket_path, requested)[0][0] == 403
    with_it = User(nobody.uid, nobody.gid, (gid,))
    many = User(nobody.uid, nobody.gid, (*range(5_000_000, 5_000_300), gid))
    for user in (with_it, many):
        ((status, text),) = user.ask(guarded.host.socket_path, requested)
        assert (status, json.loads(text)["role"]) == (200, "operator")


@needs_root
def test_a_role_by_the_primary_group_of_the_process_is_told(guarded: Guarded) -> None:
    for role in (Role.OBSERVER, Role.OPERATOR, Role.MIGRATOR):
        ((status, text),) = guarded.peers[role].ask(
            guarded.host.socket_path, [("GET", "/v1/agent", None)]
        )
        assert status == 200
        assert json.loads(text)["role"] == role.name.lower()


@needs_root
def test_methods_without_a_route_need_the_role_of_a_change(guarded: Guarded) -> None:
    methods = ("DELETE", "PATCH", "OPTIONS", "TRACE")
    requests: list[Request] = [(method, "/v1/agent", None) for method in methods]
    answers = guarded.peers[Role.OBSERVER].ask(guarded.host.socket_path, requests)
    assert {status for status, _text in answers} == {403}


@needs_root
def test_only_a_migrator_confirms_what_cannot_be_undone(guarded: Guarded) -> None:
    body = json.dumps({"transfer": declared("roles"), "plan_digest": "0" * 64})
    leg = ("POST", f"/v1/transfers/{ID}/issue", body)
    ((status, text),) = guarded.peers[Role.OPERATOR].ask(guarded.host.socket_path, [leg])
    assert (status, json.loads(text)["code"]) == (403, "forbidden")
    assert "role migrator" in json.loads(text)["detail"]
    assert guarded.host.client.get("/v1/transfers")["transfers"] == []


@needs_root
def test_only_a_migrator_has_a_dongle_migrated(guarded: Guarded) -> None:
    order = {"dongle": DONGLE, "target_user": TARGET}
    path = f"/v1/migrations/{MIGRATION}"
    requests: list[Request] = [
        ("PUT", path, json.dumps(order | {"plan_digest": "0" * 64})),
        ("PUT", f"{path}?dry_run=true", json.dumps(order | {"plan_digest": "0" * 64})),
        ("PUT", path, json.dumps(order)),
    ]
    operator = guarded.peers[Role.OPERATOR].ask(guarded.host.socket_path, requests)
    migrator = guarded.peers[Role.MIGRATOR].ask(guarded.host.socket_path, requests)
    codes = [json.loads(text).get("code") for _status, text in operator + migrator]
    # The server is not activated: for whom it is allowed, that is the next thing to be said.
    assert codes == ["forbidden", *["dongle-not-eligible"] * 5]
    assert "role migrator" in json.loads(operator[0][1])["detail"]


@needs_root
def test_only_a_migrator_places_an_order(guarded: Guarded) -> None:
    path, order = path_of("roles"), ordered("roles")
    requests: list[Request] = [
        ("PUT", path, json.dumps(order | {"plan_digest": "0" * 64})),
        ("PUT", f"{path}?dry_run=true", json.dumps(order | {"plan_digest": "0" * 64})),
        ("PUT", path, json.dumps(order)),
    ]
    operator = guarded.peers[Role.OPERATOR].ask(guarded.host.socket_path, requests)
    migrator = guarded.peers[Role.MIGRATOR].ask(guarded.host.socket_path, requests)
    codes = [json.loads(text).get("code") for _status, text in operator + migrator]
    required = "confirmation-required"
    assert codes == ["forbidden", None, required, required, None, required]
    assert guarded.host.client.get("/v1/orders")["orders"] == []


@needs_root
def test_only_a_migrator_has_licenses_released(guarded: Guarded) -> None:
    path, requested = leg_path("release"), body()
    requests: list[Request] = [
        ("POST", path, json.dumps(requested | {"plan_digest": "0" * 64})),
        ("POST", path, json.dumps(requested)),
    ]
    operator = guarded.peers[Role.OPERATOR].ask(guarded.host.socket_path, requests)
    migrator = guarded.peers[Role.MIGRATOR].ask(guarded.host.socket_path, requests)
    codes = [json.loads(text).get("code") for _status, text in operator + migrator]
    assert codes == ["forbidden", *["leg-out-of-order"] * 3]
    assert guarded.host.client.get("/v1/moves")["moves"] == []


@needs_root
def test_the_socket_itself_keeps_strangers_out(lab: Lab) -> None:
    host = lab["new-server"]
    modes = [(folder, folder.stat().st_mode) for folder in (lab.folder, host.folder)]
    for folder, _mode in modes:
        folder.chmod(0o711)
    try:
        ((status, reason),) = stranger().ask(host.socket_path, [("GET", "/livez", None)])
    finally:
        for folder, mode in modes:
            folder.chmod(mode)
    assert (status, reason) == (0, "Permission denied")


@needs_root
@pytest.mark.parametrize("role", Role)
def test_a_dry_run_needs_an_observer_only(guarded: Guarded, contract: Contract, role: Role) -> None:
    rows = [row for row in sorted(ROUTES) if _has_dry_run(contract, *row)]
    assert len(rows) > 10
    asked: list[Request] = [
        (method, f"{path.format(**VALUES)}?dry_run={how}", None)
        for how in ("true", "false", "1", "false&dry_run=true", "true&dry_run=false")
        for method, path in rows
    ]
    answers = guarded.peers[role].ask(guarded.host.socket_path, asked)
    for (method, path, _body), (status, text) in zip(asked, answers, strict=True):
        is_dry_run = path.endswith("?dry_run=true")
        needed = Role.OBSERVER if is_dry_run else Role.OPERATOR
        assert (status == 403) is (role < needed), (method, path, status, text)


def _has_dry_run(contract: Contract, method: str, path: str) -> bool:
    parameters = contract.document["paths"][path][method.lower()].get("parameters", ())
    return any(entry["name"] == "dry_run" for entry in parameters)


STATES: dict[str, dict[str, Any]] = {
    "transfer": {"transfer": declared("roles")},
    "borrow": {},
    "server": {"running": True},
    "activation": {"account": "admin@example.com", "password": "x"},
    "offline_activation": {"answer": "AAAA"},
    "server_borrow": {},
    "dongle_migration": BODIES["PUT", "/v1/migrations/{migration}"],
    "order": BODIES["PUT", "/v1/orders/{order}"],
    "server_move": body(),
}
IDS = {name.replace("migration", "dongle_migration"): known for name, known in NAMES.items()}
IDS |= {"transfer": ID, "server_move": NAMES["move"]}
MAY_CONFIRM = ("transfer", "dongle_migration", "order", "server_move")


@needs_root
@pytest.mark.parametrize("kind", STATES)
@pytest.mark.parametrize("role", Role)
def test_who_may_declare_plan_and_confirm(guarded: Guarded, role: Role, kind: str) -> None:
    entry = {"kind": kind, "id": IDS.get(kind, "x"), "declared": STATES[kind]}
    confirmed = {**entry, "declared": {**STATES[kind], "plan_digest": "0" * 64}}
    bodies = [
        {"dry_run": is_dry_run, "declarations": [each]}
        for each in (entry, *[confirmed] * (kind in MAY_CONFIRM))
        for is_dry_run in (True, False)
    ]
    # What is declared is planned by all, and done by nobody here: the dongle is not eligible.
    sent: list[Request] = [("PUT", "/v2/state", json.dumps(body)) for body in bodies]
    if role >= Role.OPERATOR and kind not in MAY_CONFIRM:
        sent = sent[:1]
    answers = guarded.peers[role].ask(guarded.host.socket_path, sent)
    for said, (status, text) in zip(bodies, answers, strict=False):
        needed = Role.OBSERVER if said["dry_run"] else Role.OPERATOR
        assert (status == 403) is (role < needed), (said, text)
        if status == 403:
            continue
        (result,) = json.loads(text)["results"]
        is_refused = (result["problem"] or {}).get("code") == "forbidden"
        confirms = "plan_digest" in said["declarations"][0]["declared"] and not said["dry_run"]
        assert is_refused is (confirms and role < Role.MIGRATOR), (said, text)
