"""The ports of large objects: multipart uploads, what the journal remembers of them, and the queue of their parts.

Separate from ports.py because most changes never come near them. The promises are the same: each method is one request,
may raise Temporary or Permanent, and is a point where a function may be killed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from replicator.core.deciding.copy import Copy, Guard, Written
from replicator.core.deciding.journal import Pair
from replicator.core.deciding.target import Target
from replicator.core.parts.cost import CostModel
from replicator.core.parts.layout import largest_in_one
from replicator.core.parts.parts import PartRange
from replicator.core.parts.uploads import CopySource, Failure, Part, PartsMessage, Upload, UploadRef

PAGE = 1000
"""Parts that one ListParts tells of."""


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """An upload under way in a bucket, whoever began it. `begun`: epoch seconds by the bucket's clock."""

    key: str
    id: str
    initiator: str
    begun: int


class LargeObjects(Protocol):
    """One bucket, to read from: what only copies in parts ask."""

    def part_size(self, source: CopySource, number: int) -> int:
        """Read the bytes of one part as the version was uploaded; SourceGone."""

    def annotations(self, key: str, version_id: str) -> tuple[str, ...]:
        """List the names of a version's annotations; empty where there are none, or no such thing."""

    def annotation(self, key: str, version_id: str, name: str) -> bytes | None:
        """Read one annotation; None if it is gone."""


class Uploads(LargeObjects, Protocol):
    """One bucket, to write to in parts."""

    def start(self, copy: Copy) -> tuple[str, int]:
        """Begin an upload with all that a copy carries; give its id, and when it began (epoch s, bucket's clock)."""

    def copy_part(self, upload_id: str, source: CopySource, part: PartRange) -> Part:
        """Copy one part; UploadGone, SourceGone. The same part twice is the same as once."""

    def parts(self, key: str, upload_id: str, after: int) -> Sequence[Part]:
        """List the parts with numbers above `after`, at most PAGE; UploadGone."""

    def complete(self, copy: Copy, upload_id: str, parts: Sequence[Part], guard: Guard | None) -> Written:
        """Make the object; Conflict if the guard does not hold, UploadSpoiled, UploadGone."""

    def abort(self, key: str, upload_id: str) -> None:
        """Return an upload up; nothing happens if it is gone."""

    def under_way(self, key: str) -> Sequence[OpenUpload]:
        """List the uploads of exactly this key."""

    def annotate(self, key: str, version_id: str, name: str, payload: bytes) -> None:
        """Attach one annotation to a version."""


class UploadJournal(Protocol):
    """What is remembered of uploads: one item per pair, change and copied version."""

    def find(self, pair: Pair, source: CopySource, change_id: str) -> Upload | None:
        """Read what is remembered, consistently; None if nothing is, or if that upload has ended."""

    def open(self, pair: Pair, upload: Upload) -> Upload:
        """Remember a new upload, unless another one is; return the one that counts."""

    def sent(self, pair: Pair, upload: UploadRef) -> None:
        """Remember that all its messages are on their way."""

    def fail(self, pair: Pair, upload: UploadRef, failure: Failure) -> bool:
        """Claim to tell of its failure; False if that is another message's to tell, or the upload has ended."""

    def end(self, pair: Pair, upload: UploadRef) -> None:
        """Forget it; nothing happens if another one took its place."""

    def retire(self, pair: Pair, upload: UploadRef) -> None:
        """Keep only why it failed, so that nobody begins anew; nothing happens if another one took its place."""

    def of(self, pair: Pair) -> Sequence[Upload]:
        """List what has not ended for one pair, what was retired included."""

    def under_way(self) -> Iterable[tuple[Pair, Upload]]:
        """List what has neither ended nor been retired, oldest first."""


class PartQueue(Protocol):
    """Where messages of parts go."""

    def send(self, messages: Sequence[PartsMessage]) -> None:
        """Send them all. Raises Temporary if any may not have been taken."""


@dataclass(frozen=True, slots=True)
class Multipart:
    """All that copying in parts needs, built once per container.

    `source` and `uploads` return buckets. `is_ours` tells from an upload's initiator whether this stack began it.
    Versions of more than `large` bytes are copied in parts.
    """

    model: CostModel
    source: Callable[[str], LargeObjects]
    uploads: Callable[[Target], Uploads]
    journal: UploadJournal
    queue: PartQueue
    is_ours: Callable[[str], bool]
    large: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "large", largest_in_one(self.model))


def in_lanes(parts: Sequence[PartRange], lanes: int) -> list[Sequence[PartRange]]:
    """Share parts out over so many lanes, in each of which one part follows the other."""
    return [parts[lane::lanes] for lane in range(min(lanes, len(parts)))]


def all_parts(uploads: Uploads, key: str, upload_id: str, count: int) -> list[Part]:
    """List all parts of an upload that has at most so many; UploadGone."""
    found: list[Part] = []
    while True:
        page = uploads.parts(key, upload_id, found[-1].number if found else 0)
        found += page
        if len(page) < PAGE or found[-1].number >= count:
            return found


def all_there(uploads: Uploads, key: str, upload_id: str, count: int) -> bool:
    """Return whether all so many parts of an upload are there; UploadGone.

    Asks from the end: parts are copied in about their order, so that the last page misses some until nearly the end,
    and one request answers.
    """
    for after in reversed(range(0, count, PAGE)):
        wanted = min(PAGE, count - after)
        page = [part for part in uploads.parts(key, upload_id, after) if part.number <= after + wanted]
        if len(page) < wanted:
            return False
    return True
