"""How far an upload in parts has come: parts and bytes there, the rate so far, and what that makes of the rest.

Pure: ListParts gives the parts, whoever asks gives the time.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from replicator.core.parts.uploads import Part, Upload


@dataclass(frozen=True, slots=True)
class Progress:
    """One upload under way. Rates are bytes per second; `seconds_left` is None as long as nothing is there."""

    parts_done: int
    parts: int
    bytes_done: int
    bytes: int
    rate: float
    seconds_left: float | None

    def __str__(self) -> str:
        """Say it in one line."""
        done = f"{self.parts_done} of {self.parts} parts"
        if self.seconds_left is None:
            return done
        return f"{done}, {self.rate / 1e6:.1f} MB/s, about {self.seconds_left:.0f} s left"


def progress_of(upload: Upload, parts: Iterable[Part], now: int) -> Progress:
    """Measure an upload. `now` is epoch milliseconds, by the clock that its start was taken from."""
    there = [part for part in parts if part.number <= upload.cut.count]
    done, whole = sum(part.size for part in there), upload.cut.size
    rate = done / max(0.001, (now - upload.started) / 1000)
    return Progress(len(there), upload.cut.count, done, whole, rate, (whole - done) / rate if rate else None)
