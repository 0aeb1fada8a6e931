# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of Sphinx for the documentation site; `build.sh` beside this file runs it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]

project = "Seatkeeper"
release = version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
author = "Seatkeeper maintainers"
language = "en"

extensions = ["myst_parser", "sphinx_antsibull_ext"]
myst_heading_anchors = 3
# A fence without a language is a command or a picture made of characters.
highlight_language = "text"

html_theme = "furo"
html_title = f"Seatkeeper {release}"
html_short_title = "Seatkeeper"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_use_index = False
html_theme_options: dict[str, Any] = {"top_of_page_buttons": []}
pygments_style = "tango"
pygments_dark_style = "native"

# What the pages of modules refer to in Ansible's own documentation, which is not asked for here.
ANSIBLE = "https://docs.ansible.com/ansible/latest/"
ANSIBLE_PAGES = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "callback_plugins": "plugins/callback.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}
ANSIBLE_PLUGIN = re.compile(r"ansible_collections\.ansible\.builtin\.(\w+)")


def ansible_page(
    _app: Sphinx, _env: Any, node: nodes.Element, content: nodes.TextElement
) -> nodes.reference | None:
    """A link to Ansible's documentation; None for what is not known there, which is an error."""
    target = node["reftarget"]
    plugin = ANSIBLE_PLUGIN.fullmatch(target)
    page = f"collections/ansible/builtin/{plugin[1]}.html" if plugin else ANSIBLE_PAGES.get(target)
    return nodes.reference("", "", content, refuri=f"{ANSIBLE}{page}") if page else None


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("missing-reference", ansible_page)
