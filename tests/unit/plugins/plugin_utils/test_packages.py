# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared packages and ports: which version is newer, what is limited, what cannot be meant."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._packages import (
    package_file,
    package_method,
    server_limits,
    server_mistakes,
    version_parts,
)

CHECKSUM = f"sha256:{'0a' * 32}"
PACKAGE = {"file": "files/codemeter_9.10.7777.500_amd64.deb", "checksum": CHECKSUM}
PACKAGE |= {"version": "9.10.7777.500", "name": "codemeter"}
PORTS = {"codemeter": ["22350/tcp", "22350/udp"], "chaos": ["30304/tcp"]}


def mistakes(vendor: str = "codemeter", port: t.Any = 22, **members: t.Any) -> list[str]:
    """What is wrong with one entry."""
    return server_mistakes([{"vendor": vendor, **members}], port)


def test_versions_are_ordered_as_vendors_mean_them() -> None:
    rising = ["6.0.1", "8.41", "8.41a", "8.41b", "8.42", "9.9", "9.10", "9.10.7777.500", "24.6.1"]
    parts = [version_parts(version) or [] for version in rising]
    assert parts == sorted(parts)
    assert len({str(part) for part in parts}) == len(rising)


@pytest.mark.parametrize(
    ("reported", "meant"),
    [
        ("1:9.10.7777.500-1", "9.10.7777.500"),
        ("9.10.7777.500-1ubuntu2~rc", "9.10.7777.500"),
        ("6.0.0", "6"),
        ("0", "0.0"),
        (" 9.10\n", "9.10"),
    ],
)
def test_epoch_revision_and_zeros_at_the_end_do_not_count(reported: str, meant: str) -> None:
    assert version_parts(reported) == version_parts(meant)
    assert version_parts(reported)


@pytest.mark.parametrize(
    "text", ["", "newest", "v9.10", "9.10~rc1", "9..1", "9.10 and more", "9.*"]
)
def test_a_text_that_is_no_version_is_none(text: str) -> None:
    assert version_parts(text) is None


@pytest.mark.parametrize(
    ("package", "file", "method"),
    [
        (PACKAGE, "codemeter_9.10.7777.500_amd64.deb", "deb"),
        ({"url": "https://mirror.example/a/codemeter.rpm?key=1#x"}, "codemeter.rpm", "rpm"),
        ({"file": "/srv/cgls_lin_6.0.1.bin"}, "cgls_lin_6.0.1.bin", "chaos"),
        ({"file": "renamed.bin"}, "renamed.bin", None),
        ({"file": "a.deb", "command": ["x"], "version_command": ["y"]}, "a.deb", "command"),
    ],
)
def test_the_file_tells_how_it_is_installed(
    package: dict[str, t.Any], file: str, method: str | None
) -> None:
    assert (package_file(package), package_method(package)) == (file, method)


def test_entries_that_limit_the_same_port_are_put_together() -> None:
    entries = [
        {"vendor": "chaos", "allow_from": ["10.1.2.3/16", "2001:db8::/32"]},
        {"vendor": "codemeter", "ports": ["30304/tcp"], "allow_from": ["192.0.2.7"]},
        {"vendor": "codemeter"},
    ]
    networks = ["10.1.0.0/16", "192.0.2.7/32", "2001:db8::/32"]
    assert server_limits(entries, PORTS) == [
        {"port": "30304", "protocol": "tcp", "networks": networks}
    ]
    nobody = server_limits([{"vendor": "codemeter", "allow_from": []}], PORTS)
    assert [limit["networks"] for limit in nobody] == [[], []]


def test_what_can_be_meant_is_no_mistake() -> None:
    meant = {"package": PACKAGE, "version_min": "9.10", "version_max": "9.99"}
    assert mistakes(**meant, allow_from=["10.0.0.0/8", "2001:db8::1"], ports=["22350/udp"]) == []
    assert mistakes("chaos", version_min="4.5.0", dongle_service="enabled", settings={}) == []
    moved = {"settings": {"General": {"NetworkPort": "22360"}}, "ports": ["22360/tcp"]}
    assert mistakes(**moved, allow_from=[]) == []
    assert mistakes("aimms", state="started", unit="licsrv.service") == []


