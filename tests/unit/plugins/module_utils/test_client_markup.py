# SPDX-License-Identifier: GPL-3.0-or-later
"""A client's file that is not well-formed and that the product reads: only its servers change."""

from __future__ import annotations

import pytest

from ansible_collections.seatkeeper.licensing.plugins.module_utils._client_file import ClientFile
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import LicenseProblem

PLACE = "vrlclient.xml"
FARM = b"""<VRLClient>
  <LicServer>
    <Host>192.0.2.10</Host>
    <Port>30304</Port>
    <Host1></Host1>
    <Port1>30304</Port1>
    <Host2></Host2>
    <Port2>30304</Port2>
    <!Proxy></!Proxy>
    <!ProxyPort>0</!ProxyPort>
    <User>render</User>
    <Pass>secret-1</Pass>
  </LicServer>
</VRLClient>
"""
NEW = [{"host": "new.studio.example", "port": 30305}]


def changed(content: bytes) -> bytes:
    """What the one new server makes of it, in the two places where it stands."""
    return content.replace(b"192.0.2.10", b"new.studio.example", 1).replace(b"30304", b"30305", 1)


@pytest.mark.parametrize(
    "content",
    [
        FARM,
        FARM.replace(b"secret-1", b"a&b < c"),
        FARM.replace(b"secret-1", "gehe\u00fc\u00df".encode("latin-1")),
        b"\xef\xbb\xbf" + FARM.replace(b"\n", b"\r\n").replace(b"  ", b"\t"),
        b'<?xml version="1.0"?>\n<!-- <LicServer> of the farm & its <Host> -->\n' + FARM,
        FARM.replace(b"<User>", b"<User kept=by hand>"),
        FARM.replace(b"<!Proxy></!Proxy>", b"<!Proxy><Host>not this one</Host></!Proxy>"),
        FARM.replace(b"<!Proxy></!Proxy>", b"<!Proxy/>"),
    ],
    ids=["names", "ampersand", "bytes", "mark and tabs", "comment", "attribute", "inner", "empty"],
)
def test_of_a_file_that_is_not_well_formed_only_host_and_port_change(content: bytes) -> None:
    file = ClientFile(PLACE, content)
    assert file.servers() == [{"host": "192.0.2.10", "port": 30304}]
    written = file.with_servers(NEW)
    assert written == changed(content)
    again = ClientFile(PLACE, written)
    assert (again.servers(), again.with_servers(NEW)) == (NEW, written)


def test_a_second_server_takes_its_own_place() -> None:
    spare = {"host": "10.0.0.7", "port": 30304}
    written = ClientFile(PLACE, FARM).with_servers([*NEW, spare])
    assert written == changed(FARM).replace(b"<Host1></Host1>", b"<Host1>10.0.0.7</Host1>")


@pytest.mark.parametrize(
    "content",
    [
        FARM.replace(b"</!Proxy>", b""),
        FARM.replace(b"</LicServer>", b""),
        FARM[:-20],
        FARM.replace(b"</Host>", b"</Hots>"),
        FARM + FARM,
        FARM.replace(b"<User>", b"<Host>twice</Host><User>"),
        FARM.replace(b"192.0.2.10", b"192.0.2.10<!-- old --><!Old/>"),
        b"<!DOCTYPE VRLClient>" + FARM,
    ],
)
def test_what_cannot_be_told_apart_is_left_alone(content: bytes) -> None:
    with pytest.raises(LicenseProblem, match=r"vrlclient\.xml .*; it was left as it is\."):
        ClientFile(PLACE, content).with_servers(NEW)
