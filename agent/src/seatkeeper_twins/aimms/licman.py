# SPDX-License-Identifier: GPL-3.0-or-later
"""licman: the product's command line, a thin client of the twin.

Run by its path with the folder of the product as first argument; standard library only, so that
it starts at once. ``--nodelock-activate`` and ``--profile-add`` are the documented commands
(grade D); what begins with ``--twin-`` is made up, as are all texts and exit codes.
"""

from __future__ import annotations

import http.client
import json
import sys
from pathlib import Path
from typing import Any

FAILED, USAGE = 1, 2
ASK_SECONDS_MAX = 600
BARE_HELP = """\
licman of a SEATKEEPER TWIN, which serves no license

  --nodelock-activate <n.n.n.n>   activate a license
      --type machine                  as machine nodelock
      --activation-code <code>        five groups of five
      --add-license                   and add it to the server
  --profile-add <name>            add a profile
      --license <n.n.n.n>             for this license
  --help                          show this text
"""
FULLER_HELP = f"""\
{BARE_HELP}
Made up, not the product's:
  --twin-deactivate <n.n.n.n>     deactivate a license
  --twin-list                     list licenses
  --twin-maintenance on|off       switch maintenance mode
  --twin-maintenance-state        show whether it is on
  --twin-version                  show the version
"""


class Usage(Exception):
    """The words make no sense."""


def ask(folder: Path, verb: str, **values: Any) -> dict[str, Any]:
    """Have the twin do something; ValueError with its words when it refuses."""
    port = int((folder / "_twin" / "port").read_text())
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ASK_SECONDS_MAX)
    try:
        connection.request("POST", f"/_twin/do/{verb}", json.dumps(values))
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise ValueError(body.decode(errors="replace"))
    told: dict[str, Any] = json.loads(body)
    return told


def state_of(folder: Path) -> dict[str, Any]:
    """What the twin keeps."""
    state: dict[str, Any] = json.loads((folder / "_twin" / "state.json").read_text())
    return state


def run(folder: Path, words: list[str]) -> str:
    """One command; its text."""
    options = _options(words)
    documented = _documented(folder, options)
    if documented is not None:
        return documented
    if set(options) == {"--twin-install"}:
        ask(folder, "install")
        return "Installed.\n"
    if state_of(folder)["licman"] != "fuller":
        raise Usage
    return _made_up(folder, options)


def _documented(folder: Path, options: dict[str, str]) -> str | None:
    match options:
        case {"--help": ""} if len(options) == 1:
            return FULLER_HELP if state_of(folder)["licman"] == "fuller" else BARE_HELP
        case {
            "--nodelock-activate": number, "--type": kind, "--activation-code": code,
            "--add-license": "",
        } if len(options) == 4:  # fmt: skip
            ask(folder, "activate", number=number, kind=kind, code=code)
            return f"License {number} is active.\n"
        case {"--profile-add": name, "--license": number} if len(options) == 2:
            ask(folder, "add_profile", name=name, number=number)
            return f"Profile {name} is linked to license {number}.\n"
    return None


def _made_up(folder: Path, options: dict[str, str]) -> str:
    match options:
        case {"--twin-deactivate": number} if len(options) == 1:
            ask(folder, "deactivate", number=number)
            return f"License {number} is not active any more.\n"
        case {"--twin-list": ""} if len(options) == 1:
            return _listing(ask(folder, "list")["licenses"])
        case {"--twin-maintenance": ("on" | "off") as word} if len(options) == 1:
            ask(folder, "maintenance", enabled=word == "on")
            return f"Maintenance mode: {word}\n"
        case {"--twin-maintenance-state": ""} if len(options) == 1:
            on = ask(folder, "maintenance_state")["maintenance"]
            return f"Maintenance mode: {'on' if on else 'off'}\n"
        case {"--twin-version": ""} if len(options) == 1:
            return f"licsrv twin {ask(folder, 'version')['version']}\n"
    raise Usage


def _listing(licenses: list[dict[str, Any]]) -> str:
    rows = [
        f"{entry['number']} | {entry['state']} | {profile}"
        for entry in licenses
        for profile in entry["profiles"] or ["-"]
    ]
    return "\n".join(["License | State | Profile", *rows]) + "\n"


def _options(words: list[str]) -> dict[str, str]:
    """Options with their values, empty for those that have none."""
    options: dict[str, str] = {}
    name = None
    for word in words:
        if word.startswith("--") and word not in options:
            name, options[word] = word, ""
        elif name is not None and not options[name] and not word.startswith("--"):
            options[name] = word
        else:
            raise Usage
    return options


def main(folder: str, *words: str) -> int:
    """One command; the exit code, which is always 0 where the twin tells nothing by it."""
    place = Path(folder)
    try:
        text = run(place, list(words))
    except Usage:
        sys.stderr.write("licman: these options are not known; see --help\n")
        failed = USAGE
    except ValueError as error:
        sys.stderr.write(f"licman: {error}\n")
        failed = FAILED
    except (OSError, http.client.HTTPException):
        sys.stderr.write("licman: the license server does not answer\n")
        failed = FAILED
    else:
        sys.stdout.write(text)
        return 0
    return failed if state_of(place)["exit_codes"] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
