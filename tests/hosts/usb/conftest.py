# SPDX-License-Identifier: GPL-3.0-or-later
"""A fresh guest for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from hosts.kept import ImageUnavailable

from . import image as images
from .bed import Bed
from .usbip_server import UsbIpServer


@pytest.fixture(scope="session")
def image() -> images.Image:
    """The kept guest, made now if need be; without one tests are skipped, and fail in CI."""
    try:
        return images.get()
    except ImageUnavailable as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(str(reason))
        pytest.skip(str(reason))


@pytest.fixture
def bed(image: images.Image) -> Iterator[Bed]:
    """A clone of the guest in which the agent's package is installed and nothing is plugged in."""
    with UsbIpServer() as server, image.clone() as machine:
        yield Bed(machine, server)
