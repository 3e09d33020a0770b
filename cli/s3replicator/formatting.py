"""Numbers as a report writes them: durations, sizes, shares and counts, the same in tables, charts and lines."""

from datetime import UTC, datetime

NONE = "\u2013"
"""Stands where there is no number."""


def duration(seconds: float) -> str:
    """Write a duration in the unit that people would use."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


def percent(share: float | None) -> str:
    """Write a share so that 99.9 % and what is a little less differ; it is never rounded up to 100 %."""
    if share is None:
        return NONE
    if share == 1:
        return "100 %"
    shown = f"{share * 100:.3f}".rstrip("0").rstrip(".")
    return f"{min(float(shown), 99.999):g} %"


def count(number: int) -> str:
    """Write a count with its thousands apart."""
    return f"{number:,}".replace(",", "\u202f")


def size(number: float) -> str:
    """Write bytes in powers of 1000, as AWS bills them."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.4g} PB"


def moment(seconds: int) -> str:
    """Write a moment in UTC, to the minute."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
