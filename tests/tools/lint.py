# SPDX-License-Identifier: GPL-3.0-or-later
"""Run every static check, two at a time, and say how long each took.

A step's output is shown only when it fails. The first failure does not stop the others, so that
one run tells everything. With names of steps as arguments only these (and what they need) run.
A step that this machine lacks a Python for says so and is left out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".venv" / "bin"
STEP_SECONDS_MAX = 3600
STATUS_LEFT_OUT = 77
PARALLEL = 2
ANSIBLE_CORES = ("2.19", "2.20", "2.21")


@dataclass(frozen=True)
class Step:
    """One check: a name, its command and the step whose result it looks at, if any."""

    name: str
    command: tuple[str, ...]
    after: str | None = None


@dataclass(frozen=True)
class Outcome:
    """How a step ended: its exit status (0 is clean), what it printed and how long it took."""

    status: int
    output: str
    seconds: float


def ansible_test(kind: str, core: str) -> Step:
    """The step that runs one kind of ansible-test of one ansible-core."""
    scope = ("everything",) if core == ANSIBLE_CORES[-1] else ()
    command = ("tests/tools/ansible-test.sh", kind, core, *scope)
    return Step(f"{kind}-{core}", command, after="artifact")


TYPED = (
    "agent/sbom.py",
    "agent/sign.py",
    "agent/src",
    "agent/twins/src",
    "tests/tools",
    "tests/bench",
)

STEPS = (
    Step("artifact", ("tests/tools/build-artifact.sh",)),
    # The newest first: it takes longest, and what is short fills the gaps at the end.
    *(ansible_test(kind, core) for core in ANSIBLE_CORES[::-1] for kind in ("sanity", "units")),
    Step("importer", ("tests/tools/importer.sh",), after="artifact"),
    Step("ansible-doc", ("tests/tools/ansible-doc.sh",), after="artifact"),
    Step("installed", ("tests/tools/installed.sh",), after="artifact"),
    Step("builder", ("tests/tools/builder.sh",), after="artifact"),
    Step("ansible-lint", ("ansible-lint", "--offline", "--profile", "production", "-q")),
    Step("mypy", ("mypy", *TYPED)),
    Step(
        "plugin-types",
        (
            "mypy",
            "--cache-dir=.cache/mypy-plugins",
            "--package=ansible_collections.seatkeeper.licensing.plugins",
        ),
    ),
    Step("plugin-python", ("vermin", "--quiet", "--no-tips", "--violations", "-t=3.9-", "plugins")),
    Step(
        "antsibull-docs",
        (
            "antsibull-docs",
            "lint-collection-docs",
            "--plugin-docs",
            "--validate-collection-refs",
            "self",
            ".",
        ),
    ),
    Step("diagrams", ("python", "tests/tools/state_diagram.py", "--check")),
    Step("read-names", ("python", "tests/tools/read_names.py", "--check")),
    Step("inventory-schema", ("python", "tests/tools/inventory_schema.py", "--check")),
    Step("docs", ("docs/site/build.sh",)),
    Step("openapi", ("tests/tools/openapi.sh",)),
    Step("schemas", ("tests/tools/schemas.sh",)),
    Step("yamllint", ("yamllint", "--strict", ".")),
    Step("changelog", ("antsibull-changelog", "lint")),
    Step("ruff", ("ruff", "check", "--quiet", ".")),
    Step("format", ("ruff", "format", "--check", "--quiet", ".")),
    Step("files", ("python", "tests/tools/check_files.py")),
)


def run_step(step: Step, needed: Future[Outcome] | None) -> Outcome:
    """Run one step; a step whose forerunner failed fails without being started."""
    if needed is not None and needed.result().status != 0:
        return Outcome(1, f"not run: {step.after} failed\n", 0.0)
    environment = os.environ | {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_HOME": str(ROOT / ".cache" / "lint" / "ansible-home"),
        "ANSIBLE_NOCOLOR": "1",
        "NO_COLOR": "1",
        "MYPYPATH": str(ROOT / ".venv" / "collections"),
    }
    started = time.monotonic()
    try:
        done = subprocess.run(
            step.command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=STEP_SECONDS_MAX,
            check=False,
        )
        status, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as problem:
        status, output = 1, f"{problem}\n"
    return Outcome(status, output, time.monotonic() - started)


def chosen_steps(names: list[str]) -> list[Step]:
    """Return the steps to run, in order; raise SystemExit for a name that is none."""
    by_name = {step.name: step for step in STEPS}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise SystemExit(f"lint: no step is called {unknown[0]}; there are: {' '.join(by_name)}")
    wanted = set(names or by_name)
    wanted |= {needed for name in wanted if (needed := by_name[name].after)}
    return [step for step in STEPS if step.name in wanted]


def main() -> int:
    """Run the steps and return the number of those that failed."""
    started = time.monotonic()
    steps = chosen_steps(sys.argv[1:])
    futures: dict[str, Future[Outcome]] = {}
    failed = []
    with ThreadPoolExecutor(PARALLEL) as pool:
        for step in steps:
            needed = futures[step.after] if step.after else None
            futures[step.name] = pool.submit(run_step, step, needed)
        for name, future in futures.items():
            outcome = future.result()
            if outcome.status == STATUS_LEFT_OUT:
                print(f"lint: {name:<15} left out: {outcome.output.strip()}", flush=True)
                continue
            word = "failed" if outcome.status else "ok"
            print(f"lint: {name:<15} {word:<6} {outcome.seconds:6.1f} s", flush=True)
            if outcome.status:
                failed.append(name)
                print(outcome.output, flush=True)
    verdict = f"failed: {' '.join(failed)}" if failed else "all clean"
    print(f"lint: {verdict}, {time.monotonic() - started:.0f} s in all")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
