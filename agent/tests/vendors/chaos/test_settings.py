# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator may set, where the product is looked for, and what it says it can do."""

from __future__ import annotations

import socket
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_agent.operations.ports import Grade
from seatkeeper_agent.settings import SettingsError, load
from seatkeeper_agent.vendors.chaos.capabilities import capabilities
from seatkeeper_agent.vendors.chaos.driver import ChaosDriver
from seatkeeper_agent.vendors.chaos.hosts import is_this_host
from seatkeeper_agent.vendors.chaos.instructions import ChaosInstructions
from seatkeeper_agent.vendors.chaos.settings import ChaosSettings, found_on_this_host


@pytest.mark.parametrize(
    ("values", "reported"),
    [
        ({"address": "127.0.0.1:30304"}, "address"),
        ({"address": "https://127.0.0.1:30304"}, "address"),
        ({"address": "http://127.0.0.1:30304/page"}, "address"),
        ({"address": "http://user:pass@127.0.0.1"}, "address"),
        ({"address": "http://127.0.0.1:99999"}, "address"),
        ({"address": "http://127.0.0.1:0"}, "address"),
        ({"address": "http://[::1"}, "address"),
        ({"address": "http://a b"}, "address"),
        ({"vrlctl": "vrlctl"}, "vrlctl must be an absolute path"),
        ({"chromium": ""}, "chromium must be an absolute path"),
        ({"performer": "robot"}, "performer must be one of person, browser"),
        ({"credentials_file_version_min": "new"}, "credentials_file_version_min"),
        ({"call_seconds_max": 0.0}, "call_seconds_max"),
        ({"page_seconds_max": 3601.0}, "page_seconds_max"),
        ({"migration_seconds_max": 90_000.0}, "migration_seconds_max"),
        ({"due_after": -1}, "due_after"),
        ({"wibukey_version_command": ("rpm", "%{VERSION}")}, "must not hold %"),
        ({"browser_arguments": ("--a\n",)}, "must not hold %"),
        (
            {"browser_arguments": ("--no-sandbox",), "browser_user": "nobody"},
            "must not switch the sandbox off that browser_user has",
        ),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(values: dict[str, Any], reported: str) -> None:
    with pytest.raises(ValueError, match=r"^chaos: ") as caught:
        ChaosSettings(**values)
    assert reported in str(caught.value)


def test_usual_addresses_are_taken() -> None:
    for address in ("http://127.0.0.1:30304", "http://[::1]:30304/", "http://render-licenses"):
        assert ChaosSettings(address=address).host in {"127.0.0.1", "::1", "render-licenses"}


@pytest.mark.parametrize(
    "path",
    [
        "usr/Chaos/VRLService/vrlctl",
        "usr/ChaosGroup/VRLService/OLS/vrlctl",
        "usr/ChaosGroup/VRLService/OLS/vrls",
    ],
)
def test_the_product_is_found_at_its_documented_places(tmp_path: Path, path: str) -> None:
    assert not found_on_this_host(tmp_path)
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).touch()
    assert found_on_this_host(tmp_path)


def test_this_host_is_told_from_others() -> None:
    assert is_this_host("127.0.0.1")
    assert is_this_host("localhost")
    assert is_this_host(socket.gethostname())
    assert not is_this_host("192.0.2.1")
    assert not is_this_host("no-such-host.invalid")
    assert not is_this_host("a" * 70 + ".example")
    assert ChaosDriver(ChaosSettings()).serves_this_host()


def grades(version: str | None, **values: Any) -> dict[str, Grade]:
    """The grade of each capability."""
    found = capabilities(version, None, ChaosSettings(**values))
    assert all(entry.reason.endswith(".") for entry in found)
    assert len({entry.name for entry in found}) == len(found)
    return {entry.name: entry.grade for entry in found}


def test_capabilities_follow_the_version() -> None:
    old, middle, new, unknown = (grades(it) for it in ("4.0", "4.5.0", "6.0.1", None))
    assert old["dongle_migration"] is Grade.REFUSED
    assert middle["dongle_migration"] is new["dongle_migration"] is Grade.ASSISTED
    assert unknown["dongle_migration"] is Grade.ASSISTED
    assert old["online_activation"] is middle["online_activation"] is Grade.REFUSED
    assert unknown["online_activation"] is Grade.REFUSED
    assert new["online_activation"] is Grade.DOCUMENTED
    lowered = grades("4.5.0", credentials_file_version_min="4.5")
    assert lowered["online_activation"] is Grade.DOCUMENTED
    assert new["offline_activation"] is new["borrow"] is Grade.ASSISTED
    assert new["service_control"] is Grade.REFUSED
    commands = {"start_command": ("start",), "stop_command": ("stop",)}
    assert grades("6", **commands)["service_control"] is Grade.ASSISTED


def test_instructions_use_the_vendors_words_and_the_operators_deadline() -> None:
    reported = ChaosInstructions.of(ChaosSettings(due_after=600))
    transfer = reported.transfer_dongle("artist@studio-a.example")
    assert transfer.seconds_max == 600
    text = " ".join(transfer.steps)
    for word in ("http://127.0.0.1:30304", "DONGLE", "TRANSFER >>", "CLOSE", "tick", "artist@"):
        assert word in text
    borrow = " ".join(reported.borrow("V-Ray", 3, True).steps)
    for word in ("ONLINE LICENSING", "Use licenses offline", "Next", "3", "PREVIEW", "BORROW"):
        assert word in borrow
    others = [
        reported.release("V-Ray"),
        reported.set_auto_renew("V-Ray", False),
        reported.activate_workstation("render-1"),
    ]
    for entry in [transfer, *others]:
        assert all(step.endswith(".") for step in (*entry.steps, entry.verified_by))
    assert [entry.attestable for entry in others] == [False, True, False]
    assert ChaosInstructions.of(ChaosSettings()).release("V-Ray").seconds_max is None


def test_every_setting_can_be_written_in_the_agents_file(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(
        """
[chaos]
address = "http://127.0.0.1:30310"
vrlctl = "/opt/vrlctl"
credentials_file_version_min = "4.5"
wibukey_version_command = ["/opt/wibukey-version"]
stop_command = ["systemctl", "stop", "chaos.service"]
start_command = ["systemctl", "start", "chaos.service"]
performer = "browser"
chromium = "/opt/chromium"
browser_arguments = ["--mute-audio"]
browser_user = "seatkeeper-browser"
screenshot_folder = "/var/tmp/pictures"
call_seconds_max = 30
label_seconds_max = 5.5
page_seconds_max = 60
migration_seconds_max = 3600
service_seconds_max = 90
due_after = 86400
"""
    )
    read = load(path).vendors["chaos"]
    assert read is not None
    usual = ChaosSettings()
    same = [
        entry.name
        for entry in fields(ChaosSettings)
        if getattr(read, entry.name) == getattr(usual, entry.name)
    ]
    assert same == []
    assert (read.due_after, read.call_seconds_max) == (86400, 30.0)
    path.write_text("[chaos]\nperformer = 'robot'\n")
    with pytest.raises(SettingsError, match="chaos: performer must be one of person, browser"):
        load(path)
