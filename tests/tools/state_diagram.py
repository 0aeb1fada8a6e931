# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw the states of a transfer from the table that the agent enforces, one picture for each side.

Where a state stands is set here by hand; which arrows there are is not. `--check` compares the
pictures in docs/ with the table and fails when they are stale.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from xml.sax.saxutils import escape

from seatkeeper_agent.domain.transfers import TRANSITIONS, Side, State

DOCS = Path(__file__).resolve().parents[2] / "docs"
Point = tuple[float, float]

# Columns and rows, from the top left.
PLACES: dict[Side, dict[State, Point]] = {
    Side.SOURCE: {
        State.NONE: (0, 0),
        State.CREATED: (0.8, 0),
        State.DEBITING: (1.8, 0),
        State.IN_TRANSIT: (2.8, 0),
        State.RECEIPTED: (3.95, 0),
        State.VOID: (0.8, 1),
        State.CREDITING_BACK: (2.8, 1),
    },
    Side.TARGET: {
        State.VOID: (1.3, 0),
        State.NONE: (0, 1),
        State.REQUESTED: (0.8, 1),
        State.ACCEPTED: (1.8, 1),
        State.CREDITING: (2.8, 1),
        State.TRANSFERRED: (3.8, 1),
        State.RECEIPTED: (5.05, 1),
        State.REFUSED: (1.3, 2),
    },
}
# While these stand an effect may have happened, so that a crash is followed by a probe.
EFFECTS = {State.DEBITING, State.CREDITING, State.CREDITING_BACK}

COLUMN, ROW, MARGIN = 140, 80, 34
BOX_HEIGHT, DOT = 34, 7
LETTER, PADDING = 7.3, 14
BULGE = 26
STYLE = """
  .card { fill: #ffffff; stroke: #d0d4da; }
  .box { fill: #f3f5f8; stroke: #5b6470; }
  .effect { fill: #fff4d6; stroke: #9a6b00; }
  .settled { fill: #e3f3e6; stroke: #2f7a3d; }
  .start, .head { fill: #333a44; }
  .arrow { fill: none; stroke: #333a44; stroke-width: 1.3; }
  .back { stroke-dasharray: 5 4; }
  text { font: 13px sans-serif; fill: #1c2128; text-anchor: middle; dominant-baseline: central; }
"""


def center(side: Side, state: State) -> Point:
    """The middle of a state's box; KeyError for one that has no place yet."""
    column, row = PLACES[side][state]
    return MARGIN + column * COLUMN, MARGIN + row * ROW


def half_width(state: State) -> float:
    """Half the width of a state's box."""
    return DOT if state is State.NONE else len(state.value) * LETTER / 2 + PADDING


def border(side: Side, state: State, towards: Point) -> Point:
    """Where a line from the middle of a box towards a point leaves the box."""
    x, y = center(side, state)
    dx, dy = towards[0] - x, towards[1] - y
    half_height = DOT if state is State.NONE else BOX_HEIGHT / 2
    across = half_width(state) / abs(dx) if dx else math.inf
    along = half_height / abs(dy) if dy else math.inf
    share = min(across, along)
    return x + dx * share, y + dy * share


def box(side: Side, state: State) -> str:
    """A state; what was never there is a dot."""
    x, y = center(side, state)
    if state is State.NONE:
        return f'<circle class="start" cx="{x:.0f}" cy="{y:.0f}" r="{DOT}"/>'
    kind = "effect" if state in EFFECTS else "settled" if state.is_settled else "box"
    half = half_width(state)
    return (
        f'<rect class="{kind}" x="{x - half:.0f}" y="{y - BOX_HEIGHT / 2:.0f}"'
        f' width="{2 * half:.0f}" height="{BOX_HEIGHT}" rx="6"/>'
        f'<text x="{x:.0f}" y="{y:.0f}">{state.value}</text>'
    )


def arrow(side: Side, before: State, after: State) -> str:
    """A change of state; two that undo each other bend apart, the way back is dashed."""
    start, end = center(side, before), center(side, after)
    kind = "arrow"
    line = "L"
    leaves, enters = end, start
    if before in TRANSITIONS[side].get(after, frozenset()):
        length = math.dist(start, end)
        middle = (
            (start[0] + end[0]) / 2 + BULGE * (end[1] - start[1]) / length,
            (start[1] + end[1]) / 2 + BULGE * (start[0] - end[0]) / length,
        )
        leaves = enters = middle
        line = f"Q{middle[0]:.1f} {middle[1]:.1f} "
        kind = "arrow back" if before in EFFECTS else "arrow"
    tail, head = border(side, before, leaves), border(side, after, enters)
    return (
        f"<g><title>{before.value} to {after.value}</title>"
        f'<path class="{kind}" marker-end="url(#head)" d="M{tail[0]:.1f} {tail[1]:.1f}'
        f' {line}{head[0]:.1f} {head[1]:.1f}"/></g>'
    )


def drawing(side: Side) -> str:
    """The picture of one side."""
    places = PLACES[side]
    right = max(center(side, state)[0] + half_width(state) for state in places)
    bottom = max(center(side, state)[1] for state in places)
    size = (round(right + MARGIN), round(bottom + MARGIN))
    changes = [
        (before, after)
        for before, following in TRANSITIONS[side].items()
        for after in sorted(following)
    ]
    title = escape(f"States of a transfer at the {side.value}")
    head = (
        '<marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7"'
        ' orient="auto"><path class="head" d="M0 0 L8 4 L0 8 z"/></marker>'
    )
    lines = [
        "<!-- SPDX-License-Identifier: GPL-3.0-or-later -->",
        "<!-- Made by tests/tools/state_diagram.py from the agent's table of states. -->",
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {size[0]} {size[1]}">',
        f"<title>{title}</title>",
        f"<style>{STYLE}</style>",
        f"<defs>{head}</defs>",
        f'<rect class="card" width="{size[0]}" height="{size[1]}" rx="8"/>',
        *(arrow(side, before, after) for before, after in changes),
        *(box(side, state) for state in sorted(places)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the pictures, or with --check say which ones are stale; 1 if one is."""
    stale = 0
    for side in Side:
        path = DOCS / f"transfer-states-{side.value}.svg"
        picture = drawing(side)
        if "--check" not in sys.argv[1:]:
            path.write_text(picture, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != picture:
            print(f"{path.name} is stale: run .venv/bin/python tests/tools/state_diagram.py")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
