# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request costs on a host from which orders are placed: SQL, syncs, mail."""

from __future__ import annotations

from api.order_routes import NEW, ORDER_HOST, ORDER_SEED, ROUTE, ordered, path_of
from costs.counting import Cost, counting
from costs.lab import products
from costs.requests import Requests, require_markers
from costs.table import assert_written

from seatkeeper_twins.altigen import people

COSTS: dict[str, Cost] = {
    "agent": Cost(statements=11),
    "order, dry run": Cost(statements=8),
    "order, run": Cost(statements=59, transactions=5, syncs=6),
    "order, again": Cost(statements=36, transactions=1),
    "order with its case, run": Cost(
        statements=88,
        transactions=9,
        syncs=8,
        vendor="1 SMTP DATA, 1 SMTP EHLO, 1 SMTP MAIL, 1 SMTP QUIT, 1 SMTP RCPT",
    ),
    "order with its case, again": Cost(statements=44, transactions=1),
    "papers": Cost(statements=1),
    "orders": Cost(statements=4),
}


def test_every_request_costs_what_is_written_down() -> None:
    """From the quote to the mail that is sent; the same on every machine."""
    require_markers(COSTS)
    with counting() as meter, products({ORDER_HOST: ORDER_SEED}) as (lab, agents):
        requests = Requests(meter, agents)
        requests.ask("agent", ORDER_HOST, "GET", "/v1/agent")
        order, path = ordered("front-desk"), path_of("front-desk")
        plan = requests.planned("order", ORDER_HOST, "PUT", path, order)["plan"]
        order["plan_digest"] = plan["digest"]
        requests.run("order", ORDER_HOST, "PUT", path, order)
        desk = lab[ORDER_HOST].altigen.address
        order["case_number"] = people.open_case(desk, NEW)
        requests.run("order with its case", ORDER_HOST, "PUT", path, order)
        requests.ask("papers", ORDER_HOST, "GET", f"{path}/documents")
        requests.ask("orders", ORDER_HOST, "GET", ROUTE)
    assert_written(requests.costs, COSTS)
