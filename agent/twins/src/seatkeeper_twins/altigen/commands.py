# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of the AltiGen twin: run it, look at it, disturb it, stand in for the people."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from seatkeeper_twins.altigen import people, twin
from seatkeeper_twins.altigen.models import DOCUMENTS
from seatkeeper_twins.parts.commands import add, add_address, add_disturbing, read_seed
from seatkeeper_twins.parts.listening import listen, write_port
from seatkeeper_twins.parts.process import only_process
from seatkeeper_twins.parts.store import STATE_NAME

AT = "the twin's control address"


def fill(parser: argparse.ArgumentParser) -> None:
    """Add all commands to a parser."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = add(commands, "serve", "run mailbox and desk until SIGTERM", _serve)
    serve.add_argument("--dir", type=Path, required=True, help="its folder, made when it is new")
    serve.add_argument(
        "--seed", type=Path, metavar="FILE", help="for a new folder: JSON, described at the head of"
        " seatkeeper_twins/altigen/seed.py (default: three systems of the demo)",
    )  # fmt: skip
    _fill_people(commands)
    add_disturbing(commands, at=AT, example="conduct=late", status="SMTP status")


def _fill_people(commands: Any) -> None:
    case = add(commands, "case", "open a support case and print its number", _case)
    case.add_argument("system", help="the target's system key")
    case.add_argument("--upgrade", action="store_true", help="say that it is one to software-only")
    fax = add(commands, "fax", "fax documents for a case", _fax)
    fax.add_argument("case", help="its number")
    fax.add_argument("documents", nargs="+", choices=DOCUMENTS, help="by name")
    fax.add_argument("--key", action="append", default=[], help="a license key on the form")
    order = add(commands, "purchase-order", "send a no-charge purchase order", _purchase_order)
    order.add_argument("system", help="the software-only system's key")
    note = add(commands, "note", "write into a case, which is looked at again", _note)
    note.add_argument("case", help="its number")
    note.add_argument("text")
    register = add(commands, "register", "register a phone system", _register)
    register.add_argument("system", help="its key")
    register.add_argument("keys", nargs="*", help="license keys to enter")
    for each in (case, fax, order, note, register):
        add_address(each, AT)


def _serve(chosen: argparse.Namespace) -> None:
    if not (chosen.dir / STATE_NAME).exists():
        twin.create_twin(chosen.dir, read_seed(chosen.seed, twin.demo_seed()))
    elif chosen.seed is not None:
        raise ValueError(f"{chosen.dir} holds a twin already: leave out --seed to use it as it is.")
    try:
        from seatkeeper_twins.altigen.mailbox import Mailbox
    except ModuleNotFoundError as error:
        raise ValueError(
            f"The mailbox needs {error.name}: install seatkeeper-agent with its extra twins."
        ) from error
    with only_process(chosen.dir):
        from seatkeeper_twins.altigen.desk import Desk
        from seatkeeper_twins.altigen.routes import routes

        desk = Desk(chosen.dir)
        port = _listen_for_mail(Mailbox(desk), chosen.dir)
        web = listen(chosen.dir, 0, routes(desk))
        print(f"ready {web.address} smtp {port}", flush=True)
        web.run()


def _listen_for_mail(mailbox: Any, folder: Path) -> int:
    """At the port that it had before, if it is free, so that a killed twin is found again."""
    try:
        port: int = mailbox.start(twin.smtp_port(folder) or 0)
    except OSError:
        port = mailbox.start(0)
    write_port(folder / twin.SMTP_PORT_NAME, port)
    return port


def _case(chosen: argparse.Namespace) -> None:
    print(people.open_case(chosen.at, chosen.system, chosen.upgrade))


def _fax(chosen: argparse.Namespace) -> None:
    people.fax(chosen.at, chosen.case, chosen.documents, chosen.key)


def _purchase_order(chosen: argparse.Namespace) -> None:
    people.purchase_order(chosen.at, chosen.system)


def _note(chosen: argparse.Namespace) -> None:
    people.note(chosen.at, chosen.case, chosen.text)


def _register(chosen: argparse.Namespace) -> None:
    print("\n".join(people.register(chosen.at, chosen.system, chosen.keys)))
