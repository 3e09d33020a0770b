"""Where to cut a span of keys in two, when nothing is known of its keys but the first.

Separate because it is arithmetic on text. The caller asks a listing whether there are keys on the far side.
"""

import sys

FIRST, LAST = " ", "~"
"""Cuts consist of these and what lies between them. Keys with other characters are cut, too, but less evenly."""
DIGITS = ord(LAST) - ord(FIRST) + 3
"""One for each character, one for the end of the text, one for all that comes after LAST."""
SURROGATES = "".join(map(chr, range(0xD800, 0xE000)))
"""No characters, and so in no key."""
CLASS_ENDS = {"0": ":", "A": "[", "a": "{"}
"""What comes after digits, capitals and small letters in ASCII."""
LENGTH = 12
"""Characters after what two keys have in common that a cut depends on."""


def between(low: str, high: str | None) -> str | None:
    """Return a text about halfway between two others, after `low` and before `high`; None if none was found.

    high: None for no end. Keys mostly have characters of one class in one place, and none between '9' and 'a', so the
    cut is looked for in the class of `low` first.
    """
    common = in_common(low, high) if high is not None else ""
    near = common + CLASS_ENDS.get(_class_of(low[len(common) : len(common) + 1]), "")
    high = near if near > low and (high is None or near < high) else high
    first = _number(low[len(common) :])
    last = _number(high[len(common) :]) if high is not None else DIGITS**LENGTH
    cut = common + _text((first + last) // 2)
    return cut if cut > low and (high is None or cut < high) else None


def _class_of(character: str) -> str:
    return "0" if character.isdigit() else "a" if character.islower() else "A" if character.isupper() else ""


def after_all(prefix: str) -> str | None:
    """Return a text after all that begins with a prefix, and close to it; None for no end."""
    for length in range(len(prefix), 0, -1):
        following = chr(min(ord(prefix[length - 1]) + 1, sys.maxunicode))
        if following not in SURROGATES and following != prefix[length - 1]:
            return prefix[: length - 1] + following
    return None


def in_common(one: str, other: str) -> str:
    """Return what two texts both begin with."""
    length = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    return one[: min(len(one), len(other)) if length is None else length]


def _number(text: str) -> int:
    number = 0
    for character in text[:LENGTH].ljust(LENGTH, "\0"):
        number = number * DIGITS + _digit(character)
    return number


def _digit(character: str) -> int:
    if character == "\0":
        return 0
    return min(max(ord(character) - ord(FIRST) + 1, 1), DIGITS - 1)


def _text(number: int) -> str:
    digits = []
    for _ in range(LENGTH):
        number, digit = divmod(number, DIGITS)
        digits.append(digit)
    characters = (chr(min(max(digit - 1, 0), DIGITS - 3) + ord(FIRST)) for digit in reversed(digits))
    return "".join(characters).rstrip(FIRST)
