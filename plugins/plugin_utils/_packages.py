# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared packages and ports of license servers: what cannot be meant, which version is newer."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from urllib.parse import urlsplit

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._servers import Entry

Parts = t.List[t.List[t.Any]]

_VERSION = re.compile(r"(?:\d+:)?(\d+[a-z]?(?:\.\d+[a-z]?)*)(?:-[0-9A-Za-z.+~]+)?")
_PART = re.compile(r"(\d+)([a-z]?)")
_CHECKSUM = re.compile(r"sha256:[0-9a-fA-F]{64}")
_FILE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+~-]*")
_PACKAGE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]*")
_PORT = re.compile(r"(\d{1,5})/(?:tcp|udp)")
_CHAOS_INSTALLER = re.compile(r"cgls_lin_.*\.bin")
_PORT_MAX = 65535
# Settings that move a port of a server, with the number that its vendor documents.
_PORT_SETTINGS: t.Final[t.Dict[str, t.Dict[t.Tuple[str, str], t.Optional[str]]]] = {
    "codemeter": {("General", "NetworkPort"): "22350", ("General", "CmWANPort"): "22351"},
    "chaos": {("local", "vrolPort"): "30304", ("local", "vrlPort"): None},
}


def version_parts(version: t.Any) -> Parts | None:
    """The numbers of a version with the letter after each, to be compared; None for what is none.

    Epoch and revision of a distribution are not the vendor's and are left out; so are zeros at the
    end.
    """
    found = _VERSION.fullmatch(str(version).strip())
    if found is None:
        return None
    parts = [[int(number), letter] for number, letter in _PART.findall(found[1])]
    while len(parts) > 1 and parts[-1] == [0, ""]:
        parts.pop()
    return parts


def package_file(package: Entry) -> str:
    """The name of the operator's file, without the folder or the address that it is at."""
    source = package.get("file") or urlsplit(str(package.get("url") or "")).path
    return str(source).rpartition("/")[2]


def package_method(package: Entry) -> str | None:
    """How the file is installed; None where nobody has said."""
    name = package_file(package)
    if package.get("command") and package.get("version_command"):
        return "command"
    if name.endswith((".deb", ".rpm")):
        return name[-3:]
    return "chaos" if _CHAOS_INSTALLER.fullmatch(name) else None


def server_limits(entries: list[Entry], known_ports: dict[str, list[str]]) -> list[Entry]:
    """Each port that is limited, with all networks that any of the entries lets in."""
    allowed: dict[str, set[str]] = {}
    for entry in entries:
        if entry.get("allow_from") is None:
            continue
        networks = {
            str(ipaddress.ip_network(str(text), strict=False)) for text in entry["allow_from"]
        }
        for port in entry.get("ports") or known_ports[entry["vendor"]]:
            allowed.setdefault(port, set()).update(networks)
    return [
        {"port": port.partition("/")[0], "protocol": port.partition("/")[2], "networks": networks}
        for port, networks in sorted((port, sorted(found)) for port, found in allowed.items())
    ]


def server_mistakes(entries: list[Entry], connection_port: t.Any) -> list[str]:
    """What cannot be meant by the entries for one host, as sentences; nothing was done yet.

    ``connection_port`` is the one by which Ansible reaches the host, which no entry may limit.
    """
    found: list[str] = []
    packaged: set[str] = set()
    for entry in entries:
        vendor = entry["vendor"]
        mistakes = entry_mistakes(entry, str(connection_port))
        if entry.get("package") and vendor in packaged:
            mistakes.append("has a package in two entries for one host; leave one")
        if entry.get("package"):
            packaged.add(vendor)
        found += [
            f"license_server_configs of {vendor} {text}. Nothing was done here."
            for text in mistakes
        ]
    return found


def entry_mistakes(entry: Entry, connection_port: str) -> list[str]:
    """What cannot be meant by one entry, as clauses that follow its place."""
    mistakes = _list_mistakes(entry)
    if mistakes:
        return mistakes
    mistakes = _package_mistakes(entry) if entry.get("package") else _unused(entry)
    return mistakes + _member_mistakes(entry) + _limit_mistakes(entry, connection_port)


def _list_mistakes(entry: Entry) -> list[str]:
    package = entry.get("package") or {}
    members = {
        "ports": entry.get("ports"),
        "allow_from": entry.get("allow_from"),
        "package.command": package.get("command"),
        "package.version_command": package.get("version_command"),
    }
    return [
        f"has {name} as one text; write a list"
        for name, value in members.items()
        if value is not None and not isinstance(value, list)
    ]


