# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared settings over /config: the whole tree travels, only the named keys change."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import Any

import pytest

from seatkeeper_agent.operations.ports import (
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
    DriverUnsupported,
)
from seatkeeper_agent.vendors.chaos.server_settings import ChaosServerSettings
from seatkeeper_agent.vendors.chaos.settings import ChaosSettings

from .conftest import settings_of
from .odd_server import OddServer, json_reply, reply, reset

TREE = {
    "proxy": {"host": "", "port": 8080, "password": "hidden", "user": "u"},
    "local": {"vrlPort": "30305", "vrolPort": "30306", "deep": {"a": [1, None]}},
    "list": [1, 2],
    "Größe": {"ä": "ö"},
}


def server_of(odd: OddServer, tree: Any = None, **values: Any) -> ChaosServerSettings:
    """Settings of a server that shows this tree."""
    odd.replies["GET", "/config"] = json_reply(TREE if tree is None else tree)
    odd.replies["POST", "/config"] = reply(200)
    return ChaosServerSettings(settings_of(odd, **values))


def posted(odd: OddServer) -> list[Any]:
    """The trees that were sent."""
    return [json.loads(requested.body) for requested in odd.requested if requested.method == "POST"]


def test_texts_are_shown_and_what_looks_like_a_password_is_not(odd: OddServer) -> None:
    assert server_of(odd).read_settings() == {
        "proxy": {"host": "", "user": "u"},
        "local": {"vrlPort": "30305", "vrolPort": "30306"},
        "Größe": {"ä": "ö"},
    }


def test_the_named_keys_change_and_all_others_travel_as_they_were(odd: OddServer) -> None:
    server = server_of(odd)
    server.write_settings({"proxy": {"host": "10.0.0.1"}, "diagnostics": {"level": "debug"}})
    server.write_settings({"Größe": {"ä": "ß"}, "local": {"vrlPort": "30310"}})
    first, second = posted(odd)
    changed = {**TREE["proxy"], "host": "10.0.0.1"}  # type: ignore[dict-item]
    assert first == {**TREE, "proxy": changed, "diagnostics": {"level": "debug"}}
    assert second["local"] == {**TREE["local"], "vrlPort": "30310"}  # type: ignore[dict-item]
    assert second["proxy"] == TREE["proxy"]
    assert odd.requested[1].headers["content-type"] == "application/json"


def test_nothing_is_sent_where_it_is_so_already(odd: OddServer) -> None:
    server_of(odd).write_settings({"local": {"vrlPort": "30305"}, "proxy": {}})
    assert posted(odd) == []


@pytest.mark.parametrize(
    ("settings", "reported"),
    [
        ({"local": {"other": "1"}}, "shows no text local.other"),
        ({"proxy": {"port": "8081"}}, "shows no text proxy.port"),
        ({"list": {"a": "b"}}, "shows no text list.a"),
        ({"none": {"a": "b"}}, "shows no text none.a"),
        ({"proxy": {"password": "x"}}, "looks like a password"),
        ({"local": {"vrlPort": "0"}}, "must be a port"),
        ({"local": {"vrlPort": "70000"}}, "must be a port"),
        ({"local": {"vrlPort": "٣٠٣"}}, "must be a port"),
        ({"local": {"vrlPort": "30306"}}, "must differ, and both would be 30306"),
        ({"local": {"vrlPort": "1", "vrolPort": "1"}}, "must differ"),
        ({"proxy": {"host": "a\nb"}}, "printable"),
        ({"proxy": {"host": "a" * 2000}}, "at most 1024"),
    ],
)
def test_what_nobody_knows_is_refused_before_anything_is_sent(
    odd: OddServer, settings: dict[str, dict[str, str]], reported: str
) -> None:
    server = server_of(odd)
    for call in (server.check_settings, server.write_settings):
        with pytest.raises(DriverRefused, match=reported):
            call(settings)
    assert posted(odd) == []


def test_a_tree_of_another_form_is_refused(odd: OddServer) -> None:
    for tree in ([], {"proxy": "none"}, "text"):
        server = server_of(odd, tree)
        with pytest.raises(DriverRefused):
            server.write_settings({"proxy": {"host": "a"}})


@pytest.mark.parametrize("depth", [100, 800, 900, 950, 100_000])
def test_a_deep_tree_is_sent_as_it_is_or_refused(odd: OddServer, depth: int) -> None:
    server = server_of(odd)
    deep = b'{"proxy": {"host": "a"}, "d": ' + b"[" * depth + b"]" * depth + b"}"
    odd.replies["GET", "/config"] = reply(200, deep)
    with suppress(DriverRefused):
        server.write_settings({"proxy": {"host": "b"}})
    sent = [requested.body for requested in odd.requested if requested.method == "POST"]
    assert sent in ([], [deep.replace(b'"a"', b'"b"')])
    assert sent or depth > 100


def test_whether_it_runs_is_asked(odd: OddServer) -> None:
    server = server_of(odd)
    for reported in (json_reply({}), reply(403), reply(200, b"page", "text/html")):
        odd.replies["GET", "/status"] = reported
        assert server.is_running()
    for reported in (reply(503), reset):
        odd.replies["GET", "/status"] = reported
        with pytest.raises(DriverUnavailable):
            server.is_running()
    assert not ChaosServerSettings(ChaosSettings(address="http://127.0.0.1:1")).is_running()


def test_the_service_is_started_by_the_operators_command_only(odd: OddServer) -> None:
    odd.replies["GET", "/status"] = json_reply({})
    with pytest.raises(DriverUnsupported, match=r"set chaos\.start_command"):
        server_of(odd).start()
    with pytest.raises(DriverUnsupported, match=r"set chaos\.stop_command"):
        server_of(odd).stop()
    fails = (sys.executable, "-c", "raise SystemExit('no such unit')")
    with pytest.raises(DriverRefused, match="exit code 1: no such unit"):
        server_of(odd, start_command=fails).start()
    does = (sys.executable, "-c", "")
    server_of(odd, start_command=does).start()
    with pytest.raises(DriverUnfinished, match="still answers after it was stopped"):
        server_of(odd, stop_command=does, service_seconds_max=1.0).stop()
