# SPDX-License-Identifier: GPL-3.0-or-later
"""Loads what agents otherwise load when they first need it, so that no fork has to."""

from __future__ import annotations

import gc
import importlib

from seatkeeper_agent.api import schemas
from seatkeeper_agent.operations import payloads

LAZY_MODULES = (
    "anyio._backends._asyncio",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "cryptography.hazmat.primitives.serialization",
    "idna",
    "jsonschema",
    "referencing.jsonschema",
    "seatkeeper_agent.agent",
    "seatkeeper_agent.api.app",
    "seatkeeper_agent.log",
    "securesystemslib.dsse",
    "securesystemslib.signer",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.h11_impl",
)


def warm_up() -> None:
    """Called once in the process that forks."""
    for name in LAZY_MODULES:
        importlib.import_module(name)
    for name in schemas.names():
        schemas.FILES.validator(name)
    for name in payloads.FILES.names():
        payloads.FILES.validator(name)
    # Frozen objects are left alone by the collector, so that forks share their memory.
    gc.collect()
    gc.freeze()