def _member_mistakes(entry: Entry) -> list[str]:
    vendor = entry["vendor"]
    mistakes = []
    if vendor != "chaos" and entry.get("dongle_service"):
        mistakes.append("has a dongle_service, which only chaos has")
    if vendor == "aimms":
        if entry.get("settings"):
            mistakes.append("has settings, which nobody can write for aimms")
        if entry.get("state") and not entry.get("unit"):
            mistakes.append("has a state, but no unit to start or stop; name it in unit")
    return mistakes


def _unused(entry: Entry) -> list[str]:
    mistakes = []
    if entry.get("version_max") is not None:
        mistakes.append("has a version_max, but no package that it could be held against")
    if entry.get("version_min") is not None and entry["vendor"] != "chaos":
        mistakes.append(
            "has a version_min, but no package: nobody else tells which version is there"
        )
    return mistakes + _text_mistakes(entry, ("version_min", "version_max"))


def _text_mistakes(members: Entry, names: tuple[str, ...]) -> list[str]:
    mistakes = []
    for name in names:
        value = members.get(name)
        if value is None:
            continue
        if isinstance(value, (int, float)):
            mistakes.append(
                f"has {name} {value} without quotes, so 9.10 is read as 9.1; put it in quotes"
            )
        elif version_parts(value) is None:
            mistakes.append(f"has {name} {value}, which is no version such as 9.10.7777.500")
    return mistakes


def _package_mistakes(entry: Entry) -> list[str]:
    package = entry["package"]
    mistakes = _text_mistakes(entry, ("version_min", "version_max"))
    mistakes += _text_mistakes(package, ("version",))
    if not mistakes:
        mistakes += _range_mistakes(entry)
    if ("file" in package) == ("url" in package):
        mistakes.append("has a package with both file and url or with neither; name one of them")
    elif not _FILE.fullmatch(package_file(package)):
        mistakes.append(f"has a package whose file name '{package_file(package)}' nobody can use")
    else:
        mistakes += _method_mistakes(entry)
    if "@" in urlsplit(str(package.get("url") or "")).netloc:
        mistakes.append("has a password in its package.url, which would be shown; use one without")
    if not _CHECKSUM.fullmatch(str(package.get("checksum"))):
        mistakes.append("has a package.checksum that is not sha256: and 64 hexadecimal digits")
    if package.get("name") and not _PACKAGE.fullmatch(package["name"]):
        mistakes.append(f"has a package.name '{package['name']}' that no package has")
    return mistakes


def _range_mistakes(entry: Entry) -> list[str]:
    version = entry["package"]["version"]
    parts = version_parts(version) or []
    low, high = entry.get("version_min"), entry.get("version_max")
    mistakes = []
    if low is not None and parts < (version_parts(low) or []):
        mistakes.append(f"has a package of version {version}, below version_min {low}")
    if high is not None and parts > (version_parts(high) or []):
        mistakes.append(f"has a package of version {version}, above version_max {high}")
    return mistakes


def _method_mistakes(entry: Entry) -> list[str]:
    package = entry["package"]
    if bool(package.get("command")) != bool(package.get("version_command")):
        return ["has one of package.command and package.version_command; it takes both"]
    method = package_method(package)
    if method is None:
        mistakes = (
            f"has a package {package_file(package)} that is no .deb, no .rpm and no installer of"
        )
        return [f"{mistakes} Chaos; it takes package.command and package.version_command"]
    if method == "chaos" and entry["vendor"] != "chaos":
        return [f"has a package {package_file(package)}, which is an installer of chaos"]
    if method in ("deb", "rpm") and not package.get("name"):
        return [f"has a .{method}; set package.name as the file tells it, since no vendor does"]
    return []


def _moved_ports(entry: Entry) -> list[str]:
    settings = entry.get("settings") or {}
    mistakes = []
    for (section, key), documented in _PORT_SETTINGS.get(entry["vendor"], {}).items():
        value = (settings.get(section) or {}).get(key)
        if value is not None and str(value) != documented:
            mistakes.append(
                f"sets {section}.{key} to {value} and limits another port; name all in ports"
            )
    return mistakes


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _limit_mistakes(entry: Entry, connection_port: str) -> list[str]:
    ports, networks = entry.get("ports"), entry.get("allow_from")
    mistakes = []
    if ports and networks is None:
        mistakes.append("has ports, but no allow_from that says who reaches them")
    if networks is not None and not ports:
        mistakes += _moved_ports(entry)
    for port in ports or ():
        found = _PORT.fullmatch(str(port))
        if found is None or not 0 < int(found[1]) <= _PORT_MAX:
            mistakes.append(f"has a port {port}, which is not written as 22350/tcp or 22350/udp")
        elif port in ("22/tcp", f"{connection_port}/tcp"):
            mistakes.append(f"limits the port {port}, by which you reach the host itself")
    return mistakes + [
        f"lets {network} in, which is no network such as 10.20.0.0/16"
        for network in networks or ()
        if not _is_network(str(network))
    ]
