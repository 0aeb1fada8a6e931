# SPDX-License-Identifier: GPL-3.0-or-later
"""The process around the library: what becomes of it, of the agent, and of bad libraries."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from seatkeeper_agent.domain.licenses import ItemKey, TransferType
from seatkeeper_agent.domain.transfers import Mode
from seatkeeper_agent.operations.ports import (
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
    DriverUnsupported,
    TransferCommand,
)
from seatkeeper_agent.vendors.codemeter.driver import CodeMeterDriver
from seatkeeper_agent.vendors.codemeter.settings import CodeMeterSettings

from .conftest import FIRM, SEATS, SOURCE, TARGET, Twin, build_library

ABORTS = """
#include <stdlib.h>
#include <stdint.h>
uint32_t CmGetVersion(void *handle) { abort(); }
"""
HANGS = """
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
uint32_t CmGetVersion(void *handle) { printf("noise\\n"); fflush(stdout); sleep(60); return 0; }
"""
OLD = """
#include <stdint.h>
uint32_t CmGetVersion(void *handle) { return 6u << 24; }
void *CmAccess2(uint32_t flags, void *access) { return (void *)1; }
int32_t CmRelease(void *handle) { return 1; }
"""
CRASHES_WHEN_LOADED = """
#include <stdlib.h>
__attribute__((constructor)) static void start(void) { abort(); }
"""


def worker_process_id(driver: CodeMeterDriver) -> int:
    worker = driver._library._worker
    assert worker is not None
    return worker.process.pid


def exists(process_id: int) -> bool:
    """Whether the process is there, be it as a zombie."""
    return Path(f"/proc/{process_id}").exists()


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def eventually(condition: Callable[[], bool], seconds_max: float = 60) -> bool:
    deadline = time.monotonic() + seconds_max
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def bad_driver(tmp_path: Path, source: str, **values: float) -> CodeMeterDriver:
    library = str(build_library(tmp_path, source))
    return CodeMeterDriver(CodeMeterSettings(library=library, **values))  # type: ignore[arg-type]


def test_nothing_is_loaded_until_it_is_needed(twin: Twin) -> None:
    driver = twin.driver()
    assert driver._library._worker is None
    driver.containers()
    # Other tests of this process may have loaded a library of their own.
    assert str(twin.directory) not in Path("/proc/self/maps").read_text()


def test_a_missing_library_is_told_with_its_path_and_the_setting() -> None:
    driver = CodeMeterDriver(CodeMeterSettings(library="/nowhere/libwibucm.so"))
    with pytest.raises(DriverUnavailable, match=r"/nowhere/libwibucm.so .*setting library"):
        driver.containers()
    with pytest.raises(DriverUnavailable, match="setting library"):
        driver.is_running()
    found = driver.describe()
    assert (found.version, found.running, found.security_floor_met) == (None, False, None)
    assert "/nowhere/libwibucm.so" in found.capabilities[0].reason


def test_a_library_that_crashes_does_not_take_the_agent_down(tmp_path: Path) -> None:
    driver = bad_driver(tmp_path, ABORTS)
    with pytest.raises(DriverUnavailable, match="ended its process during version"):
        driver._library.read("version")
    assert driver.describe().running is False


def test_a_library_that_crashes_when_it_is_loaded(tmp_path: Path) -> None:
    driver = bad_driver(tmp_path, CRASHES_WHEN_LOADED)
    with pytest.raises(DriverUnavailable, match="could not be loaded"):
        driver.import_update(TARGET, b"update")


def test_a_library_that_hangs_is_killed(tmp_path: Path) -> None:
    # Long enough for the process to start, on a busy machine too.
    driver = bad_driver(tmp_path, HANGS, call_seconds_max=3.0)
    with pytest.raises(DriverUnfinished, match=r"did not answer version within 3 seconds"):
        driver._library.read("version")
    assert driver._library._worker is None


def test_a_library_that_is_too_old(tmp_path: Path) -> None:
    driver = bad_driver(tmp_path, OLD)
    with pytest.raises(DriverUnsupported, match="has no function CmLtImportUpdate"):
        driver.import_update(TARGET, b"update")
    driver.close()


def test_a_killed_process_is_started_again_for_a_read(driver: CodeMeterDriver) -> None:
    found = driver.containers()
    first = worker_process_id(driver)
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: not exists(first)), "a zombie is left"
    assert driver.containers() == found
    assert worker_process_id(driver) != first


def test_a_process_killed_in_the_middle_of_an_effect(twin: Twin) -> None:
    driver = twin.driver()
    (item,) = driver.items(SOURCE, ItemKey(FIRM, SEATS))
    request = driver.create_request(TARGET, FIRM, Mode.PUSH)
    twin.fault("debit.after", "slow", value=1000)
    order = TransferCommand(TransferType.LICENSES, Mode.PUSH, 10, None)
    log = twin.directory / "engine.log"
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(driver.do_transfer, SOURCE, item, order, request)
        assert eventually(lambda: "CmLtDoTransfer" in log.read_text())
        os.kill(worker_process_id(driver), signal.SIGKILL)
        with pytest.raises(DriverUnfinished, match="ended its process during do_transfer"):
            call.result(60)
    assert driver.items(SOURCE, item.key)[0].seats == 15


def test_an_idle_process_ends(twin: Twin) -> None:
    before = threading.active_count()
    driver = twin.driver(idle_seconds_max=0.3)
    driver.containers()
    process_id = worker_process_id(driver)
    assert eventually(lambda: not exists(process_id))
    assert driver.containers()
    driver.close()
    assert eventually(lambda: threading.active_count() <= before)


def test_closing_ends_the_process_and_its_descriptors(twin: Twin) -> None:
    before = open_descriptors()
    driver = twin.driver()
    for _ in range(5):
        driver.containers()
        process_id = worker_process_id(driver)
        driver.close()
        assert not exists(process_id)
    assert eventually(lambda: open_descriptors() <= before)


def test_two_threads_get_their_own_answers(reader: CodeMeterDriver) -> None:
    def read(number: int) -> bool:
        if number % 2:
            return reader.items(SOURCE)[0].key.product_code == SEATS
        try:
            reader.items("130-5")
        except DriverRefused as error:
            return error.number == 201
        return False

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(read, range(40)))


def test_a_thread_that_ends_does_not_take_the_process_along(driver: CodeMeterDriver) -> None:
    thread = threading.Thread(target=driver.containers)
    thread.start()
    thread.join(60)
    first = worker_process_id(driver)
    time.sleep(0.1)
    driver.containers()
    assert worker_process_id(driver) == first


AGENT = """
import sys, threading
from seatkeeper_agent.vendors.codemeter.driver import CodeMeterDriver
from seatkeeper_agent.vendors.codemeter.settings import CodeMeterSettings
driver = CodeMeterDriver(CodeMeterSettings(library=sys.argv[1]))
try:
    driver._library.read("reach")
