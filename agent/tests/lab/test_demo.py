# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo tells only what it observed, and fails when a claim is not."""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
from typing import Any

import pytest

from seatkeeper_twins.demo import __main__ as demo
from seatkeeper_twins.demo import beside, fleet, studio
from seatkeeper_twins.demo.playbook import PlaybookRun, blocks, condensed
from seatkeeper_twins.demo.report import Confirmation
from seatkeeper_twins.demo.screen import DemoError, Screen

OUTPUT = """
PLAY [Make true what the inventory declares] ********************

TASK [seatkeeper.licensing.license_state : Read what is declared] *************
ok: [old-server]

TASK [seatkeeper.licensing.license_state : Plan what each host is told next] ***
Hosts                     What            Declared      Before     Outcome
old-server to new-server  transfer seats  10 of 25      not begun  would change
new-server                borrow cad                    none       same
new-server, borrow cad: nothing was asked of it.
ok: [old-server]

TASK [seatkeeper.licensing.license_state : Tell what was planned or done, and what failed] *****
--- before: transfer seats at old-server, before
+++ after: transfer seats at old-server, after
@@ -1,3 +1,3 @@
 {
-    "seats": 25,
+    "seats": 15,
 }
changed: [old-server]
fatal: [new-server]: FAILED! => {"changed": false, "msg": "no"}

PLAY RECAP *****************
new-server   : ok=1    changed=0    unreachable=0    failed=1
old-server   : ok=3    changed=1    unreachable=0    failed=0
"""


class Terminal(io.StringIO):
    """A stream that calls itself a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def test_of_a_playbook_only_what_matters_is_shown() -> None:
    shown = [line for block in blocks(OUTPUT.splitlines()) for line in condensed(*block)]
    assert shown == [
        "TASK [Plan what each host is told next]",
        "  Hosts                     What            Declared      Before     Outcome",
        "  old-server to new-server  transfer seats  10 of 25      not begun  would change",
        "  new-server                borrow cad                    none       same",
        "  new-server, borrow cad: nothing was asked of it.",
        "TASK [Tell what was planned or done, and what failed]",
        "  --- before: transfer seats at old-server, before",
        "  +++ after: transfer seats at old-server, after",
        '  -    "seats": 25,',
        '  +    "seats": 15,',
        "  changed: [old-server]",
        '  fatal: [new-server]: FAILED! => {"changed": false, "msg": "no"}',
        "PLAY RECAP",
        "  new-server   : ok=1    changed=0    unreachable=0    failed=1",
        "  old-server   : ok=3    changed=1    unreachable=0    failed=0",
    ]


DONGLES = """
TASK [seatkeeper.licensing.license_state : Plan what each host is told next] ***
Hosts          What                       Declared                   Before     Outcome
render-server  dongle migration 90000001  in the account of sam@a.b  not begun  failed
render-server  dongle migration 90000003  in the account of sam@a.b  not begun  would change
render-server, dongle migration 90000001: It would be refused.
The rules for dongle migration 90000001:
met      server_version    4.5.0 or newer; seen: 6.0.1
not met  one_dongle        exactly one; seen: 2: 90000001 at 1-1.1, 90000004 at 1-1.2
                           Unplug all other dongles.
unknown  same_company      the same company; seen: only the vendor knows
The steps of dongle migration 90000003, which cannot be undone:
Step                      Performer  Reversible
hiding all other dongles  agent      yes
migrating its licenses    agent      no
This confirms dongle migration 90000003:
  plan_digest: DIGEST-1
  acknowledge_irreversible: The dongle 90000003 can never be used again.
This confirms order front-desk:
  plan_digest: DIGEST-2
ok: [render-server]

TASK [seatkeeper.licensing.license_state : Tell what was planned or done, and what failed] ***
[ERROR]: Task failed: Action failed: It would be refused.
Origin: main.yml:33:3

31   verdict: true

