"""The ports of large objects: multipart uploads, what the journal remembers about them, and the part queue.

Separate from flows/ports.py because most changes need none of them. The same applies here: each method is one request,
may raise Temporary or Permanent, and is a point where a function may be killed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from replicator.core.deciding.copy import Copy, Guard, Written
from replicator.core.deciding.journal import Pair
from replicator.core.deciding.target import Target
from replicator.core.outcomes.parking import Parked
from replicator.core.parts.cost import CostModel
from replicator.core.parts.layout import largest_in_one
from replicator.core.parts.parts import PartRange
from replicator.core.parts.uploads import CopySource, Failure, Part, PartsMessage, Upload, UploadRef

PAGE = 1000
"""Parts that one ListParts returns at most."""


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """An upload in progress in a bucket, whoever started it."""

    key: str
    id: str
    initiator: str


class LargeObjects(Protocol):
    """One bucket, for reading what only copies in parts need."""

    def part_size(self, source: CopySource, number: int) -> int:
        """Return the size in bytes of one part of a version; 0 if the bucket knows no such part. Raises SourceGone."""

    def annotations(self, key: str, version_id: str) -> Mapping[str, str] | None:
        """Return the ETags of a version's annotations by name; None if the bucket does not support them."""

    def annotation(self, key: str, version_id: str, name: str, etag: str) -> bytes | None:
        """Read one annotation; None if it was deleted or overwritten since it had this ETag."""


class Uploads(LargeObjects, Protocol):
    """One bucket, for writing in parts."""

    def start(self, copy: Copy) -> tuple[str, int]:
        """Start an upload for a copy. Return its id, and when it began (epoch seconds, by the bucket's clock)."""

    def copy_part(self, upload_id: str, source: CopySource, part: PartRange, *, whole: bool = False) -> Part:
        """Copy one part, or the whole source as the only part. Raises UploadGone, SourceGone.

        Copying the same part twice does no harm.
        """

    def parts(self, key: str, upload_id: str, after: int) -> Sequence[Part]:
        """List the parts with numbers above `after`, at most PAGE. Raises UploadGone."""

    def complete(self, copy: Copy, upload_id: str, parts: Sequence[Part], guard: Guard | None) -> Written:
        """Create the object. Raises Conflict if the guard fails, UploadSpoiled, UploadGone."""

    def abort(self, key: str, upload_id: str) -> None:
        """Abort an upload. Nothing happens if it does not exist any more."""

    def under_way(self, key: str) -> Sequence[OpenUpload]:
        """List the uploads in progress of exactly this key."""

    def annotate(self, key: str, version_id: str, name: str, payload: bytes) -> None:
        """Put one annotation on a version, only if `annotations` showed that the bucket supports them."""


class UploadJournal(Protocol):
    """The uploads in the journal: one item per pair, change and copied version."""

    def find(self, pair: Pair, source: CopySource, change_id: str) -> Upload | None:
        """Read one upload, consistently; None if there is none or it has ended."""

    def open(self, pair: Pair, upload: Upload) -> Upload:
        """Record a new upload unless another one is recorded; return the one that is."""

    def sent(self, pair: Pair, upload: UploadRef) -> None:
        """Record that all part messages of an upload were sent."""

    def fail(self, pair: Pair, upload: UploadRef, failure: Failure) -> bool:
        """Claim to report the failure of an upload. False if another message did, or if the upload has ended."""

    def end(self, pair: Pair, upload: UploadRef) -> None:
        """Remove an upload. Nothing happens if another one is recorded in its place."""

    def retire(self, pair: Pair, upload: UploadRef) -> None:
        """Keep only why it failed, so that no other is started. Nothing happens if another one is in its place."""

    def park(self, pair: Pair, upload_id: str, number: int, parked: Parked) -> None:
        """Park a message of parts. number: of its first part; parking the same message again replaces it."""

    def of(self, pair: Pair) -> Sequence[Upload]:
        """List the uploads of one pair that have not ended, retired ones included."""

    def under_way(self) -> Iterable[tuple[Pair, Upload]]:
        """List all uploads that have neither ended nor been retired, oldest first."""


class PartQueue(Protocol):
    """The part queue."""

    def send(self, messages: Sequence[PartsMessage]) -> None:
        """Send part messages. Raises Temporary if any may not have been accepted."""


@dataclass(frozen=True, slots=True)
class Multipart:
    """All that copying in parts needs, built once per container.

    source, uploads: return a bucket. is_ours: returns whether this stack started an upload, by its initiator. large:
    versions of more bytes are copied in parts. warn: takes a line for the log.
    """

    model: CostModel
    source: Callable[[str], LargeObjects]
    uploads: Callable[[Target], Uploads]
    journal: UploadJournal
    queue: PartQueue
    is_ours: Callable[[str], bool]
    warn: Callable[[str], None]
    large: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "large", largest_in_one(self.model))