except Exception:
    pass
print(driver._library._worker.process.pid, flush=True)
if sys.argv[2] == "in a call":
    driver._library.read("version")
threading.Event().wait()
"""
REACHES_THEN_HANGS = HANGS + OLD.replace(
    "uint32_t CmGetVersion(void *handle) { return 6u << 24; }", ""
)


@pytest.mark.parametrize("moment", ["idle", "in a call"])
def test_the_process_dies_with_the_agent(tmp_path: Path, moment: str) -> None:
    library = build_library(tmp_path, REACHES_THEN_HANGS)
    command = [sys.executable, "-c", AGENT, str(library), moment]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as agent:
        assert agent.stdout is not None
        process_id = int(agent.stdout.readline())
        time.sleep(0.3)
        assert exists(process_id)
        agent.kill()
        assert eventually(lambda: not exists(process_id) or _is_zombie(process_id))


def _is_zombie(process_id: int) -> bool:
    # Nobody may be there to reap what an agent left that was killed.
    try:
        return ") Z " in Path(f"/proc/{process_id}/stat").read_text()
    except FileNotFoundError:
        return True


def test_the_process_loads_no_other_packages() -> None:
    """Which is what makes its start quick."""
    code = (
        "import sys; sys.path.append(sys.argv[1]);"
        "import seatkeeper_agent.vendors.codemeter.worker;"
        "print([name for name in sys.modules if 'fastapi' in name or 'operations' in name])"
    )
    root = str(Path(__file__).parents[2] / "src")
    command = [sys.executable, "-I", "-S", "-c", code, root]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n"


def test_the_environment_names_no_other_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEMETER_HOST", "elsewhere")
    assert "CODEMETER_HOST" not in CodeMeterSettings().environment()
    assert CodeMeterSettings(host="192.0.2.1").environment()["CODEMETER_HOST"] == "192.0.2.1"


@pytest.mark.parametrize(
    "values",
    [
        {"library": "lib/libwibucm.so"},
        {"cmu": "cmu"},
        {"server_ini": "/etc/%n"},
        {"stop_command": ()},
        {"start_command": ("systemctl", "start\n")},
        {"call_seconds_max": 0},
        {"idle_seconds_max": float("inf")},
        {"host": "--help"},
    ],
)
def test_settings_that_cannot_be_used(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"^codemeter: "):
        CodeMeterSettings(**values)  # type: ignore[arg-type]