fatal: [render-server]: FAILED! => {"changed": false, "msg": "It would be refused."}

PLAY RECAP *********************************************************************
render-server              : ok=6    changed=0    unreachable=0    failed=1
""".replace("DIGEST-1", "0a" * 32).replace("DIGEST-2", "0b" * 32)


def test_of_a_refusal_every_rule_is_shown_once() -> None:
    printed = list(blocks(DONGLES.splitlines()))
    shown = [line for block in printed for line in condensed(*block)]
    assert shown[-4:] == [
        "TASK [Tell what was planned or done, and what failed]",
        "  [ERROR]: Task failed: Action failed: It would be refused.",
        "PLAY RECAP",
        "  render-server              : ok=6    changed=0    unreachable=0    failed=1",
    ]
    rules = {"server_version": "met", "one_dongle": "not met", "same_company": "unknown"}
    assert PlaybookRun.read(2, printed).report().rules() == rules
    for rule in rules:
        assert len([line for line in shown if f" {rule} " in line]) == 1


def test_what_confirms_a_plan_and_its_steps_are_read_from_what_was_printed() -> None:
    report = PlaybookRun.read(2, list(blocks(DONGLES.splitlines()))).report()
    sentence = "The dongle 90000003 can never be used again."
    assert report.confirmations() == {
        "dongle migration 90000003": Confirmation("0a" * 32, sentence),
        "order front-desk": Confirmation("0b" * 32),
    }
    assert report.steps() == {
        "dongle migration 90000003": [
            ("hiding all other dongles", "agent", "yes"),
            ("migrating its licenses", "agent", "no"),
        ]
    }


def test_seats_are_counted_by_product_and_kind() -> None:
    entries = [
        {"product": "V-Ray", "seats": {"interface": 1, "render": 5}},
        {"product": "V-Ray", "seats": {"render": 2}},
    ]
    assert studio.total(entries) == {("V-Ray", "interface"): 1, ("V-Ray", "render"): 7}


def test_the_plan_and_the_recap_are_read_from_what_was_printed() -> None:
    run = PlaybookRun.read(2, list(blocks(OUTPUT.splitlines())))
    both = "old-server to new-server"
    assert [list(row.values()) for row in run.report().rows()] == [
        [both, "transfer seats", "10 of 25", "not begun", "would change"],
        ["new-server", "borrow cad", "", "none", "same"],
    ]
    differences = run.report().differences()
    assert [row["Hosts"] for row in differences] == [both]
    done = OUTPUT.replace("would change", "changed")
    done_run = PlaybookRun.read(2, list(blocks(done.splitlines())))
    assert done_run.report().differences() == differences
    assert run.recap["old-server"] == {"ok": 3, "changed": 1, "unreachable": 0, "failed": 0}
    assert run.counted("failed") == 1


def test_a_run_that_came_to_no_report_differs_in_nothing() -> None:
    recap = "PLAY RECAP ***\nrender-server : ok=1 changed=0 unreachable=0 failed=0"
    report = PlaybookRun.read(0, list(blocks(recap.splitlines()))).report()
    assert (report.rows(), report.differences(), report.confirmations()) == ([], [], {})


def test_a_run_without_a_recap_fails_the_demo_with_its_last_words() -> None:
    printed = list(blocks(["ERROR! the inventory is gone", ""]))
    with pytest.raises(DemoError, match="without a recap, exit code 4: ERROR! the inventory is"):
        PlaybookRun.read(4, printed)


def test_a_claim_that_was_not_observed_fails_and_is_not_printed() -> None:
    stream = io.StringIO()
    with pytest.raises(DemoError, match="two are missing"):
        Screen(stream).require(False, "all are there", "two are missing")
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("stream", "environment", "coloured"),
    [(Terminal(), {}, True), (Terminal(), {"NO_COLOR": "1"}, False), (io.StringIO(), {}, False)],
)
def test_colours_are_for_terminals_that_want_them(
    stream: io.StringIO, environment: dict[str, str], coloured: bool
) -> None:
    screen = Screen(stream, environment)
    screen.stage("Start")
    screen.output("changed: [old-server]")
    screen.require(True, "fine", "")
    assert ("\033[" in stream.getvalue()) is coloured


def test_a_table_leaves_out_empty_columns_and_aligns_numbers() -> None:
    stream = io.StringIO()
    rows: list[dict[str, Any]] = [
        {"name": "a", "seats": 5, "end": None},
        {"name": "longer", "seats": None, "end": None},
    ]
    Screen(stream).table(rows, {"name": "Name", "seats": "Seats", "end": "End"})
    assert stream.getvalue() == "  Name    Seats\n  a           5\n  longer\n"


def holding(item: str, seats: int, units: int, borrowed_until: str | None) -> dict[str, Any]:
    """One item as an agent shows it."""
    return {
        "item": item, "name": "N", "seats": seats, "units": units, "borrowed_until": borrowed_until,
    }  # fmt: skip


def test_sums_tell_what_is_owned_and_what_is_borrowed() -> None:
    rows = [
        holding("1:2@1", 4, 0, None),
        holding("1:2@7", 1, 0, "2027-01-01T00:00:00Z"),
        holding("1:3@2", 0, 60, None),
        holding("1:3@1", 0, 40, None),
    ]
    assert {code: (row["own"], row["lent"]) for code, row in fleet.sums(rows).items()} == {
        "1:2": (4, 1),
        "1:3": (100, 0),
    }


def test_without_its_playbooks_the_demo_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "PLAYBOOKS", "absent")
    assert demo.main([]) == 1
    said = capsys.readouterr().err
    assert said.startswith("The demo failed: ")
    assert said.endswith("absent is missing: the demo runs from a checkout.\n")


WAITS = """
TASK [seatkeeper.licensing.license_state : Plan what each host is told next] ***
Hosts      What                  Declared  Before  Outcome
old-aimms  server move planning  1         begun   waits for person: pointing AIMMS PRO at it
old-aimms: Waiting for a person: pointing AIMMS PRO at it
  1. In the portal, set "PRO server license".
