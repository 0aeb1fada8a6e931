# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy the driver template under a new name: `make driver NAME=acme`, or new_driver.py NAME.

Nothing is overwritten, and nothing is left behind when the name cannot be used.
"""

from __future__ import annotations

import keyword
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "agent" / "templates" / "driver"
TEMPLATE_NAME = "acme"
NAME = re.compile(r"[a-z][a-z0-9]{1,19}")
# Tables of the agent's settings, and packages beside the twins, that are no vendors.
TAKEN = {"agent", "demo", "lab", "parts", "policy", "roles", "usb"}

NEXT = """\
The driver {name} was made, with a twin and tests that pass:

{files}
Next, as docs/writing-a-driver.md tells: collect the facts, grade them in the driver's README, then
give the agent the driver in settings.py and agent.py.
"""


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
    """What the new files hold, by their places; Fault where one of their folders is there."""
    made = {}
    for source in sorted(TEMPLATE.rglob("*")):
        if source.is_file() and source.suffix != ".pyc":
            place = agent / renamed(str(source.relative_to(TEMPLATE)), name)
            made[place] = renamed(source.read_text(encoding="utf-8"), name)
    for folder in sorted({place.parent for place in made}):
        if folder.exists() or folder.with_suffix(".py").exists():
            shown = folder.relative_to(agent.parent)
            raise Fault(
                f"{shown} is there already, and nothing is overwritten: choose another name."
            )
    return made


def main() -> int:
    """Make the driver, or say in one sentence why not; 1 then."""
    if len(sys.argv) != 2 or not sys.argv[1]:
        print("driver: name it, such as make driver NAME=acme", file=sys.stderr)
        return 1
    name = sys.argv[1]
    try:
        require_usable(name)
        made = copies(name, ROOT / "agent")
    except Fault as fault:
        print(f"driver: {fault}", file=sys.stderr)
        return 1
    for place, text in made.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    # The order of imports and the breaks of lines depend on the name.
    for command in (("check", "--fix-only"), ("format",)):
        ruff = [sys.executable, "-m", "ruff", *command, "--quiet", "--no-cache"]
        subprocess.run([*ruff, *(place for place in made if place.suffix == ".py")], check=True)
    files = "".join(f"  {place.relative_to(ROOT)}\n" for place in made)
    print(NEXT.format(name=name, files=files), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
