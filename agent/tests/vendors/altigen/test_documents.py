# SPDX-License-Identifier: GPL-3.0-or-later
"""The papers: everything on them, nothing that could be taken for the vendor's, no card data."""

from __future__ import annotations

import inspect
import re
from datetime import date
from html.parser import HTMLParser

import pytest
from domain.phone_systems import NEW, OLD, key, order, order_lines, system
from hypothesis import given, settings

from seatkeeper_agent.domain.orders import OrderLine
from seatkeeper_agent.vendors.altigen import documents as papers
from seatkeeper_agent.vendors.altigen.documents import (
    Applicant,
    card_authorization,
    documents,
    transfer_form,
    worksheet,
)

APPLICANT = Applicant("D-1000", "Telephony desk, desk@studio.example")
SOFT = system("soft", chassis="software_only")
AWKWARD = "<script>alert('&\"$x${y}')</script>"


class Page(HTMLParser):
    """The words of a page, its tags, and what its cells hold."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.feed(content.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember what is opened."""
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "col"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Everything is closed in its order."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Words, but for those of the style sheet."""
        if "style" not in self.open:
            self.words += data.split()

    @property
    def text(self) -> str:
        """All words."""
        return " ".join(self.words)


def all_papers() -> dict[str, bytes]:
    """One of each."""
    found = order(OrderLine(OLD, SOFT, (key(),)))
    return {
        "form": transfer_form(found, "CAS-1", APPLICANT),
        "worksheet": worksheet(found, "CAS-1", APPLICANT),
        "card": card_authorization(),
    }


def test_the_form_holds_what_was_declared() -> None:
    old = system("Front desk", owner="Studio A", chassis="Max1000", assurance_until=None)
    found = order(OrderLine(old, NEW, (key(1), key(2, "ALTI-TRUNK-4"))), cost_centre="CC-4711")
    text = Page(transfer_form(found, "CAS-100", APPLICANT)).text
    for expected in (
        "Support case number CAS-100", "Opened under system key KEY-new", "2026-11-22",
        "Order an order", "Dealer id D-1000", "Contact Telephony desk, desk@studio.example",
        "From Front desk KEY-Front desk Studio A Max1000, registered not declared 0",
        "To new KEY-new Studio A Max2000, registered 2027-11-22 0",
        "1 LK-0001 ALTI-STATION-10 whole: 10", "2 LK-0002 ALTI-TRUNK-4 whole",
        "2 license keys from 1 system to new: 1 move fee", "cost centre CC-4711",
        "Upgrade to software-only No", "Signature",
    ):  # fmt: skip
        assert expected in text, expected


def test_several_sources_have_a_row_and_a_fee_each() -> None:
    third = system("third")
    found = order(
        OrderLine(OLD, NEW, (key(1),)),
        OrderLine(third, NEW, (key(2),)),
        OrderLine(OLD, NEW, (key(3),)),
    )
    text = Page(transfer_form(found, None, Applicant())).text
    assert "3 license keys from 2 systems to new: 2 move fees" in text
    assert re.findall(r"From \w+, system|\d LK-\d{4}", text) == [
        "From old, system", "1 LK-0001", "2 LK-0003", "From third, system", "3 LK-0002",
    ]  # fmt: skip


def test_what_is_not_known_is_left_to_be_written_by_hand() -> None:
    content = transfer_form(order(), None, Applicant()).decode()
    for name in ("Support case number", "Dealer id", "Contact"):
        assert f'<th>{name}</th><td class="blank"></td>' in content


def test_the_worksheet_tells_what_becomes_of_each_key() -> None:
    keys = (
        key(1), key(2, "ALTI-ACMAGENT-05"), key(3, "ALTI-TRUNK-4"), key(4, "ALTI-STATION-25"),
        key(5, "SSW-STATION-5"),
    )  # fmt: skip
    found = order(OrderLine(OLD, SOFT, keys), no_charge_purchase_order="PO 7")
    text = Page(worksheet(found, "CAS-1", APPLICANT)).text
    for expected in (
        "LK-0001 ALTI-STATION-10 SSW-STATION-10", "LK-0002 ALTI-ACMAGENT-05 SSW-ACMAGENT-05",
        "LK-0003 ALTI-TRUNK-4 to be asked", "LK-0005 SSW-STATION-5 stays what it is",
        "SSW-STATION: 40 in all; SSW-ACMAGENT: 5 in all; 1 license key to be asked about.",
        "Purchase order number PO 7", "Yes: this is an upgrade from an Office or Max server",
    ):  # fmt: skip
        assert expected in text, expected
    blank = worksheet(order(OrderLine(OLD, SOFT, keys)), None, Applicant()).decode()
    assert '<th>Purchase order number</th><td class="blank"></td>' in blank