ok: [old-aimms]
"""


def test_what_waits_for_people_is_shown_whole() -> None:
    (shown,) = [list(condensed(*block)) for block in blocks(WAITS.splitlines()) if block[0]]
    assert shown[3:] == [
        "  old-aimms: Waiting for a person: pointing AIMMS PRO at it",
        '    1. In the portal, set "PRO server license".',
    ]


def part(name: str, screen: Screen) -> bool:
    """A part for a process of its own: one is not observed, one dies, one never ends."""
    screen.stage(f"Begin with {name}")
    screen.line(f"{name}, first line")
    screen.line(f"{name}, last line")
    if name == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "lasts":
        signal.pause()
    return name != "fails"


def test_parts_run_beside_each_other_and_each_output_stays_whole() -> None:
    stream = io.StringIO()
    names = ["fails", "dies", "well"]
    assert sorted(beside.show(Screen(stream), names, part, 2)) == ["dies", "fails"]
    lines = stream.getvalue().splitlines()
    for name in names:
        begun = [line.endswith(f"s] {name}: Begin with {name}") for line in lines].index(True)
        start = [line.startswith(f"== {name} ==") for line in lines].index(True)
        assert begun < start
        whole = [f"{name}, first line", f"{name}, last line"]
        assert lines[start + 3 : start + 5] == whole
        assert [line for line in lines if line in whole] == whole


def test_an_interrupted_demo_leaves_no_part_running() -> None:
    class Interrupted(Screen):
        def progress(self, part: str, title: str) -> None:
            """As with Ctrl-C at that moment."""
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        beside.show(Interrupted(io.StringIO()), ["lasts", "lasts"], part, 2)
    assert multiprocessing.active_children() == []
