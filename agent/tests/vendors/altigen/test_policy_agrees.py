# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's policy and the twin's desk, written apart, come to the same."""

from __future__ import annotations

from datetime import timedelta

from domain.phone_systems import ON, order
from hypothesis import given, settings
from hypothesis import strategies as st

from seatkeeper_agent.domain.orders import LicenseKey, OrderLine, PhoneSystem
from seatkeeper_agent.domain.policies import evaluate
from seatkeeper_agent.domain.rules import RuleVerdict, is_refused
from seatkeeper_agent.vendors.altigen.policy import vendor_policy
from seatkeeper_twins.altigen import rules
from seatkeeper_twins.altigen.desk import FIRST_CASE
from seatkeeper_twins.altigen.models import Case, State
from seatkeeper_twins.altigen.seed import state_of

CHASSIS = ("Max1000", "Max2000", "Max1000R", "Office", "software_only")
PRODUCTS = ("ALTI-STATION-10", "ALTI-STATION-25", "ALTI-ACMAGENT-05", "ALTI-TRUNK-4")


# Mostly as it should be, so that what is not is seldom hidden behind something else.
OWNERS = ("Studio A",) * 8 + ("Studio B",)
REGISTERED = (True,) * 8 + (False,)
DAYS = (0, 0, 0, 1, 1, 1, -1)


@st.composite
def systems(draw: st.DrawFn, number: int) -> PhoneSystem:
    """A system of which everything is declared, close to its limits."""
    return PhoneSystem(
        f"s{number}",
        f"KEY-{number}",
        draw(st.sampled_from(OWNERS)),
        draw(st.sampled_from(CHASSIS)),
        draw(st.sampled_from(REGISTERED)),
        ON + timedelta(days=draw(st.sampled_from(DAYS))),
        draw(st.sampled_from((0, 25, 40, 41, 50, 75, 76, 90, 91))),
    )


@st.composite
def order_lines(draw: st.DrawFn) -> tuple[OrderLine, ...]:
    """Keys of one or two sources for one target."""
    target = draw(systems(0))
    numbers = iter(range(100))
    return tuple(
        OrderLine(
            draw(systems(source)),
            target,
            tuple(
                LicenseKey(f"LK-{next(numbers)}", product)
                for product in draw(st.lists(st.sampled_from(PRODUCTS), min_size=1, max_size=3))
            ),
        )
        for source in range(1, draw(st.integers(2, 3)))
    )


def seen_by_the_desk(ordered: tuple[OrderLine, ...]) -> tuple[State, Case]:
    """The same systems and keys in the twin's books, and a case for them."""
    target = ordered[0].target
    holders = {target: {"THERE": f"ALTI-STATION-{target.stations}"} if target.stations else {}}
    for order_line in ordered:
        holders[order_line.source] = {each.key: each.product for each in order_line.keys}
    state = state_of(
        {
            "systems": {
                holder.system_key: {
                    "name": holder.name, "owner": holder.owner, "chassis": holder.chassis,
                    "registered": holder.registered,
                    "assurance_until": str(holder.assurance_until), "keys": keys,
                }
                for holder, keys in holders.items()
            }
        }
    )  # fmt: skip
    case = Case(
        system=target.system_key, opened_at=0, says_upgrade=True, state="received",
        received_at=0, complete_at=0, told_missing=False, documents=[],
        keys=[each.key for order_line in ordered for each in order_line.keys],
        complaints=[], answers=[], moved={},
    )  # fmt: skip
    state["cases"][f"CAS-{FIRST_CASE}"] = case
    return state, case


@settings(max_examples=200, deadline=None)
@given(order_lines())
def test_what_the_policy_lets_through_the_desk_moves(ordered: tuple[OrderLine, ...]) -> None:
    rows = evaluate(vendor_policy(), order(*ordered, no_charge_purchase_order="PO 1"))
    state, case = seen_by_the_desk(ordered)
    reason = rules.refusal(state, case, ON.isoformat())
    assert is_refused(rows) == (reason is not None), (rows, reason)
    assert RuleVerdict.UNKNOWN not in {row.verdict for row in rows}
    converted = {each.converted_product for order_line in ordered for each in order_line.keys} - {
        None
    }
    assert converted <= {rules.converted(product) for product in PRODUCTS}
