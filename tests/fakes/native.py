"""S3's own replication between buckets of the in-memory S3, run when a test says so: it may be late."""

from dataclasses import dataclass, field

from tests.fakes.s3 import S3_REPLICATION, Happening, MemoryS3
from tests.fakes.stored import Stored


@dataclass(slots=True)
class NativeReplication:
    """A replication rule of one bucket for all keys. `markers`: it replicates delete markers."""

    s3: MemoryS3
    source: str
    destination: str
    markers: bool = False
    waiting: list[tuple[str, Stored]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.s3.listeners.append(self._hear)

    def run(self) -> int:
        """Replicate what waits; return how many entries that were."""
        count = len(self.waiting)
        for _ in range(count):
            self.run_one(0)
        return count

    def run_one(self, number: int) -> None:
        """Replicate one entry that waits, unless it was deleted or has arrived."""
        key, stored = self.waiting.pop(number)
        exists = self.s3.buckets[self.source].find(key, stored.version_id) is not None
        if exists and self.s3.buckets[self.destination].find(key, stored.version_id) is None:
            self.s3.replicate(stored, key, self.destination)

    def _hear(self, happening: Happening) -> None:
        """Queue what was written by anyone but S3's replication. Permanent deletions are never replicated."""
        names = ("ObjectCreated:", "ObjectRemoved:DeleteMarkerCreated") if self.markers else ("ObjectCreated:",)
        mine = happening.bucket == self.source and happening.principal != S3_REPLICATION
        if mine and happening.name.startswith(names):
            self.waiting.append((happening.key, happening.stored))
