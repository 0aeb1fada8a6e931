# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m hosts.made [THING...]: have what tests need that is made once, all side by side.

With --into FOLDER the files of the things are copied there. Each thing is kept until something
changes of which it is made, see kept.py; what cannot be made here is told.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import seatkeeper_twins
from seatkeeper_twins.codemeter.build import BuildError

from .kept import CACHE, ROOT, ImageUnavailable, kept, key_of, run_logged
from .lab import base
from .packages import chaos, codemeter
from .usb import image as guest

BUNDLE_SCRIPT = ROOT / "agent" / "bundle.sh"
BUNDLING = (BUNDLE_SCRIPT, ROOT / "agent" / "sbom.py")
RELEASES_SCRIPT = ROOT / "molecule" / "upgrade" / "releases.sh"
AGENT = (
    *BUNDLING,
    *(ROOT / "agent" / name for name in ("pyproject.toml", "LICENSE", "src")),
    *(ROOT / "requirements" / name for name in ("agent.lock", "dev.lock")),
)
"""Of what the agent's release is made; dev.lock pins what builds it."""
CODEMETER_VERSIONS = (codemeter.VERSION, "9.20.8888.500")
# The hosts of the scenario `upgrade` have one Python.
RELEASE_PYTHONS = "3.11"
LOG = "build.log"


def bundle() -> Path:
    """A folder with the agent's release of this checkout."""
    return kept(CACHE, "bundle", key_of(*AGENT, *_choice()), _make_bundle)


def releases_before() -> Path:
    """A folder with the release before, as its commit has it."""
    key = key_of(RELEASES_SCRIPT, *BUNDLING, ROOT / "requirements" / "dev.lock")
    return kept(CACHE, "releases-before", key, _make_releases_before)


def releases_after() -> Path:
    """A folder with two later releases, of which one is broken."""
    key = key_of(RELEASES_SCRIPT, *AGENT, *_choice())
    return kept(CACHE, "releases-after", key, _make_releases_after)


def packages() -> Path:
    """A folder with what vendors deliver, each with the checksum that they publish."""
    twins, makers = Path(seatkeeper_twins.__file__).parent, Path(__file__).with_name("packages")
    parts = (twins / "__init__.py", twins / "parts", twins / "codemeter", twins / "chaos", makers)
    return kept(CACHE, "packages", key_of(*parts, *CODEMETER_VERSIONS), _make_packages)


def _wheels() -> Path:
    key = key_of(BUNDLE_SCRIPT, ROOT / "requirements" / "agent.lock", *_choice())
    return kept(CACHE, "wheels", key, _make_wheels)


def _choice() -> tuple[str, str]:
    """For which hosts the release is made."""
    return os.environ.get("BUNDLE_PYTHONS", ""), os.environ.get("BUNDLE_MACHINE", "")


def _make_wheels(folder: Path) -> None:
    _run(folder, BUNDLE_SCRIPT, "wheels", ROOT)


def _make_bundle(folder: Path) -> None:
    _run(folder, BUNDLE_SCRIPT, "bundle", ROOT, _wheels())


def _make_releases_before(folder: Path) -> None:
    _run(folder, RELEASES_SCRIPT, "before", BUNDLE_PYTHONS=RELEASE_PYTHONS)


def _make_releases_after(folder: Path) -> None:
    _run(folder, RELEASES_SCRIPT, "after", _wheels(), BUNDLE_PYTHONS=RELEASE_PYTHONS)


def _run(folder: Path, script: Path, *arguments: str | Path, **environment: str) -> None:
    """Let a script fill the folder, which is its last argument."""
    variables = {**os.environ, "PYTHON": sys.executable, **environment}
    run_logged([str(script), *map(str, arguments), str(folder)], folder, variables)


def _make_packages(folder: Path) -> None:
    try:
        made = [codemeter.make_package(folder, version) for version in CODEMETER_VERSIONS]
    except BuildError as error:
        raise ImageUnavailable(str(error)) from error
    for file in (*made, chaos.make_installer(folder)):
        checksum = file.with_name(f"{file.name}.sha256")
        checksum.write_text(hashlib.sha256(file.read_bytes()).hexdigest(), encoding="ascii")


THINGS: dict[str, Callable[[], Path]] = {
    "guest": lambda: guest.get().folder,
    **{release: partial(base.get, release) for release in base.RELEASES},
    "bundle": bundle,
    "releases-before": releases_before,
    "releases-after": releases_after,
    "packages": packages,
}
"""What takes longest comes first."""


def main() -> int:
    """Have the things; 1 when one of those that are to be copied could not be had."""
    chosen = _parser().parse_args()
    with ThreadPoolExecutor(len(THINGS)) as pool:
        folders = list(pool.map(_had, chosen.thing or THINGS))
    if chosen.into:
        for folder in filter(None, folders):
            shutil.copytree(folder, chosen.into, dirs_exist_ok=True, ignore=_log)
            for file in sorted(folder.iterdir()):
                if file.name != LOG:
                    print(f"made: {chosen.into / file.name} {_checksum(file)}", flush=True)
    return int(bool(chosen.into) and None in folders)


def _checksum(file: Path) -> str:
    with file.open("rb") as content:
        return f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"


def _had(name: str) -> Path | None:
    start = time.monotonic()
    try:
        folder = THINGS[name]()
    except ImageUnavailable as reason:
        print(f"made: no {name}: {reason}", file=sys.stderr, flush=True)
        return None
    print(f"made: {name}, {time.monotonic() - start:.1f} s", flush=True)
    return folder


def _log(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name == LOG]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hosts.made", description=__doc__)
    parser.add_argument("thing", nargs="*", metavar="THING", help=", ".join(THINGS))
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="copy the files there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
