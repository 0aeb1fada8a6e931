# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator may set, and the policy that comes of it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from domain.phone_systems import OLD, key, order, system

from seatkeeper_agent.domain.orders import OrderLine
from seatkeeper_agent.domain.policies import evaluate
from seatkeeper_agent.domain.rules import RuleVerdict
from seatkeeper_agent.settings import SettingsError, load
from seatkeeper_agent.vendors.altigen.policy import POLICY_BYTES_MAX, policy_with, vendor_policy
from seatkeeper_agent.vendors.altigen.settings import AltiGenSettings

MAIL = {
    "smtp_host": "mail.studio.example", "sender": "licenses@studio.example",
    "recipient": "support@vendor.example",
}  # fmt: skip
LOGIN = {**MAIL, "smtp_user": "licenses", "smtp_password_file": "/etc/seatkeeper/mail-password"}


@pytest.mark.parametrize(
    ("values", "reported"),
    [
        ({"dealer_id": ""}, "dealer_id must be one line"),
        ({"contact": "a\nb"}, "contact must be one line"),
        ({"policy_file": "policy.json"}, "policy_file must be an absolute path"),
        ({"smtp_password_file": "password"}, "smtp_password_file must be an absolute path"),
        ({"sender": "Licenses <a@b.example>"}, "sender must be a mail address"),
        ({"recipient": "ä@b.example"}, "recipient must be a mail address"),
        ({"smtp_host": "mail.studio.example"}, "smtp_host needs sender as well"),
        ({**MAIL, "smtp_host": "mail studio"}, "smtp_host must be a host's name"),
        ({**MAIL, "smtp_host": "a" * 64}, "smtp_host must be a host's name"),
        ({**MAIL, "smtp_port": 0}, "smtp_port must be from 1"),
        ({**MAIL, "smtp_port": 65536}, "smtp_port must be from 1"),
        ({**MAIL, "smtp_user": "a"}, "needed together"),
        ({**MAIL, "smtp_password_file": "/a"}, "needed together"),
        ({**LOGIN, "smtp_user": "ä"}, "smtp_user must be plain ASCII"),
        ({**LOGIN, "smtp_starttls": False}, "smtp_user needs smtp_starttls"),
        ({"mail_seconds_max": 0.0}, "mail_seconds_max must be above 0"),
        ({"mail_seconds_max": 601.0}, "mail_seconds_max must be above 0"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(values: dict[str, Any], reported: str) -> None:
    with pytest.raises(ValueError, match=r"^altigen: [^\n]+$") as caught:
        AltiGenSettings(**values)
    assert reported in str(caught.value)


def test_usual_settings_are_taken() -> None:
    assert not AltiGenSettings().sends_mail
    assert AltiGenSettings(**LOGIN).sends_mail
    for host in ("127.0.0.1", "::1", "localhost"):
        assert AltiGenSettings(**{**LOGIN, "smtp_host": host, "smtp_starttls": False}).sends_mail


def test_the_table_is_read_from_the_agents_settings(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(
        '[altigen]\ndealer_id = "D-1000"\nsmtp_host = "localhost"\nsmtp_port = 2525\n'
        'smtp_starttls = false\nsender = "a@b.example"\nrecipient = "c@d.example"\n'
    )
    found = load(path).vendors["altigen"]
    assert found is not None
    assert (found.dealer_id, found.smtp_port, found.smtp_starttls) == ("D-1000", 2525, False)
    path.write_text('[altigen]\nsmtp_port = "2525"\n')
    with pytest.raises(SettingsError, match=r"altigen\.smtp_port"):
        load(path)


def test_the_vendors_policy_judges_by_the_article() -> None:
    rules = {rule.id: rule for rule in vendor_policy().rules}
    limits = {
        rule.parameters["chassis"]: rule.parameters["stations_max"]
        for rule in rules.values()
        if rule.kind == "chassis_limit"
    }
    assert limits == {"Max1000": 50, "Max2000": 100, "Max1000R": 100}
    assert all(rule.source is not None for rule in rules.values())
    assert all(rule.advice.endswith(".") for rule in rules.values())
    assert {row.verdict for row in evaluate(vendor_policy(), order())} == {RuleVerdict.MET}


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({"registered": False}, "target_registered"),
        ({"assurance_until": date(2026, 11, 21)}, "target_assurance"),
        ({"owner": "Studio B"}, "same_owner"),
        ({"chassis": "Max1000", "stations": 41}, "max1000_stations"),
        ({"chassis": "Max2000", "stations": 91}, "max2000_stations"),
        ({"chassis": "Max1000R", "stations": 91}, "max1000r_stations"),
    ],
)
def test_each_rule_of_the_article_can_be_broken(changes: dict[str, Any], broken: str) -> None:
    rows = evaluate(vendor_policy(), order(OrderLine(OLD, system("new", **changes), (key(),))))
    assert [row.rule for row in rows if row.verdict is RuleVerdict.NOT_MET] == [broken]


def test_the_operators_rules_come_after_the_vendors(tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    cost = {
        "id": "cost", "kind": "field_matches", "field": "cost_centre", "pattern": r"CC-\d{4}",
        "required": "a cost centre is named", "advice": "Name it.", "source": "contract 7",
    }  # fmt: skip
    path.write_text(json.dumps({"rules": [cost]}))
    both = policy_with(str(path))
    assert both.rules[:-1] == vendor_policy().rules
    assert evaluate(both, order(cost_centre="CC-1"))[-1].verdict is RuleVerdict.NOT_MET
    assert policy_with(None) is vendor_policy()


TAKEN = {"id": "same_owner", "kind": "registered", "required": "a", "advice": "b"}


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        (b"{", "is not JSON"),
        (b"[" * 90_000, "is nested deeper than"),
        (b'{"rules": "\xff"}', "is not JSON"),
        (b'{"rules": [1]}', "cannot be used: rule 1 must be an object"),
        (json.dumps({"rules": [TAKEN]}).encode(), "'same_owner' exists already"),
        (b" " * (POLICY_BYTES_MAX + 1), "larger than 1048576 bytes"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_policy_file_that_cannot_be_used_is_named(
    tmp_path: Path, content: bytes | None, reported: str
) -> None:
    path = tmp_path / "policy.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"^[^\n]+$") as caught:
        policy_with(str(path))
    assert reported in str(caught.value)
    assert str(path) in str(caught.value)
