# SPDX-License-Identifier: GPL-3.0-or-later
"""A client's file: the declared servers stand in it, and all else stays as it was to the byte."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.seatkeeper.licensing.plugins.module_utils._client_servers import (
    default_path,
)

MODULE = "ansible_collections.seatkeeper.licensing.plugins.modules.license_client"
CANARY = "canary-of-the-client"
FILE = f"""<?xml version='1.0' encoding="utf-8"?>
<!-- kept -->
<VRLClient made="by hand">
  <LicServer kind='x>y'>
    <!-- the studio's server -->
    <Host>old.studio-a.example</Host><Port> 30304 </Port>
    <Host1/>
    <Port1 note="n" />
    <Unknown><Host>not this one</Host></Unknown>
    <User>render</User>
    <Pass>{CANARY}</Pass>
  </LicServer>
</VRLClient>
<!-- kept, too -->
"""
NEW = {"host": "new.studio-a.example", "port": 30305}
SPARE = {"host": "10.0.0.7", "port": 30304}


def client(path: Path, *servers: dict[str, t.Any], check: bool = False) -> dict[str, t.Any]:
    """Run the module as Ansible does; whatever it says never holds the password."""
    arguments = {
        "path": str(path),
        "servers": list(servers),
        "_ansible_check_mode": check,
        "_ansible_diff": True,
        "_ansible_remote_tmp": str(path.parent),
    }
    done = subprocess.run(
        [sys.executable, "-m", MODULE],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert CANARY not in done.stdout + done.stderr
    assert done.stdout, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A client's file as somebody left it."""
    path = tmp_path / "vrlclient.xml"
    path.write_text(FILE, encoding="utf-8")
    path.chmod(0o640)
    return path


def test_check_do_check_again_do_again(path: Path) -> None:
    checked = client(path, NEW, SPARE, check=True)
    assert path.read_text() == FILE
    done = client(path, NEW, SPARE)
    assert checked["changed"] is done["changed"] is True
    assert checked["diff"] == done["diff"]
    assert done["before"] == {"servers": [{"host": "old.studio-a.example", "port": 30304}]}
    assert done["after"] == {"servers": [NEW, SPARE]}
    for check in (True, False):
        again = client(path, NEW, SPARE, check=check)
        assert again["changed"] is False
        assert again["before"] == again["after"]


def test_everything_else_stays_to_the_byte(path: Path) -> None:
    client(path, NEW, SPARE)
    assert path.read_text() == FILE.replace("old.studio-a.example", NEW["host"]).replace(
        " 30304 ", "30305"
    ).replace("<Host1/>", "<Host1>10.0.0.7</Host1>").replace(
        '<Port1 note="n" />', '<Port1 note="n">30304</Port1>'
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    client(path, NEW)
    assert "<Host1></Host1>" in path.read_text()


def test_what_is_missing_is_added(path: Path) -> None:
    path.write_text("<VRLClient><LicServer/></VRLClient>")
    client(path, NEW, SPARE, {"host": "::1", "port": 30304})
    assert client(path, NEW, SPARE, {"host": "::1", "port": 30304})["changed"] is False
    path.write_text("<VRLClient><LicServer><Host>a</Host></LicServer></VRLClient>")
    assert client(path, {"host": "a", "port": 30304})["changed"] is True
    assert path.read_text() == (
        "<VRLClient><LicServer><Host>a</Host><Port>30304</Port></LicServer></VRLClient>"
    )


def test_a_new_file_has_the_documented_form(tmp_path: Path) -> None:
    path = tmp_path / ".ChaosGroup" / "vrlclient.xml"
    assert client(path, NEW, check=True)["changed"] is True
    assert not path.parent.exists()
    client(path, NEW)
    text = path.read_text()
    assert f"<Host>{NEW['host']}</Host>" in text
    assert "<User/>" in text
    assert client(path, NEW)["changed"] is False


def test_a_linked_file_stays_a_link(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "linked.xml"
    link.symlink_to(path)
    client(link, NEW)
    assert link.is_symlink()
    assert NEW["host"] in path.read_text()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (FILE[:200], "is not well-formed XML (line"),
        ("", "is not well-formed XML"),
        ("<Other/>", "does not hold one element LicServer in one VRLClient"),
        (
            "<VRLClient><LicServer/><LicServer/></VRLClient>",
            "does not hold one element LicServer in one VRLClient",
        ),
        (
            "<VRLClient><LicServer><Host/><Host/></LicServer></VRLClient>",
            "has the element Host twice",
        ),
        (
            "<VRLClient><LicServer><Host>a<!-- b --></Host></LicServer></VRLClient>",
            "has more than a text in the element Host",
        ),
        ("<!DOCTYPE VRLClient><VRLClient/>", "has a document type of its own"),
        ("\x00", "is not in an encoding"),
    ],
)
def test_a_file_that_is_not_understood_is_left_alone(
    path: Path, content: str, sentence: str
) -> None:
    path.write_text(content)
    reported = client(path, NEW)
    assert reported["failed"]
    assert reported["problem"]["code"] == "client-file"
    assert sentence in reported["msg"]
    assert "\n" not in reported["msg"]
    assert path.read_text() == content


@pytest.mark.parametrize(
    ("servers", "sentence"),
    [
        ([], "There are 0 servers declared."),
        ([NEW, NEW, NEW, NEW], "There are 4 servers declared."),
        ([{"host": "http://x/"}], "is neither a name nor an address"),
        ([{"host": "a&b"}], "is neither a name nor an address"),
        ([{"host": "a", "port": 0}], "is no TCP port"),
    ],
)
def test_servers_that_cannot_be_are_refused(
    path: Path, servers: list[dict[str, t.Any]], sentence: str
) -> None:
    reported = client(path, *servers)
    assert reported["problem"]["code"] == "input-invalid"
    assert sentence in reported["msg"]
    assert path.read_text() == FILE


def test_the_default_is_where_the_vendor_documents_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VRAY_AUTH_CLIENT_FILE_PATH", raising=False)
    monkeypatch.setenv("HOME", "/home/artist")
    assert default_path() == "/home/artist/.ChaosGroup/vrlclient.xml"
    monkeypatch.setenv("VRAY_AUTH_CLIENT_FILE_PATH", "/opt/vray")
    assert default_path() == "/opt/vray/vrlclient.xml"