def test_which_papers_an_order_has() -> None:
    to_hardware = documents(order(), "CAS-1", APPLICANT)
    to_software = documents(order(OrderLine(OLD, SOFT, (key(),))), "CAS-1", APPLICANT)
    names = ["license-transfer-form.html", "software-only-worksheet.html"]
    assert [paper.name for paper in to_hardware] == names[:1]
    assert [paper.name for paper in to_software] == names


@pytest.mark.parametrize("name", ["form", "worksheet", "card"])
def test_every_page_says_that_it_is_not_the_vendors(name: str) -> None:
    page = Page(all_papers()[name])
    assert "This is not the vendor's" in page.text
    assert "not public" in page.text
    assert name == "card" or "to be copied into the" in page.text


@pytest.mark.parametrize("name", ["form", "worksheet", "card"])
def test_every_page_is_one_file_to_be_printed(name: str) -> None:
    page = Page(all_papers()[name])
    assert not page.open
    assert not {"script", "link", "img", "iframe", "object", "input", "textarea", "form"} & set(
        page.tags
    )
    assert not [value for key_, value in page.attributes if key_ in ("src", "href", "action")]
    assert "url(" not in all_papers()[name].decode()
    assert "@page" in all_papers()[name].decode()


def test_the_card_page_takes_nothing_and_holds_nothing() -> None:
    assert not inspect.signature(card_authorization).parameters
    content = card_authorization().decode()
    cells = re.findall(r"<td[^>]*>(.*?)</td>", content)
    assert len(cells) >= 10
    assert set(cells) == {"", "Name", "Signature", "Date"}
    for function in vars(papers).values():
        if inspect.isfunction(function):
            assert not [name for name in inspect.signature(function).parameters if "card" in name]


def test_names_stay_text_whatever_is_in_them() -> None:
    odd = system(AWKWARD, system_key=AWKWARD + "1", owner=AWKWARD, chassis="software only")
    source = system("source", chassis=AWKWARD)
    found = order(
        OrderLine(source, odd, (key(1, AWKWARD),)), no_charge_purchase_order=AWKWARD, remark=AWKWARD
    )
    for paper in documents(found, "CAS-<1>", Applicant(AWKWARD, AWKWARD)):
        page = Page(paper.content)
        assert "script" not in page.tags
        assert AWKWARD in page.text
        assert "CAS-<1>" in page.text


def test_each_target_has_its_own_papers() -> None:
    both = order(OrderLine(OLD, NEW, (key(1),)), OrderLine(OLD, SOFT, (key(2),)))
    for make in (transfer_form, worksheet):
        with pytest.raises(ValueError, match="has 2 targets"):
            make(both, None, Applicant())
    for part in both.by_target():
        assert part.targets[0].name in Page(transfer_form(part, None, Applicant())).text
    with pytest.raises(ValueError, match="needs no migration worksheet"):
        worksheet(order(), None, Applicant())


@pytest.mark.parametrize("number", ["", " 1", "1\n2", "1" * 65])
def test_a_case_number_that_cannot_be_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match="a case number must be one line of 1 to 64"):
        transfer_form(order(), number, Applicant())


@settings(max_examples=25, deadline=None)
@given(order_lines())
def test_every_order_has_whole_pages_that_are_always_the_same(found: tuple[OrderLine, ...]) -> None:
    for part in order(*found, on=date(2026, 1, 1)).by_target():
        once, again = (documents(part, "CAS-1", APPLICANT) for _ in range(2))
        assert once == again
        for paper in once:
            page = Page(paper.content)
            assert not page.open
            for order_line in part.order_lines:
                assert {each.key for each in order_line.keys} <= set(page.words)
