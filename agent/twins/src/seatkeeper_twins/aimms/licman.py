# SPDX-License-Identifier: GPL-3.0-or-later
"""licman: the product's command line, a thin client of the twin.

Run by its path with the folder of the product as first argument; standard library only, and of
that little (``http.client`` alone doubles its start), so that it starts at once.
``--nodelock-activate`` and ``--profile-add`` are the documented commands (grade D); what begins
with ``--twin-`` is made up, as are all texts and exit codes.
"""

from __future__ import annotations

import json
import socket
import sys

TYPE_CHECKING = False  # typing's own would have to be imported
if TYPE_CHECKING:
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


def ask(folder: str, verb: str, **values: Any) -> dict[str, Any]:
    """Have the twin do something; ValueError with its words when it refuses."""
    port = int(_kept(folder, "port"))
    content = json.dumps(values).encode()
    head = f"POST /_twin/do/{verb} HTTP/1.0\r\nContent-Length: {len(content)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), ASK_SECONDS_MAX) as connection:
        connection.sendall(head.encode() + content)
        with connection.makefile("rb") as answers:
            answer = answers.read()
    line, body = answer.partition(b"\r\n")[0], answer.partition(b"\r\n\r\n")[2]
    if not body:
        raise ConnectionError("the twin gave no answer")
    if line.split()[1] != b"200":
        raise ValueError(body.decode(errors="replace"))
    reported: dict[str, Any] = json.loads(body)
    return reported


def state_of(folder: str) -> dict[str, Any]:
    """What the twin keeps."""
    state: dict[str, Any] = json.loads(_kept(folder, "state.json"))
    return state


def _kept(folder: str, name: str) -> str:
    # To import pathlib would take a fifth of the whole start.
    with open(f"{folder}/_twin/{name}", encoding="utf-8") as file:  # noqa: PTH123
        return file.read()


def run(folder: str, words: list[str]) -> str:
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


def _documented(folder: str, options: dict[str, str]) -> str | None:
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


def _made_up(folder: str, options: dict[str, str]) -> str:
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
    try:
        text = run(folder, list(words))
    except Usage:
        sys.stderr.write("licman: these options are not known; see --help\n")
        failed = USAGE
    except ValueError as error:
        sys.stderr.write(f"licman: {error}\n")
        failed = FAILED
    except OSError:
        sys.stderr.write("licman: the license server does not answer\n")
        failed = FAILED
    else:
        sys.stdout.write(text)
        return 0
    return failed if state_of(folder)["exit_codes"] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
