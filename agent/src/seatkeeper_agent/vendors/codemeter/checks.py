# SPDX-License-Identifier: GPL-3.0-or-later
"""What would stop this host's CodeMeter from moving licenses."""

from __future__ import annotations

from seatkeeper_agent.operations.findings import Finding
from seatkeeper_agent.operations.ports import Description
from seatkeeper_agent.vendors.codemeter.driver import CodeMeterDriver
from seatkeeper_agent.vendors.codemeter.settings import CodeMeterSettings


def check(settings: CodeMeterSettings) -> list[Finding]:
    """Runtime, service, security floor, and whether library and ``cmu`` agree."""
    driver = CodeMeterDriver(settings)
    try:
        found = driver.describe()
        if not driver.is_here(found):
            return []
        if found.version is None:
            return [Finding("codemeter", "wrong", found.capabilities[0].reason)]
        findings = [Finding("codemeter", "ok", f"runtime {found.version}")]
        if not found.running:
            detail = "The license server does not answer. Start its service."
            findings.append(Finding("codemeter", "wrong", detail))
        findings += _security(found)
        return [*findings, *(Finding("cmu", "warning", text) for text in driver.cross_check())]
    finally:
        driver.close()


def _security(found: Description) -> list[Finding]:
    if found.security_floor_met is False:
        detail = f"Below the security floor {found.security_floor}: update the runtime."
        return [Finding("security", "warning", detail)]
    if found.security_floor_met is None:
        detail = f"Whether {found.version} reaches {found.security_floor} cannot be told."
        return [Finding("security", "warning", detail)]
    return []
