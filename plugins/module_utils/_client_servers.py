# SPDX-License-Identifier: GPL-3.0-or-later
"""Have a client ask the declared license servers."""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._client_file import (
    NEW_FILE,
    SERVERS_MAX,
    ClientFile,
    Server,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._files import FILE_BYTES_MAX
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    CLIENT_FILE,
    INPUT_INVALID,
    LicenseProblem,
)

FILE_NAME = "vrlclient.xml"
FOLDER_VARIABLE = "VRAY_AUTH_CLIENT_FILE_PATH"
HOME_FOLDER = "~/.ChaosGroup"
_HOST = re.compile(r"[A-Za-z0-9:][A-Za-z0-9._:-]{0,252}")

Write = t.Callable[[str, bytes], None]


def run_client(params: dict[str, t.Any], check_mode: bool, write: Write) -> dict[str, t.Any]:
    """Bring the file to the declared servers; ``write`` replaces a file, keeping mode and owner."""
    servers = _declared(params["servers"])
    path = params["path"] or default_path()
    present = _read(path)
    file = ClientFile(path, NEW_FILE if present is None else present)
    before = [] if present is None else file.servers()
    content = file.with_servers(servers)
    changed = content != present
    if changed and not check_mode:
        try:
            _make_folder(os.path.dirname(path))
            # Several hosts may share one file by a link; the link stays.
            write(os.path.realpath(path), content)
        except OSError as error:
            raise _unusable(path, f"cannot be written: {error.strerror}") from error
    return {
        "changed": changed,
        "path": path,
        "before": {"servers": before},
        "after": {"servers": servers},
        "diff": {
            "before_header": f"{path}, before",
            "after_header": f"{path}, after",
            "before": {"servers": before},
            "after": {"servers": servers},
        },
    }


def default_path() -> str:
    """Where the vendor documents that a client looks: the named folder, else the user's."""
    folder = os.environ.get(FOLDER_VARIABLE) or os.path.expanduser(HOME_FOLDER)
    return os.path.join(folder, FILE_NAME)


def _declared(servers: list[dict[str, t.Any]]) -> list[Server]:
    if not 1 <= len(servers) <= SERVERS_MAX:
        raise _invalid(
            f"There are {len(servers)} servers declared.", f"Declare one to {SERVERS_MAX}."
        )
    for server in servers:
        if not _HOST.fullmatch(server["host"]):
            raise _invalid(
                f"The host {server['host']!r} is neither a name nor an address.",
                "Write it without scheme, port and spaces.",
            )
        if not 1 <= server["port"] <= 65535:
            raise _invalid(
                f"The port {server['port']} of {server['host']} is no TCP port.",
                "Set port to 1 to 65535.",
            )
    return [{"host": server["host"], "port": server["port"]} for server in servers]


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            content = stream.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror}") from error
    if len(content) > FILE_BYTES_MAX:
        raise _unusable(path, f"is larger than {FILE_BYTES_MAX} bytes")
    return content


def _make_folder(folder: str) -> None:
    """The last folder of the path; what is above it has to exist."""
    if folder and not os.path.isdir(folder):
        os.mkdir(folder, 0o755)


def _unusable(path: str, what: str) -> LicenseProblem:
    return LicenseProblem.of(
        CLIENT_FILE, f"The file {path} {what}.", "Correct its path or its permissions."
    )


def _invalid(detail: str, next_action: str) -> LicenseProblem:
    return LicenseProblem.of(INPUT_INVALID, detail, next_action)
