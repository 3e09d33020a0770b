"""Where to cut a span of keys in two, when nothing is known of its keys but the first.

Separate because it is arithmetic on text. The caller asks a listing whether there are keys on the far side.
"""

FIRST, LAST = " ", "~"
"""Cuts consist of these and what lies between them. Keys with other characters are cut, too, but less evenly."""
DIGITS = ord(LAST) - ord(FIRST) + 3
"""One for each character, one for the end of the text, one for all that comes after LAST."""
LENGTH = 12
"""Characters after what two keys have in common that a cut depends on."""


def between(low: str, high: str | None) -> str | None:
    """Return a text about halfway between two others, after `low` and before `high`; None if none was found.

    high: None for no end.
    """
    common = _common(low, high) if high is not None else ""
    first = _number(low[len(common) :])
    last = _number(high[len(common) :]) if high is not None else DIGITS**LENGTH
    cut = common + _text((first + last) // 2)
    return cut if cut > low and (high is None or cut < high) else None


def _common(one: str, other: str) -> str:
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
