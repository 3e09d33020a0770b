"""One entry of a history as the in-memory S3 keeps it, and as HEAD and LIST show it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from replicator.core.versions.version import Checksum, Encryption, Entry, EntryKind, Grant, Head, Lock, Restore

from tests.fakes.checksums import crc64nvme, etag

SSE_S3 = Encryption("AES256")
UNLOCKED = Lock()


@dataclass(frozen=True, slots=True)
class Content:
    """What a writer sends. `parts` above 0: a multipart upload, whose ETag is not that of its bytes.

    `scale`: how many bytes S3 counts for each one of `body`, so that large objects need no memory.
    `part_sizes`: how the body was cut, if that matters.
    """

    body: bytes = b""
    metadata: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    grants: tuple[Grant, ...] = ()
    storage_class: str = "STANDARD"
    encryption: Encryption = SSE_S3
    lock: Lock = UNLOCKED
    unseen_metadata: int = 0
    parts: int = 0
    restore: Restore = Restore.NONE
    scale: int = 1
    part_sizes: tuple[int, ...] = ()


MARKER = Content()


@dataclass(slots=True)
class Stored:
    """One entry. `modified` is the bucket's own clock in whole seconds; `author` is the writer's principal.

    `made_by_s3`: S3's own replication wrote it.

    No request shows the rest: `begun` is the true time at which its writing began, `serial` counts entries over all
    buckets, and `parent` is what it was copied from.
    """

    bucket: str
    version_id: str
    kind: EntryKind
    modified: int
    sequencer: str
    author: str
    begun: float
    serial: int
    content: Content = MARKER
    parent: "Stored | None" = None
    made_by_s3: bool = False
    entry: Entry = field(init=False)

    def __post_init__(self) -> None:
        self.entry = Entry(self.version_id, self.kind, self.modified, self.etag, self.size)

    @property
    def size(self) -> int:
        return len(self.content.body) * self.content.scale

    @property
    def place(self) -> tuple[float, int]:
        """Where it stands among the entries of its history: S3 orders them by when their writing began."""
        return self.begun, self.serial

    @property
    def is_version(self) -> bool:
        return self.kind is EntryKind.VERSION

    @property
    def etag(self) -> str:
        if not self.is_version:
            return ""
        plain = etag(self.content.body)
        return f'{plain[:-1]}-{self.content.parts}"' if self.content.parts else plain

    def head(self) -> Head:
        content = self.content
        return Head(
            version_id=self.version_id,
            etag=self.etag,
            size=self.size,
            modified=self.modified,
            metadata=dict(content.metadata),
            unseen_metadata=content.unseen_metadata,
            headers=dict(content.headers),
            tag_count=len(content.tags),
            storage_class=content.storage_class,
            restore=content.restore,
            encryption=content.encryption,
            lock=content.lock,
            checksum=Checksum("CRC64NVME", crc64nvme(content.body), full_object=True),
            made_by_s3=self.made_by_s3,
        )
