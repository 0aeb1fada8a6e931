# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of one agent that place orders with AltiGen."""

from __future__ import annotations

from seatkeeper_agent.operations.declared.orders import OrderKind
from seatkeeper_agent.operations.orders.service import OrderService
from seatkeeper_agent.operations.vendors import Host, Product
from seatkeeper_agent.vendors.altigen.desk import AltiGenDesk
from seatkeeper_agent.vendors.altigen.settings import AltiGenSettings


def product(host: Host, settings: AltiGenSettings) -> Product:
    """Orders from this host; ValueError for a policy that cannot be used."""
    # A mail whose answer was lost may still go out for as long as its sending may take.
    desk, engine = AltiGenDesk(settings), host.engine(settings.mail_seconds_max)
    orders = OrderService(host.journal, engine, desk, host.state_folder / "orders", host.clock.now)
    return Product(
        vendor=orders.vendor,
        describe=orders.describe,
        resumes=(orders.resume,),
        attests={"order": orders.attest},
        kinds=(OrderKind(orders),),
        orders=orders,
    )
