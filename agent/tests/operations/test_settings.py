# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings are read whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatkeeper_agent.settings import SETTINGS_BYTES_MAX, SettingsError, load


def test_a_file_that_is_too_large_is_not_read_in_part(tmp_path: Path) -> None:
    """What stands behind the limit would silently not count."""
    path = tmp_path / "agent.toml"
    path.write_text("#" * (SETTINGS_BYTES_MAX - 1) + "\n")
    assert load(path).policy.transfer_blocked is False
    path.write_text("#" * SETTINGS_BYTES_MAX + "\n[policy]\ntransfer_blocked = true\n")
    with pytest.raises(SettingsError, match="are larger than 1048576 bytes"):
        load(path)
