# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy the driver template under a new name: `make driver NAME=acme`, or new_driver.py NAME.

With a folder (`make driver NAME=acme FOLDER=../seatkeeper-acme`) it becomes a distribution of its
own, which the agent finds by its entry point. Nothing is overwritten, and nothing is left behind
when the name cannot be used.
"""

from __future__ import annotations

import keyword
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "agent" / "templates" / "driver"
PACKAGE = ROOT / "agent" / "templates" / "package"
TEMPLATE_NAME = "acme"
NAME = re.compile(r"[a-z][a-z0-9]{1,19}")
# Tables of the agent's settings, and packages beside the twins, that are no vendors.
TAKEN = {"agent", "demo", "lab", "parts", "policy", "roles", "usb"}

# Where the parts of the template go in a distribution of its own, and what imports call them.
PARTS = {
    "src/seatkeeper_agent/vendors/acme": "src/seatkeeper_acme",
    "twins/src/seatkeeper_twins/acme": "twin/seatkeeper_acme_twin",
    "tests/vendors/acme": "tests/driver",
    "tests/twins/acme": "tests/twin",
}
MODULES = {
    "seatkeeper_agent.vendors.acme": "seatkeeper_acme",
    "seatkeeper_twins.acme": "seatkeeper_acme_twin",
}

NEXT = """\
The driver {name} was made, with a twin and tests that pass:

{files}
Next, as docs/writing-a-driver.md tells: collect the facts, grade them in the driver's README, then
{last}.
"""
IN_THE_TREE = "name it in vendors/registry.py"
OUTSIDE = "install its wheel beside the agent, which finds it by its entry point"


class Fault(Exception):
    """Why no driver was made, in one sentence with what to do."""


def renamed(text: str, name: str) -> str:
    """A text of the template, or a path in it, for another name."""
    for spelling in (str.lower, str.upper, str.capitalize):
        text = text.replace(spelling(TEMPLATE_NAME), spelling(name))
    return text


def require_usable(name: str) -> None:
    """Fault where a name cannot be that of a driver's folder, table and class."""
    if not NAME.fullmatch(name):
        raise Fault(
            f"{name!r} cannot be a driver's name: use 2 to 20 small letters and digits, a letter"
            " first, such as make driver NAME=acme."
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in TAKEN:
        raise Fault(f"The name {name} means something else already: choose another one.")


def copies(name: str, agent: Path) -> dict[Path, str]:
    """What the new files hold, by their places in the tree."""
    return {
        agent / renamed(str(source.relative_to(TEMPLATE)), name): renamed(text, name)
        for source, text in texts(TEMPLATE).items()
    }


def package(name: str, folder: Path) -> dict[Path, str]:
    """The same as a distribution of its own in a folder."""
    made = {}
    for source, text in texts(TEMPLATE).items():
        place = str(source.relative_to(TEMPLATE))
        part = next(part for part in PARTS if place.startswith(part))
        own = text
        for module, standing_alone in MODULES.items():
            own = own.replace(module, standing_alone)
        made[folder / renamed(place.replace(part, PARTS[part], 1), name)] = renamed(own, name)
    for source, text in texts(PACKAGE).items():
        made[folder / source.relative_to(PACKAGE)] = renamed(text, name)
    return made


def texts(folder: Path) -> dict[Path, str]:
    """What the files of a template hold."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path: path.read_text("utf-8") for path in files if path.suffix != ".pyc"}


def require_new(folders: set[Path], shown_from: Path) -> None:
    """Fault where one of them is there."""
    for folder in sorted(folders):
        if folder.exists() or folder.with_suffix(".py").exists():
            shown = os.path.relpath(folder, shown_from)
            raise Fault(
                f"{shown} is there already, and nothing is overwritten: choose another name."
            )


def main() -> int:
    """Make the driver, or say in one sentence why not; 1 then."""
    if not 2 <= len(sys.argv) <= 3 or not sys.argv[1]:
        print("driver: name it, such as make driver NAME=acme", file=sys.stderr)
        return 1
    name, folder = sys.argv[1], "".join(sys.argv[2:])
    root = Path(folder).absolute() if folder else ROOT
    try:
        require_usable(name)
        made = package(name, root) if folder else copies(name, ROOT / "agent")
        require_new({root} if folder else {place.parent for place in made}, Path.cwd())
    except Fault as fault:
        print(f"driver: {fault}", file=sys.stderr)
        return 1
    for place, text in made.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    # The order of imports and the breaks of lines depend on the name.
    for command in (("check", "--fix-only"), ("format",)):
        ruff = [sys.executable, "-m", "ruff", *command, "--quiet", "--no-cache"]
        config = ["--config", str(ROOT / "pyproject.toml")] if folder else []
        sources = [place for place in made if place.suffix == ".py"]
        subprocess.run([*ruff, *config, *sources], check=True)
    files = "".join(f"  {os.path.relpath(place, root)}\n" for place in made)
    print(NEXT.format(name=name, files=files, last=OUTSIDE if folder else IN_THE_TREE), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
