"""Time as the fakes see it: it passes only when somebody says so."""

from dataclasses import dataclass


@dataclass(slots=True)
class Clock:
    """The true time in seconds; buckets may be off by their own skew."""

    now: float = 1_700_000_000.0

    def advance(self, seconds: float) -> None:
        self.now += seconds

    def milliseconds(self) -> int:
        return int(self.now * 1000)
