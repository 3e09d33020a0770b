"""How far the copy of a large version has come: the journal's upload -> ListParts -> parts, bytes and rate so far.

It only reads. Separate because only versions that are being copied in parts have an upload.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from replicator.core.deciding.journal import Pair
from replicator.core.deciding.target import Target
from replicator.core.parts.uploads import Part, Upload, UploadGone
from replicator.flows.large.parts import all_parts
from replicator.flows.large.ports import Multipart


@dataclass(frozen=True, slots=True)
class UploadProgress:
    """Progress of one upload. `rate`: bytes per second. `seconds_left`: None until there is a first part."""

    parts_done: int
    parts: int
    bytes_done: int
    bytes: int
    rate: float
    seconds_left: float | None

    def __str__(self) -> str:
        """Return the progress as a few words."""
        done = f"{self.parts_done} of {self.parts} parts"
        if self.seconds_left is None:
            return done
        return f"{done}, {self.rate / 1e6:.1f} MB/s, about {self.seconds_left:.0f} s left"


def measure(upload: Upload, parts: Iterable[Part], now: int) -> UploadProgress:
    """Measure an upload. `now`: epoch milliseconds, by the clock that its start was taken from."""
    there = [part for part in parts if part.number <= upload.cut.count]
    done, whole = sum(part.size for part in there), upload.cut.size
    rate = done / max(0.001, (now - upload.started) / 1000)
    return UploadProgress(len(there), upload.cut.count, done, whole, rate, (whole - done) / rate if rate else None)


def read_progress(pair: Pair, change_id: str, multipart: Multipart, now: int) -> UploadProgress | None:
    """Read the progress of one change at one destination; None if it has no upload. Raises Temporary or Permanent.

    `now`: epoch milliseconds. Costs one Query, and one ListParts per 1,000 parts.
    """
    for upload in multipart.journal.of(pair):
        if upload.change_id == change_id and upload.failure is None:
            uploads = multipart.uploads(Target(pair.destination, upload.account))
            try:
                parts = all_parts(uploads, pair.key, upload.id, upload.cut.count)
            except UploadGone:
                return None
            return measure(upload, parts, now)
    return None
