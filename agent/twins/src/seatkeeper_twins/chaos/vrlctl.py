# SPDX-License-Identifier: GPL-3.0-or-later
"""vrlctl: the product's command line, a thin client of the HTTP service (grade T).

Run by its path with the twin's folder as first argument; standard library only, so that it starts
at once. Exit codes are those that are known: of ``online login`` 5 for bad credentials, 6 when
refused or when the retries are exhausted, 1 for another network error; 9 for wrong usage; 0 for
everything else, also when it failed.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from pathlib import Path
from typing import Any

BAD_CREDENTIALS, REFUSED, NETWORK, USAGE = 5, 6, 1, 9
CREDENTIALS_FILE_SINCE = (4, 5)
ASK_SECONDS_MAX = 30
RETRIES_MAX = 100
RETRY_SECONDS = 1.0
USAGE_TEXT = """\
usage: vrlctl online getcsr [dir] | login USER PASS [--retries=N] | login --credentials FILE.json
              online enable CERT.crt | disable | status
       vrlctl config get a.b | set a.b "v"
       vrlctl dongle enable | disable | port [n]
       vrlctl diagnostics get [dir] | browser"""


class Usage(Exception):
    """The words make no sense."""


class Client:
    """Asks the license server beside this command."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def version(self) -> str:
        """The installed version."""
        state: dict[str, Any] = json.loads((self._folder / "state.json").read_text())
        return str(state["version"])

    def address(self) -> tuple[str, int]:
        """Where the server listens."""
        return "127.0.0.1", int((self._folder / "port").read_text())

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Status and body; OSError or HTTPException without an answer. Never through a proxy."""
        connection = http.client.HTTPConnection(*self.address(), timeout=ASK_SECONDS_MAX)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def online(client: Client, words: list[str]) -> int:
    """The verbs of online licensing."""
    if words[:1] == ["login"]:
        return _login(client, words[1:])
    if words[:1] == ["getcsr"] and len(words) <= 2:
        _fetch(client, "/csr", words[1:], "cert.csr")
    elif words[:1] == ["enable"] and len(words) == 2:
        status, body = client.ask("POST", "/crt", Path(words[1]).read_bytes())
        print("Activated." if status in (200, 302) else f"Failed: {body.decode()}")
    elif words == ["disable"]:
        client.ask("POST", "/deactivate")
        print("Deactivated.")
    elif words == ["status"]:
        reported = json.loads(client.ask("GET", "/status")[1])
        active = reported["online"]["available"]
        newer = _numbers(client.version()) >= (5,)
        print(
            f"Online licensing: {'enabled' if active else 'disabled'}" if newer else f"OLS {active}"
        )
    else:
        raise Usage
    return 0


def _login(client: Client, words: list[str]) -> int:
    retries = 0
    if words[-1:] and words[-1].startswith("--retries="):
        retries = min(_count(words.pop().partition("=")[2]), RETRIES_MAX)
    if len(words) != 2:
        raise Usage
    user, password = words
    if user == "--credentials":
        user, password = _credentials(client, Path(password))
    credentials = json.dumps({"username": user, "password": password}).encode()
    for attempt in range(retries + 1):
        if attempt:
            time.sleep(RETRY_SECONDS)
        try:
            return _logged_in(*client.ask("POST", "/activate", credentials))
        except (ConnectionRefusedError, FileNotFoundError):
            continue
    print("Connection refused.", file=sys.stderr)
    return REFUSED


def _credentials(client: Client, path: Path) -> tuple[str, str]:
    if _numbers(client.version()) < CREDENTIALS_FILE_SINCE:
        raise Usage
    try:
        reported = json.loads(path.read_text(encoding="utf-8"))
        return reported["username"], reported["password"]
    except (OSError, ValueError, KeyError) as error:
        raise Usage from error


def _count(text: str) -> int:
    if not text.isdecimal():
        raise Usage
    return int(text)


def _logged_in(status: int, body: bytes) -> int:
    if status in (200, 409):
        print("Online licensing is enabled.")
        return 0
    print(body.decode(errors="replace").strip(), file=sys.stderr)
    if body == b"Invalid username or password":
        return BAD_CREDENTIALS
    return NETWORK if status >= 500 else REFUSED


def config(client: Client, words: list[str]) -> int:
    """Read or set one key of the tree."""
    section, dot, key = words[1].partition(".") if len(words) > 1 else ("", "", "")
    if not dot or (words[0], len(words)) not in (("get", 2), ("set", 3)):
        raise Usage
    tree = json.loads(client.ask("GET", "/config")[1])
    if words[0] == "get":
        print(tree.get(section, {}).get(key, ""))
        return 0
    tree.setdefault(section, {})[key] = words[2]
    status, _ = client.ask("POST", "/config", json.dumps(tree).encode())
    print("Saved." if status == 200 else "Failed.")
    return 0


def dongle(client: Client, words: list[str]) -> int:
    """The dongle service; its port cannot be set this way, which is a known defect."""
    if words in (["enable"], ["disable"]):
        client.ask("POST", f"/dongle/{words[0]}")
    elif words[:1] == ["port"] and len(words) <= 2:
        print(json.loads(client.ask("GET", "/config")[1])["local"]["vrlPort"])
    else:
        raise Usage
    return 0


def diagnostics(client: Client, words: list[str]) -> int:
    """Save the diagnostics archive."""
    if words[:1] != ["get"] or len(words) > 2:
        raise Usage
    _fetch(client, "/logs/download", words[1:], "diagnostics.zip")
    return 0


def browser(client: Client, words: list[str]) -> int:
    """Say where the page is; a twin opens no browser."""
    if words:
        raise Usage
    print("http://{}:{}/".format(*client.address()))
    return 0


def _unknown(_client: Client, _words: list[str]) -> int:
    raise Usage


def _fetch(client: Client, path: str, words: list[str], name: str) -> None:
    import tempfile

    folder = Path(words[0] if words else tempfile.gettempdir())
    status, body = client.ask("GET", path)
    if status == 200:
        (folder / name).write_bytes(body)
        print(f"Saved {folder / name}.")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


VERBS = {
    "online": online, "config": config, "dongle": dongle, "diagnostics": diagnostics,
    "browser": browser,
}  # fmt: skip


def main(folder: str, *words: str) -> int:
    """One command; the exit code."""
    verb = VERBS.get(words[0] if words else "", _unknown)
    is_login = words[:2] == ("online", "login")
    try:
        return verb(Client(Path(folder)), list(words[1:]))
    except Usage:
        print(USAGE_TEXT, file=sys.stderr)
        return USAGE
    except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
        print(f"Failed: {type(error).__name__}", file=sys.stderr)
        return NETWORK if is_login else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
