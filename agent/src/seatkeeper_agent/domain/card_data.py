# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers of payment cards in texts that people write: found, so that they are never kept.

A number of 13 to 19 digits that begins with 2 to 6 and has a right check digit (Luhn) is taken for
one, with any spaces and hyphens between its digits. Values with a format of their own, such as
serial numbers and license keys, are not texts and not looked at: some have a right check digit.
"""

from __future__ import annotations

import re
import unicodedata

DIGITS_MIN, DIGITS_MAX = 13, 19
_FIRST_DIGITS = "23456"

# After normalization: all spaces, and all hyphens and dashes (Unicode's class Pd, and minus).
_BETWEEN = "\\s\\-\u058a\u05be\u1400\u1806\u2010-\u2015\u2212\u2e3a\u2e3b\u301c\u3030\u30a0"
_CHAIN = re.compile(rf"\d+(?:[{_BETWEEN}]+\d+)*")
# A serial number as CodeMeter writes it, with a documented mask, is never cut in two.
_GROUP = re.compile(r"(?<![\d-])(?:127|128|13[01]|140)-\d{1,10}(?:-\d{1,10})?(?![\d-])|\d+")

ADVICE = "Leave the card's number out: the card's owner writes it by hand into the vendor's form."


def has_card_number(text: str) -> bool:
    """Whether a text holds what may be the number of a payment card."""
    normal = unicodedata.normalize("NFKC", text)
    return any(
        _may_be_card(number)
        for chain in _CHAIN.finditer(normal)
        for number in _numbers(_GROUP.findall(chain[0]))
    )


def _numbers(groups: list[str]) -> list[str]:
    """All runs of whole groups that are as long as a card's number."""
    found = []
    for first in range(len(groups)):
        number = ""
        for group in groups[first:]:
            number += group.replace("-", "")
            if len(number) > DIGITS_MAX:
                break
            if len(number) >= DIGITS_MIN:
                found.append(number)
    return found


def _may_be_card(number: str) -> bool:
    digits = [unicodedata.digit(letter) for letter in number]
    if str(digits[0]) not in _FIRST_DIGITS:
        return False
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[::-2]) + sum(doubled)) % 10 == 0
