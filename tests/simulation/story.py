"""What happened, line by line, for people. The story of a history that goes well is never written."""

from dataclasses import dataclass, field

from replicator.core.deciding.copy import Written
from replicator.core.deciding.journal import Memory
from replicator.core.versions.version import Head, MarkerHead

from tests.fakes.clock import Clock
from tests.fakes.s3 import MemoryS3
from tests.fakes.stored import Stored
from tests.simulation.truth import is_native, root


@dataclass(slots=True)
class Story:
    """Lines with the time at which they happened, in seconds from the beginning."""

    clock: Clock
    began: float
    lines: list[str] = field(default_factory=list)

    def tell(self, who: str, what: str) -> None:
        self.lines.append(f"{self.clock.now - self.began:8.2f} s  {who:<12} {what}")

    def show(self, s3: MemoryS3, key: str) -> None:
        """End with what both sides have now."""
        for bucket in s3.buckets.values():
            self.lines.append(f"  {bucket.name}/{key}, oldest to newest:")
            self.lines += [f"    {_entry(stored)}" for stored in bucket.history(key)]


def _entry(stored: Stored) -> str:
    what = f"version {stored.content.body.decode()!r}" if stored.is_version else "delete marker"
    native = root(stored)
    whose = f"by {stored.author}" if is_native(stored) else f"replica of {native.version_id}"
    if native is stored and not is_native(stored):
        whose = "written by a replicator"
    return f"{stored.version_id:<6} {what:<16} modified {stored.modified % 100_000:>5}  {whose}"


def in_words(result: object) -> str:
    """Return what a call returned, in few words."""
    if isinstance(result, Memory):
        top = f"top {result.top.version_id} = {result.top.origin}" if result.top else "no top"
        return f"generation {result.generation}, {top}, settled {' '.join(result.settled) or '-'}"
    if isinstance(result, Head | MarkerHead):
        mark = result.metadata.get("replication-origin") if isinstance(result, Head) else None
        kind = "version" if isinstance(result, Head) else "delete marker"
        return f"{kind} {result.version_id}{f' mark {mark}' if mark else ''}"
    if isinstance(result, tuple):
        return " ".join(getattr(entry, "version_id", str(entry)) for entry in result) or "nothing"
    if isinstance(result, Exception):
        return f"!! {result}"
    if isinstance(result, Written):
        return f"wrote {result.version_id}"
    return "" if result is None else str(result)
