# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the list of all variables that the collection reads, or check that it is current.

What a role or a playbook declares, defaults, registers, sets or names in a template is read by its
name, and a host that returns a fact of that name would outrank the inventory. The list is made from
the files, so that a new name cannot be forgotten. Usage: read_names.py [--check]
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, TemplateSyntaxError, meta, nodes

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "plugins" / "plugin_utils" / "_read_names.py"
ROLES = ROOT / "roles"
# A name of one of these forms is one of the collection's, also where it is a text in a template.
OWN = re.compile(r"\b(?:license|seatkeeper|phone|dongle_migration)_[a-z0-9_]+\b")
FILTER = re.compile(r"seatkeeper\.licensing\.[a-z_]+")
# ansible-core sets these after all facts, so that none can take their place.
MAGIC = frozenset(
    {
        "ansible_check_mode",
        "ansible_diff_mode",
        "ansible_facts",
        "ansible_play_hosts",
        "ansible_play_hosts_all",
        "ansible_playbook_python",
        "groups",
        "hostvars",
        "inventory_hostname",
        "omit",
        "playbook_dir",
        "role_path",
    }
)
# ansible-core takes these out of facts, or they are the host's own to say.
CONNECTION = frozenset({"ansible_port", "ansible_connection", "ansible_python_interpreter"})
HEAD = '''# SPDX-License-Identifier: GPL-3.0-or-later
"""All variables that the collection reads; tests/tools/read_names.py writes this file."""

from __future__ import annotations

NAMES = frozenset(
    {
'''


def declared_names() -> set[str]:
    """Options of argument specs, defaults and variables of roles."""
    found: set[str] = set()
    for path in sorted(ROLES.glob("*/meta/argument_specs.yml")):
        specs = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]
        for spec in specs.values():
            found |= set(spec["options"])
    for path in sorted([*ROLES.glob("*/defaults/*.yml"), *ROLES.glob("*/vars/*.yml")]):
        found |= set(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    return found


def used_names() -> set[str]:
    """What tasks, templates, playbooks and variables read, register and set."""
    found: set[str] = set()
    parts = ("tasks", "handlers", "vars", "defaults")
    files = [path for part in parts for path in ROLES.glob(f"*/{part}/*.yml")]
    for path in sorted([*files, *(ROOT / "playbooks").glob("*.yml")]):
        for key, value in _leaves(yaml.safe_load(path.read_text(encoding="utf-8"))):
            if key in ("register", "loop_var", "index_var"):
                found.add(str(value))
            found |= _names_in(str(value), is_bare=key in _BARE)
    for path in sorted(ROLES.glob("*/templates/*.j2")):
        found |= _names_in(path.read_text(encoding="utf-8"), is_bare=False)
    return found


_BARE = ("when", "that", "changed_when", "failed_when", "until", "break_when")


def _leaves(tree: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Each single value with the key that it stands under; names that are set are values too."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if key in ("vars", "ansible.builtin.set_fact"):
                yield "register", name
            yield from _leaves(value, str(name))
    elif isinstance(tree, list):
        for value in tree:
            yield from _leaves(value, key)
    elif tree is not None:
        yield key, tree


def _names_in(text: str, is_bare: bool) -> set[str]:
    """The variables of a template; conditions are expressions without braces."""
    if not is_bare and "{{" not in text and "{%" not in text:
        return set()
    own = set(OWN.findall(FILTER.sub("", text)))
    bare = is_bare and "{{" not in text
    environment = Environment(autoescape=True)
    environment.globals = {}
    try:
        parsed = environment.parse("{{ " + text + " }}" if bare else text)
    except TemplateSyntaxError as problem:
        raise SystemExit(f"read_names: {text!r} is no template: {problem}") from problem
    # Nothing is rendered, so a filter or test of any name may be anything.
    environment.filters |= {node.name: _anything for node in parsed.find_all(nodes.Filter)}
    environment.tests |= {node.name: _anything for node in parsed.find_all(nodes.Test)}
    return own | meta.find_undeclared_variables(parsed)


def _anything(_value: object) -> bool:
    return True


def names() -> list[str]:
    """All names, in the order of the alphabet."""
    functions = {"lookup", "query", "q", "now", "range", "dict", "undef"}
    # A variable of one expression is none of the host's.
    found = {name for name in declared_names() | used_names() if not name.startswith("_")}
    return sorted(found - MAGIC - CONNECTION - functions)


def rendered() -> str:
    """The file as it has to be."""
    return HEAD + "".join(f'        "{name}",\n' for name in names()) + "    }\n)\n"


def main() -> int:
    """Write the list; with --check return 1 where it is not current."""
    if sys.argv[1:] == ["--check"]:
        if LIST.read_text(encoding="utf-8") == rendered():
            return 0
        print("read_names: the list of names is not current: run tests/tools/read_names.py")
        return 1
    LIST.write_text(rendered(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
