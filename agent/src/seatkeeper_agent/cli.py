# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: serve, and look at an agent that serves.

What a command needs is imported where it needs it, so that ``--help`` answers at once, and
``relay``, which Ansible starts for each request, costs little more than the interpreter.
"""

from __future__ import annotations

import os
import sys

from seatkeeper_agent import __version__

TYPE_CHECKING = False  # typing's own would have all of it imported
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import Any

    from seatkeeper_agent.settings import Settings

DEFAULT_CONFIG = "/etc/seatkeeper/agent.toml"


class Fault(Exception):
    """What stops a command, in one sentence with what to do."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when all is well, 1 when something is wrong, 2 for bad usage."""
    try:
        try:
            return _run(arguments)
        finally:
            # Here, where it can be told, and not when the interpreter ends.
            sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        from seatkeeper_agent.printable import complain

        where = error.filename or "The output"
        complain(f"{where} cannot be used: {error.strerror}.")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(arguments: list[str] | None) -> int:
    words = sys.argv[1:] if arguments is None else arguments
    if words[:2] == ["relay", "--socket"] and len(words) == 3:
        # As the controller writes it: the parser alone would take as long as all the rest.
        return _relayed(words[2])
    options = make_parser().parse_args(words)
    from seatkeeper_agent.host import HostUnsupported
    from seatkeeper_agent.journal import JournalError
    from seatkeeper_agent.journal.migrations import JournalTooNew
    from seatkeeper_agent.settings import SettingsError

    try:
        command: Callable[[argparse.Namespace], int] = options.command
        return command(options)
    except (Fault, HostUnsupported, SettingsError, JournalError, JournalTooNew) as error:
        from seatkeeper_agent.printable import complain

        complain(error)
        return 1


def make_parser() -> argparse.ArgumentParser:
    """All commands and options; also what shell completion is made from."""
    import argparse
    from pathlib import Path

    parser = argparse.ArgumentParser(
        prog="seatkeeper-agent",
        description="Owns the license servers and dongles of this host.",
        epilog="Try: seatkeeper-agent doctor",
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument(
        "--config",
        default=os.environ.get("SEATKEEPER_CONFIG", DEFAULT_CONFIG),
        metavar="FILE",
        help="the settings (default: $SEATKEEPER_CONFIG or %(default)s)",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(name: str, command: Callable[[argparse.Namespace], int], text: str) -> Any:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(command=command)
        return added

    add("serve", _serve, "answer on the unix socket until stopped")
    status = add("status", _status, "show what the running agent holds and what waits")
    status.add_argument("--json", action="store_true", help="for programs")
    waiting = add("waiting", _waiting, "list the steps that wait for a person or the vendor")
    waiting.add_argument("--json", action="store_true", help="for programs")
    attest = add("attest", _attest, "give your word on a step that nothing can show")
    attest.add_argument("operation", metavar="OPERATION", help="its id, as waiting lists it")
    attest.add_argument(
        "outcome",
        choices=("done", "not_done", "settled"),
        help="whether the step happened; settled: what went back in time counts as it is now",
    )
    attest.add_argument("statement", metavar="STATEMENT", help="how you know, for the audit")
    attest.add_argument(
        "--step", help="the step, as waiting lists it: refused if another one waits by now"
    )
    doctor = add("doctor", _doctor, "check settings, state folder, key, trust, product and socket")
    doctor.add_argument("--json", action="store_true", help="for programs")
    key = add("key", _key, "print the public key that other hosts put into their trust folder")
    key.add_argument(
        "--fingerprint", action="store_true", help="print it in short, as an inventory declares it"
    )
    backup = add("journal-backup", _backup, "copy the journal, while the agent runs or not")
    backup.add_argument("file", type=Path, metavar="FILE", help="the copy; it must not exist")
    begin = add("begin-journal", _begin_journal, "begin anew where the journal is lost for good")
    begin.add_argument("statement", metavar="STATEMENT", help="why, for the audit")
    relay = add("relay", _relay, "carry one request of a controller to an agent; Ansible runs it")
    relay.add_argument("--socket", required=True, metavar="FILE", help="the agent's socket")
    add("openapi", _openapi, "print the description of the API")
    completion = add("completion", _completion, "print a completion script for a shell")
    completion.add_argument("shell", choices=("bash", "zsh", "fish", "tcsh"))
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    from pathlib import Path

    from seatkeeper_agent.settings import load

    return load(Path(options.config))


def _serve(options: argparse.Namespace) -> int:
    from seatkeeper_agent.api.server import serve

    os.umask(0o077)
    serve(_settings(options))
    return 0


def _key(options: argparse.Namespace) -> int:
    from seatkeeper_agent.identity import IdentityError
    from seatkeeper_agent.state import make_identity

    os.umask(0o077)
    settings = _settings(options)
    folder = settings.state_folder
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        identity = make_identity(settings.name, folder)
        key_text = f"{identity.fingerprint}\n" if options.fingerprint else identity.public_pem
    except OSError as error:
        raise Fault(
            f"The state folder {folder} cannot be used: {error.strerror}."
            " Run this as the agent's user."
        ) from error
    except IdentityError as error:
        raise Fault(str(error)) from error
    print(key_text, end="")
    return 0


def _begin_journal(options: argparse.Namespace) -> int:
    import getpass

    from seatkeeper_agent.state import begin_journal

    os.umask(0o077)
    begin_journal(_settings(options), getpass.getuser(), options.statement)
    print("A new journal was begun. Other agents report what the lost one had signed.")
    return 0


def _backup(options: argparse.Namespace) -> int:
    from seatkeeper_agent.journal.backup import back_up

    back_up(_settings(options).state_folder / "journal.db", options.file)
    return 0


def _relay(options: argparse.Namespace) -> int:
    return _relayed(options.socket)


def _relayed(socket_path: str) -> int:
    from seatkeeper_agent import relay

    return relay.main(socket_path)


def _openapi(_options: argparse.Namespace) -> int:
    import json

    from seatkeeper_agent.api.app import create_app

    print(json.dumps(create_app(None).openapi(), indent=2))
    return 0


def _completion(options: argparse.Namespace) -> int:
    import shtab

    print(shtab.complete(make_parser(), options.shell))
    return 0


def _status(options: argparse.Namespace) -> int:
    from seatkeeper_agent import status

    return status.show(_settings(options), as_json=options.json)


def _waiting(options: argparse.Namespace) -> int:
    from seatkeeper_agent import status

    return status.show_waiting(_settings(options), as_json=options.json)


def _attest(options: argparse.Namespace) -> int:
    from seatkeeper_agent import status

    return status.attest(
        _settings(options), options.operation, options.outcome, options.statement, options.step
    )


def _doctor(options: argparse.Namespace) -> int:
    from seatkeeper_agent import doctor

    return doctor.show(_settings(options), as_json=options.json)
