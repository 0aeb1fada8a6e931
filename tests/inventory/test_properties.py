# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is written anywhere, it is right or told with its place, and no secret is repeated."""

from __future__ import annotations

import typing as t
from datetime import UTC, date, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet import schema
from inventory.declared import changed, read, right, steps, without

Place = tuple[str | int, ...]

RIGHT = right()
SECRET = "s3cret"  # noqa: S105  # a mark that is looked for, and opens nothing
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**19),
    st.floats(),
    st.text(max_size=20),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    st.sampled_from(["old", "new", "10", "yes", "2027-01-31", "6000010:201", "chaos", "return"]),
    st.sampled_from([date(2027, 1, 31), datetime(2027, 1, 31, tzinfo=UTC), b"x", {1}]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.text(max_size=5), st.booleans(), st.integers()), inner),
    ),
    max_leaves=5,
)


def places(value: t.Any, above: Place = ()) -> t.Iterator[Place]:
    """All places within a value."""
    pairs: t.Iterable[tuple[t.Any, t.Any]] = ()
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    for step, inner in pairs:
        yield (*above, step)
        yield from places(inner, (*above, step))


def written(place: Place) -> str:
    """A place as a sentence names it."""
    found = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return found.removeprefix(".")


PLACES = sorted(map(written, places(RIGHT)))
SECRETS = [
    "license_activations[0].password",
    "license_server_moves[0].licenses[0].code",
]


def require_told_at(place: str, mistakes: list[str]) -> None:
    """That there is no mistake, or each names this variable, and one the key or its entry."""
    variable, *inner = steps(place)
    for sentence in mistakes:
        assert str(variable) in sentence, mistakes
        assert sentence.isprintable(), mistakes
    if mistakes and inner and isinstance(inner[-1], str):
        entry = f"{variable}[{inner[0]}]"
        assert any(entry in each or inner[-1] in each for each in mistakes), mistakes


@given(st.sampled_from(PLACES), VALUES)
@settings(max_examples=300, deadline=None)
def test_a_change_of_one_key_stays_right_or_is_told_with_that_key(place: str, value: t.Any) -> None:
    require_told_at(place, read(changed(RIGHT, place, value)).mistakes)


@given(st.sampled_from(PLACES))
@settings(max_examples=100, deadline=None)
def test_a_key_less_stays_right_or_is_told_with_its_entry(place: str) -> None:
    require_told_at(place, read(without(RIGHT, place)).mistakes)


@given(st.sampled_from(sorted(schema.variables())), VALUES)
@settings(max_examples=200, deadline=None)
def test_a_variable_may_be_anything(variable: str, value: t.Any) -> None:
    require_told_at(variable, read({**RIGHT, variable: value}).mistakes)


@given(
    st.sampled_from(SECRETS),
    st.sampled_from([[SECRET], {SECRET: SECRET}, SECRET * 1000, [{SECRET: [SECRET]}], {SECRET}]),
)
def test_a_secret_is_never_repeated(place: str, value: t.Any) -> None:
    told = read(changed(RIGHT, place, value)).mistakes
    assert told
    assert not any(SECRET in sentence for sentence in told)


@given(st.sampled_from(PLACES), VALUES)
@settings(max_examples=200, deadline=None)
def test_what_was_read_is_read_again_as_the_same(place: str, value: t.Any) -> None:
    first = read(changed(RIGHT, place, value))
    if not first.mistakes:
        assert read(first.variables["old"]).variables["old"] == first.variables["old"]
