# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages with the documented labels in other clothes than the twin's, and with traps."""

from __future__ import annotations

FRAME = """<!doctype html><html><head><title>t</title><style>
.loud {{ text-transform: uppercase }} [hidden] {{ display: none }}</style></head>
<body>{body}<script>
const told = what => fetch("/" + what, {{method: "POST"}});
const late = what => fetch("/asked-before-" + what).then(() => told(what));
const by = id => document.getElementById(id);
{script}
</script></body></html>"""


def page(body: str, script: str = "") -> bytes:
    """A whole page; ``told("x")`` in its script posts to /x, ``late("x")`` asks something first."""
    return FRAME.format(body=body, script=script).encode()


DIALOG = page(
    """
<nav><span class="loud" id="menu">Dongle</span>
<div role="menu" id="items" hidden>
<a role="menuitem" href="#" class="loud" id="open">Transfer</a></div>
</nav>
<button onclick="told('wrong')">CLOSE</button>
<div role="dialog" id="dialog" hidden><button onclick="told('too-early')" id="x">Close</button>
<div id="form"><input id="name" aria-label="To whom"> <i id="tick"></i>
<button id="go" class="loud">Transfer &gt;&gt;</button></div>
<p id="wait" hidden>please wait</p></div>
""",
    """
by("menu").onclick = () => { by("items").hidden = false };
by("open").onclick = () => { by("dialog").hidden = false };
const tick = () => { by("tick").textContent = "\\u2714\\ufe0f" };
by("name").onchange = () => setTimeout(tick, 300);
by("go").onclick = () => {
  told("go-" + by("name").value);
  setTimeout(() => {
    for (const id of ["form", "wait", "x"]) by(id).hidden = id != "wait";
  }, 600);
  setTimeout(() => { by("x").hidden = false; by("x").onclick = () => late("closed") }, 1200);
};
""",
)
"""The label in other letters, in a menu, in a dialog that shows CLOSE all the time."""

_FORM = '<button onclick="by(\'form\').hidden = false">TRANSFER</button><div id="form" hidden>'
_TICKS = "for (const field of document.querySelectorAll('input'))\n"
_TICKS += "  field.onchange = () => { by('tick').textContent = '\\u2713' };"


def transfer_page(rest: str, tick: str = "") -> bytes:
    """A transfer whose form ends with ``rest``."""
    return page(f'{_FORM}<input name="user"><i id="tick">{tick}</i>{rest}</div>', _TICKS)


GO = "<button onclick=\"told('go')\">TRANSFER &gt;&gt;</button>"
TWICE = transfer_page(GO + GO)
DISABLED = transfer_page("<button disabled>TRANSFER &gt;&gt;</button>")
TWO_FIELDS = transfer_page('<input name="other">' + GO)
TICKED_ALREADY = transfer_page(GO, tick="✓")
ANOTHER_BUTTON = transfer_page("<button onclick=\"told('go')\">TRANSFER NOW</button>")

LISTS = page(
    """
<a href="#">Online Licensing</a>
<table><tr><td>V-Ray</td><td>4 interface</td></tr><tr><td>Corona</td><td>1</td></tr></table>
<table>
<tr><th>Product</th><th>Count</th><th>Expires</th><th></th></tr>
<tr><td>Phoenix</td><td>2</td><td>2026-12-05 10:00 UTC</td>
  <td><label><input type="checkbox" checked>AUTO-RENEW</label></td>
  <td><button onclick="late('release'); this.closest('tr').remove()">RELEASE</button></td></tr>
<tr><td>Phoenix</td><td>3</td><td>2026-12-04T10:00:00+02:00</td>
  <td><label><input type="checkbox" checked>AUTO-RENEW</label></td>
  <td><button onclick="late('release'); this.closest('tr').remove()">RELEASE</button></td></tr>
<tr><td>Corona</td><td>1</td><td>next Friday, 10:00</td>
  <td><button>AUTO-RENEW</button></td><td><a href="#" class="loud">Release</a></td></tr>
<tr><td>Vantage</td><td>some</td><td></td><td></td><td><button>RELEASE</button></td></tr>
</table>
"""
)
"""Two borrows of one product, one whose state is not shown, and a product that is not borrowed."""

RENEWED = page(
    """
<a href="#">Online Licensing</a>
<table><tr><td>Phoenix</td><td>2</td><td>2026-12-05 10:00 UTC</td>
  <td><label><input type="checkbox" onclick="late('renew')">AUTO-RENEW</label></td>
  <td><button>RELEASE</button></td></tr></table>
"""
)
"""A switch that stands as it was clicked before the server knows."""