@pytest.mark.parametrize(
    ("members", "reported"),
    [
        ({"package": {**PACKAGE, "url": "https://a.example/a.deb"}}, "both file and url"),
        ({"package": {**PACKAGE, "file": ""}}, "whose file name '' nobody can use"),
        ({"package": {**PACKAGE, "file": "a b.deb"}}, "whose file name 'a b.deb' nobody can use"),
        ({"package": {**PACKAGE, "checksum": "md5:00"}}, "not sha256: and 64"),
        ({"package": {**PACKAGE, "checksum": "0a" * 32}}, "not sha256: and 64"),
        ({"package": {**PACKAGE, "version": "newest"}}, "version newest, which is no version"),
        ({"package": {**PACKAGE, "version": 9.1}}, "version 9.1 without quotes"),
        ({"package": PACKAGE, "version_min": "9.11"}, "below version_min 9.11"),
        ({"package": PACKAGE, "version_max": "9.9"}, "above version_max 9.9"),
        ({"package": {**PACKAGE, "command": ["x"]}}, "it takes both"),
        ({"package": {**PACKAGE, "command": "x {file}"}}, "package.command as one text"),
        ({"package": {**PACKAGE, "file": "setup.exe"}}, "no .deb, no .rpm and no installer"),
        ({"package": {**PACKAGE, "file": "cgls_lin_6.0.1.bin"}}, "which is an installer of chaos"),
        ({"package": {**PACKAGE, "name": None}}, "set package.name"),
        ({"package": {**PACKAGE, "name": "--admindir"}}, "that no package has"),
        ({"version_max": "9.9"}, "a version_max, but no package"),
        ({"version_min": "9.9"}, "a version_min, but no package"),
        ({"dongle_service": "enabled"}, "which only chaos has"),
        ({"ports": ["22350/tcp"]}, "no allow_from that says who"),
        ({"ports": ["22350"], "allow_from": []}, "a port 22350, which is not written as"),
        ({"ports": ["70000/tcp"], "allow_from": []}, "a port 70000/tcp, which is not"),
        ({"ports": ["22/tcp"], "allow_from": ["10.0.0.0/8"]}, "by which you reach the host"),
        ({"ports": ["2222/tcp"], "allow_from": [], "port": "2222"}, "by which you reach the host"),
        (
            {"settings": {"General": {"NetworkPort": 22360}}, "allow_from": []},
            "sets General.NetworkPort to 22360 and limits another port",
        ),
        ({"allow_from": ["deploy.example"]}, "lets deploy.example in, which is no network"),
        ({"allow_from": "10.0.0.0/8"}, "allow_from as one text"),
    ],
)
def test_what_cannot_be_meant_is_told_in_one_sentence(
    members: dict[str, t.Any], reported: str
) -> None:
    (sentence,) = mistakes(**members)
    assert reported in sentence
    assert sentence.startswith("license_server_configs of codemeter ")
    assert sentence.endswith(". Nothing was done here.")


def test_a_package_with_neither_file_nor_url_is_refused() -> None:
    (sentence,) = mistakes(package={"checksum": CHECKSUM, "version": "9.10"})
    assert "both file and url or with neither" in sentence


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    url = "https://deploy:hidden@a.example/a.deb"
    package = {"url": url, "checksum": CHECKSUM, "version": "9.10", "name": "codemeter"}
    (sentence,) = mistakes(package=package)
    assert "hidden" not in sentence
    assert "password in its package.url" in sentence


@pytest.mark.parametrize(
    ("members", "reported"),
    [
        ({"settings": {"a": {"b": "c"}}}, "nobody can write for aimms"),
        ({"state": "stopped"}, "no unit to start or stop"),
    ],
)
def test_what_aimms_does_not_have_is_told(members: dict[str, t.Any], reported: str) -> None:
    (sentence,) = mistakes("aimms", **members)
    assert reported in sentence


def test_one_package_for_one_product() -> None:
    entry = {"vendor": "codemeter", "package": PACKAGE}
    (sentence,) = server_mistakes([entry, {"vendor": "codemeter"}, entry], 22)
    assert "in two entries" in sentence
