# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ids are dongles, and which are not although their vendor makes some."""

from __future__ import annotations

import pytest

from seatkeeper_agent.usb.known import KnownDongles, Model
from seatkeeper_agent.usb.settings import UsbSettings

KNOWN = [
    ("064f:0bd7", "wibukey", "WIBU-SYSTEMS WibuKey Box/U"),
    ("064f:0bd8", "wibukey", "WIBU-SYSTEMS WibuKey Box/RU"),
    ("064f:03e9", "codemeter", "CodeMeter CmStick (mass storage)"),
    ("064f:03f2", "codemeter", "CodeMeter CmStick/M (mass storage)"),
    ("064f:03f3", "codemeter", "CodeMeter CmStick/M (mass storage)"),
    ("064f:2af9", "codemeter", "CodeMeter CmStick (HID)"),
    ("064f:2b03", "codemeter", "CodeMeter CmStick/M (HID)"),
    ("064f:5213", "codemeter", "CodeMeter CmStick/M (composite)"),
    ("064f:5300", "wibu", "unknown model"),
    ("0529:0001", "hasp", "Aladdin/SafeNet HASP"),
    ("0529:0003", "hasp", "Aladdin/SafeNet HASP"),
    ("04b9:0300", "sentinel", "Rainbow SuperPro/UltraPro"),
    ("04b9:8000", "sentinel", "Rainbow Sentinel Hardware Key"),
    ("0d7a:0001", "marx", "Marx CrypToken"),
    ("069e:0005", "marx", "Marx Cryptobox"),
    ("096e:0006", "feitian", "Feitian OEM HID"),
    ("096e:0120", "dinkey", "Dinkey"),
    ("07f2:0001", "keylok", "Microcomputer Applications KEYLOK"),
    ("07f2:0003", "keylok", "Microcomputer Applications KEYLOK"),
    ("0e50:0001", "matrixlock", "TechnoData Matrixlock"),
    ("0e50:0002", "matrixlock", "TechnoData Matrixlock"),
    ("1bc0:0001", "senselock", "Senselock"),
    ("0471:485d", "senselock", "Senselock"),
    ("0a89:0008", "aktiv", "Aktiv Guardant or Rutoken"),
    ("1547:1000", "sg-lock", "SG-Lock"),
    ("073d:0000", "smartkey", "SmartKey"),
    ("073d:0025", "smartkey", "SmartKey"),
    ("0819:0101", "elicenser", "eLicenser"),
    ("088e:5036", "ilok", "iLok"),
    ("0403:c580", "unikey", "UniKey"),
]


def find(known: KnownDongles, ids: str) -> Model | None:
    """What the table says of ids as lsusb prints them."""
    vendor, product = ids.split(":")
    return known.find(int(vendor, 16), int(product, 16))


@pytest.mark.parametrize(("ids", "family", "model"), KNOWN)
def test_every_row_of_the_public_list(ids: str, family: str, model: str) -> None:
    assert find(KnownDongles(), ids) == Model(family, model)


@pytest.mark.parametrize(
    "ids",
    [
        "0529:0514",  # an eToken
        "0529:0620",
        "0403:6001",  # a serial chip of FTDI
        "0471:0101",  # Philips
        "04b9:1000",  # an iKey token
        "096e:0005",  # an ePass token
        "073d:0005",
        "1d6b:0002",  # the root hub
    ],
)
def test_other_products_of_these_vendors_are_no_dongles(ids: str) -> None:
    assert find(KnownDongles(), ids) is None


def test_rows_of_the_operator_come_first() -> None:
    known = KnownDongles(["1234:5678 acme Acme Key 2", "064f:0bd7 acme Relabelled", "0529:* a Any"])
    assert find(known, "1234:5678") == Model("acme", "Acme Key 2")
    assert find(known, "064f:0bd7") == Model("acme", "Relabelled")
    assert find(known, "064f:0bd8") == Model("wibukey", "WIBU-SYSTEMS WibuKey Box/RU")
    assert find(known, "0529:0001") == Model("hasp", "Aladdin/SafeNet HASP")
    assert find(known, "0529:0514") == Model("a", "Any")
    assert find(known, "1234:5679") is None


@pytest.mark.parametrize(
    "row",
    [
        "",
        "1234:5678",
        "1234:5678 acme",
        "1234 5678 acme Acme Key",
        "12345:678 acme Acme Key",
        "*:5678 acme Acme Key",
        "12G4:5678 acme Acme Key",
        "1234:5678 Acme Acme Key",
        "1234:5678 acme Acme\nKey",
        "1234:5678 acme Acme\x1b[31m",
        "1234:5678 acme " + "K" * 81,
    ],
)
def test_a_row_that_cannot_be_read_is_refused_in_a_sentence(row: str) -> None:
    with pytest.raises(ValueError, match=r"the entry .* of dongles is no row: write vendor:prod"):
        UsbSettings(dongles=(row,))


def test_other_settings_that_are_refused() -> None:
    with pytest.raises(ValueError, match="has the id of '1234:5678 b B' twice"):
        UsbSettings(dongles=("1234:5678 a A", "1234:5678 b B"))
    with pytest.raises(ValueError, match="sysfs must be an absolute path"):
        UsbSettings(sysfs="devices")
    with pytest.raises(ValueError, match="sysfs must be an absolute path"):
        UsbSettings(sysfs="/dev\0ices")
    with pytest.raises(ValueError, match="recording needs its own folder"):
        UsbSettings(recording=True)
