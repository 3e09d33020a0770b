"""The span of time that a report covers: how people write it, and which periods CloudWatch keeps for it.

Separate from the figures, because its limits are those of CloudWatch and of the page, whatever is counted.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MINUTE, HOUR, DAY = 60, 3600, 86400
PERIODS = (60, 300, 900, 1800, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 7 * DAY)
POINTS = 100
"""The most points that a curve should have, to fit into a page."""
KEPT = ((15 * DAY, 60), (63 * DAY, 300), (455 * DAY, HOUR))
"""(age in seconds, period in seconds) of the data that CloudWatch keeps (API reference, GetMetricData)."""
FORMATS = "2026-11-01, 2026-11-01T12:00 (UTC), or 7d for seven days ago (m, h, d or w)"

_AGO = re.compile(r"(\d{1,9})\s*(m|h|d|w)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class NotATime(ValueError):
    """A text is not a time, or is out of range. The message says what to write."""


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time in epoch seconds. The end is not part of it."""

    start: int
    end: int

    @property
    def seconds(self) -> int:
        """Its length."""
        return self.end - self.start

    def aligned(self, now: int) -> "Span":
        """Return the span widened to whole periods of what CloudWatch still keeps."""
        period = _shortest_kept(now - self.start)
        start = self.start // period * period
        return Span(start, max(-(-self.end // period) * period, start + period))

    def period(self, now: int) -> int:
        """Return the period of a curve: few enough points, and a period that CloudWatch still keeps."""
        wanted = max(_shortest_kept(now - self.start), self.seconds / POINTS)
        return next((period for period in PERIODS if period >= wanted), PERIODS[-1])


def parse_span(since: str, until: str, now: int) -> Span:
    """Return the span between two times as people write them; an empty `until` means now. Raises NotATime."""
    end = _parse(until, now, "--to", is_end=True) if until else now
    start = _parse(since, end if _AGO.fullmatch(since.strip()) else now, "--from", is_end=False)
    if start >= end:
        raise NotATime(f"--from {since} is not before --to {until or 'now'}")
    return Span(start, end if until else now + 1)  # what was measured in this very second belongs to it


def _parse(text: str, now: int, option: str, *, is_end: bool) -> int:
    try:
        seconds = _read(text.strip(), now, is_end=is_end).timestamp()
    except ValueError:
        raise NotATime(f"{option} '{text}' is not a time; write {FORMATS}") from None
    except OverflowError:
        seconds = -1
    if not 0 <= seconds <= now + 10 * 366 * DAY:
        raise NotATime(f"{option} '{text}' is out of range")
    return int(seconds)


def _read(text: str, now: int, *, is_end: bool) -> datetime:
    if ago := _AGO.fullmatch(text):
        return datetime.fromtimestamp(now, UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    is_day = re.fullmatch(r"\d{4}-?\d{2}-?\d{2}", text) is not None
    return moment + timedelta(days=1) if is_day and is_end else moment


def _shortest_kept(age: int) -> int:
    return next((period for kept, period in KEPT if age <= kept), HOUR)
