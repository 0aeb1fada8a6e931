# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of one agent that work on the Acme license server."""

from __future__ import annotations

from seatkeeper_agent.operations.servers.settings import ServerService
from seatkeeper_agent.operations.vendors import Host, Product, ServerServices
from seatkeeper_agent.vendors.acme.driver import AcmeDriver
from seatkeeper_agent.vendors.acme.settings import AcmeSettings


def product(host: Host, settings: AcmeSettings) -> Product:
    """Everything that can be declared of the license server."""
    driver = AcmeDriver(settings)
    server = ServerService(host.journal, driver, host.engine(settings.call_seconds_max))
    return Product(
        vendor=driver.vendor,
        describe=driver.describe,
        resumes=(server.resume,),
        server=ServerServices(server),
    )
