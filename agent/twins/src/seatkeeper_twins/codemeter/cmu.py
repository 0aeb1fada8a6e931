# SPDX-License-Identifier: GPL-3.0-or-later
"""The twin's `cmu`: the documented options and texts; what lies between them is the twin's own.

As with the product, the exit code does not tell that the daemon is down (grade T), and --import
exits non-zero on failure.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from seatkeeper_twins.codemeter import control

_HELP = """\
Usage: cmu [options]

  --help                 show this help (-h)
  --version              show the version (-v)
  --list                 list all locally connected CmContainers (-l)
  --list-content         list the content of the CmContainers (-x)
  --list-server          list the CodeMeter license servers (-k)
  --list-network         list the license use (-n)
  --server               with --list-network: ask this server
  --all-servers          with --list-network: ask all servers
  --firmcode             with --list-network: only this Firm Code
  --productcode          with --list-network: only this Product Code
  --featuremap           with --list-network: only this Feature Map
  --import               import an update file (-i)
  --context              write a context file, or the receipt (-c)
  --serial               choose a CmContainer
  --file                 the file to read or to write (-f)
"""
_FILE_BYTES_MAX = 1 << 20


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        print(f"Error: {message}", file=sys.stderr)
        raise SystemExit(1)


def main(directory: Path, arguments: list[str]) -> int:
    """Run `cmu` for the engine in a twin directory; gives back the exit code."""
    chosen = _parser().parse_args(arguments)
    run = chosen.run if chosen.context is None else _context
    if chosen.help or run is None:
        print(_HELP, end="")
        return 0
    try:
        return int(run(directory, chosen) or 0)
    except ConnectionError:
        print("The CodeMeter License Server is not running.")
        return 1 if run is _import else 0
    except OSError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="cmu", add_help=False, allow_abbrev=False)
    parser.set_defaults(run=None)
    parser.add_argument("-h", "--help", action="store_true")
    for names, run in (
        (("-v", "--version"), _version),
        (("-l", "--list"), _list),
        (("-x", "--list-content"), _list_content),
        (("-k", "--list-server"), _list_server),
        (("-n", "--list-network"), _list_network),
        (("-i", "--import"), _import),
    ):
        parser.add_argument(*names, action="store_const", dest="run", const=run)
    parser.add_argument("-c", "--context", type=int, metavar="FIRMCODE")
    parser.add_argument("-f", "--file", type=Path)
    parser.add_argument("--serial")
    parser.add_argument("--server")
    parser.add_argument("--all-servers", action="store_true")
    for name in ("--firmcode", "--productcode", "--featuremap"):
        parser.add_argument(name, type=int)
    return parser


def _containers(directory: Path, chosen: argparse.Namespace) -> list[dict[str, Any]]:
    shown = control.send(directory, {"op": "describe"})
    return [
        container
        for container in shown["containers"]
        if chosen.serial in (None, container["serial"])
    ]


def _version(directory: Path, _chosen: argparse.Namespace) -> None:
    version = control.send(directory, {"op": "describe"})["version"]
    print(f"cmu - CodeMeter Universal Support Tool (twin), Version {version}")


def _list(directory: Path, chosen: argparse.Namespace) -> None:
    found = _containers(directory, chosen)
    print("List all locally connected CmContainers:\n")
    for container in found:
        print(
            f"  CmContainer with Serial Number {container['serial']}"
            f" and version {container['firmware']}"
        )
    print(f"\nResult: {len(found)} CmContainer(s) listed.")


def _list_content(directory: Path, chosen: argparse.Namespace) -> None:
    certified = control.send(directory, {"op": "describe"})["certified_time"]
    for container in _containers(directory, chosen):
        print(f"CmContainer with Serial Number {container['serial']}")
        print(f"  Certified Time: {_moment(certified)}")
        for firm in container["firm_items"]:
            print(f"  FC={firm['firm_code']}  {firm['text']}")
            for item in container["items"]:
                if item["firm_code"] == firm["firm_code"] and item["status"] == "enabled":
                    _print_item(item)


def _print_item(item: dict[str, Any]) -> None:
    print(f"    PC={item['product_code']}")
    print(f"      Name: {item['name']}")
    for key, title in (("license_quantity", "License Quantity"), ("unit_counter", "Unit Counter")):
        if item[key] is not None:
            print(f"      {title}: {item[key]}")
    if item["expires_at"] is not None:
        print(f"      Expiration Date: {_moment(item['expires_at'])}")


def _list_server(directory: Path, _chosen: argparse.Namespace) -> None:
    control.send(directory, {"op": "describe"})
    print("List all CodeMeter license servers:\n\n  localhost")


def _list_network(directory: Path, chosen: argparse.Namespace) -> None:
    """Nothing is ever in use, because a twin serves no seat."""
    for container in _containers(directory, chosen):
        for item in container["items"]:
            wanted = (
                chosen.firmcode in (None, item["firm_code"])
                and chosen.productcode in (None, item["product_code"])
                and chosen.featuremap in (None, item["feature_map"])
            )
            if wanted and item["status"] == "enabled":
                print(
                    f"{container['serial']} FC={item['firm_code']} PC={item['product_code']}"
                    f" Used=0 Total={item['license_quantity'] or 0}"
                )


def _import(directory: Path, chosen: argparse.Namespace) -> int:
    if chosen.file is None:
        print("Error: --import needs --file", file=sys.stderr)
        return 1
    with chosen.file.open("rb") as file:
        content = file.read(_FILE_BYTES_MAX)
    answer, _ = control.exchange(directory, {"op": "import"}, content)
    return _outcome(answer, f"{chosen.file} imported.")


def _context(directory: Path, chosen: argparse.Namespace) -> int:
    if chosen.file is None or chosen.serial is None:
        print("Error: --context needs --file and --serial", file=sys.stderr)
        return 1
    request = {"op": "context", "firm_code": chosen.context, "serial": chosen.serial}
    answer, content = control.exchange(directory, request, None)
    if "error" not in answer:
        chosen.file.write_bytes(content)
    return _outcome(answer, f"{chosen.file} written.")


def _outcome(answer: dict[str, Any], done: str) -> int:
    if "error" in answer:
        print(f"{answer['reason']}, Error {answer['error']}")
        return 1
    print(done)
    return 0


def _moment(seconds: int | None) -> str:
    if seconds is None:
        return "-"
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
