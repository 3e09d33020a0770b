"""The ports Objects, Replicas, Amendable and Buckets over the in-memory S3."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from replicator.core.deciding.copy import Copy, Guard, Written
from replicator.core.deciding.facts import ABSENT, Absent, Top
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Conflict, Permanent, Reason, Side
from replicator.core.versions.version import Checksum, Grant, Head, History, Lock, MarkerHead

from tests.fakes.checksums import crc64nvme, etag
from tests.fakes.denials import DENIED
from tests.fakes.points import Call, Points, Straight
from tests.fakes.s3 import Bucket, MemoryS3, Named, Refused
from tests.fakes.stored import Content, Stored


@dataclass(slots=True)
class MemoryObjects:
    """One bucket as a replicator sees it, from one side. Writes carry `author` as their principal."""

    s3: MemoryS3
    bucket: str
    side: str
    points: Points
    author: str = "AWS:ROLE:replicate"

    def head(self, key: str, version_id: str) -> Head | Absent:
        return self.points.call(self._call("HEAD", key, version_id), lambda: self._head(key, version_id))

    def exists(self, key: str, version_id: str) -> bool:
        return self.points.call(
            self._call("HEAD", key, version_id), lambda: self._bucket().find(key, version_id) is not None
        )

    def top(self, key: str) -> Top:
        return self.points.call(self._call("HEAD", key, "current"), lambda: self._top(key))

    def history(self, key: str) -> History:
        return self.points.call(
            self._call("LIST", key), lambda: tuple(stored.entry for stored in self._bucket().listed(key))
        )

    def tags(self, key: str, version_id: str) -> Mapping[str, str]:
        return self.points.call(
            self._call("GET TAGS", key, version_id), lambda: dict(self._version(key, version_id).content.tags)
        )

    def grants(self, key: str, version_id: str) -> tuple[Grant, ...]:
        return self.points.call(
            self._call("GET ACL", key, version_id), lambda: self._version(key, version_id).content.grants
        )

    def copy(self, copy: Copy, guard: Guard) -> Written:
        detail = f"<- {copy.bucket} {copy.version_id} onto {guard.etag or 'nothing'}"
        return self.points.call(self._call("COPY", copy.key, detail), lambda: self._copy(copy, guard))

    def mark_deleted(self, key: str, guard: Guard) -> str:
        return self.points.call(
            self._call("DELETE", key, f"onto {guard.etag or 'nothing'}"), lambda: self._mark_deleted(key, guard)
        )

    def annotations(self, key: str, version_id: str) -> Mapping[str, str] | None:
        return self.points.call(
            self._call("LIST ANNOTATIONS", key, version_id), lambda: self._annotations(key, version_id)
        )

    def annotation(self, key: str, version_id: str, name: str, etag: str) -> bytes | None:
        return self.points.call(
            self._call("GET ANNOTATION", key, f"{version_id} {name}"),
            lambda: self._annotation(key, version_id, name, etag),
        )

    def put_tags(self, key: str, version_id: str, tags: Mapping[str, str]) -> None:
        self._amend("PUT TAGS", key, version_id, lambda: self.s3.tag(*self._named(key, version_id), tags, self.author))

    def put_grants(self, key: str, version_id: str, grants: tuple[Grant, ...]) -> None:
        self._amend("PUT ACL", key, version_id, lambda: self._put_grants(key, version_id, grants))

    def put_retention(self, key: str, version_id: str, lock: Lock, *, releases: bool = False) -> None:
        self._amend(
            "PUT RETENTION",
            key,
            version_id,
            lambda: self.s3.retain(*self._named(key, version_id), lock, self.author, releases=releases),
        )

    def put_legal_hold(self, key: str, version_id: str, *, on: bool) -> None:
        self._amend(
            "PUT LEGAL HOLD",
            key,
            version_id,
            lambda: self.s3.hold(*self._named(key, version_id), on=on, author=self.author),
        )

    def annotate(self, key: str, version_id: str, name: str, payload: bytes) -> None:
        self._amend(
            "ANNOTATE",
            key,
            version_id,
            lambda: self.s3.annotate(*self._named(key, version_id), name, payload, author=self.author),
            name,
        )

    def remove_annotation(self, key: str, version_id: str, name: str) -> None:
        self._amend(
            "REMOVE ANNOTATION",
            key,
            version_id,
            lambda: self.s3.annotate(*self._named(key, version_id), name, None, author=self.author),
            name,
        )

    def _call(self, operation: str, key: str, detail: str = "") -> Call:
        return Call(operation, self.side, self.bucket, key, detail)

    def _named(self, key: str, version_id: str) -> Named:
        return self.bucket, key, version_id

    def _amend(self, operation: str, key: str, version_id: str, effect: Callable[[], None], detail: str = "") -> None:
        """Change a version; raise Permanent if it does not exist, or S3 refuses to change it."""

        def amend() -> None:
            self._version(key, version_id)
            try:
                effect()
            except Refused as refused:
                invalid = str(refused).startswith("InvalidRequest")
                raise Permanent(Reason.REFUSED if invalid else DENIED[operation, self.side], str(refused)) from None

        self.points.call(self._call(operation, key, f"{version_id} {detail}".strip()), amend)

    def _annotations(self, key: str, version_id: str) -> Mapping[str, str] | None:
        if self.bucket in self.s3.without_annotations:
            return None
        there = self._annotations_of(key, version_id)
        return {name: etag(payload) for name, payload in sorted(there.items())}

    def _annotation(self, key: str, version_id: str, name: str, etag: str) -> bytes | None:
        self._version(key, version_id)
        return self.s3.annotation(self._named(key, version_id), name, etag)

    def _annotations_of(self, key: str, version_id: str) -> Mapping[str, bytes]:
        self._version(key, version_id)
        return self.s3.annotations.get(self._named(key, version_id), {})

    def _put_grants(self, key: str, version_id: str, grants: tuple[Grant, ...]) -> None:
        if self._bucket().blocks_public_grants:
            grants = tuple(grant for grant in grants if not grant.is_public)
        self.s3.grant(*self._named(key, version_id), grants, self.author)

    def _bucket(self) -> Bucket:
        if self.bucket not in self.s3.buckets:
            source = self.side == "source"
            raise Permanent(Reason.SRC_BUCKET_NOT_FOUND if source else Reason.DST_BUCKET_NOT_FOUND, self.bucket)
        return self.s3.buckets[self.bucket]

    def _find(self, key: str, version_id: str) -> Stored | None:
        stored = self._bucket().find(key, version_id)
        return stored if stored and stored.is_version else None

    def _version(self, key: str, version_id: str) -> Stored:
        stored = self._find(key, version_id)
        if stored is None:
            source = self.side == "source"
            reason = Reason.SRC_VERSION_NOT_FOUND if source else Reason.DST_VERSION_NOT_FOUND
            raise Permanent(reason, f"NoSuchVersion 404: {version_id}")  # as the error table has it
        return stored

    def _head(self, key: str, version_id: str) -> Head | Absent:
        stored = self._find(key, version_id)
        return self._seen(stored) if stored else ABSENT

    def _seen(self, stored: Stored) -> Head:
        return stored.head() if self._bucket().counts_tags else replace(stored.head(), tag_count=None)

    def _top(self, key: str) -> Top:
        current = self._bucket().current(key)
        if current is None:
            return ABSENT
        return self._seen(current) if current.is_version else MarkerHead(current.version_id)

    def _copy(self, copy: Copy, guard: Guard) -> Written:
        there = self._bucket()
        source = self.s3.buckets[copy.bucket].find(copy.key, copy.version_id)
        if source is None or not source.is_version:
            raise Conflict(f"404 NoSuchVersion: {copy.bucket}/{copy.key} {copy.version_id}")
        if source.head().is_archived:
            raise Permanent(Reason.SRC_NOT_ELIGIBLE, f"InvalidObjectState 403: {copy.version_id}")
        if source.etag != copy.etag:
            raise Conflict(f"412 PreconditionFailed: source {copy.bucket}/{copy.key}")
        self.s3.require(there.name, copy.key, guard)
        content = _content(copy, source)
        annotations = self.s3.annotations.get((source.bucket, copy.key, source.version_id), {})
        kept = annotations if there.name not in self.s3.without_annotations else {}
        stored = self.s3.put(
            there.name,
            copy.key,
            content,
            self.author,
            name="ObjectCreated:Copy",
            parent=source,
            annotations=kept,
        )
        checksum = Checksum("CRC64NVME", crc64nvme(stored.content.body), full_object=True)
        return Written(stored.version_id, stored.etag, checksum)

    def _mark_deleted(self, key: str, guard: Guard) -> str:
        self._bucket()
        self.s3.require(self.bucket, key, guard)
        marker = self.s3.delete(self.bucket, key, self.author)
        return marker.version_id if marker else "null"


def _content(copy: Copy, source: Stored) -> Content:
    """Say what CopyObject writes: the source's bytes in one piece, its ACL never, the rest as asked for."""
    replaced = copy.metadata != copy.source_metadata
    return Content(
        body=source.content.body,
        metadata=copy.metadata if replaced else source.content.metadata,
        headers=copy.headers if replaced else source.content.headers,
        tags=copy.tags if copy.tags != copy.source_tags else source.content.tags,
        grants=copy.grants,
        storage_class=copy.storage_class or "STANDARD",
        encryption=copy.encryption,
        lock=copy.lock,
        unseen_metadata=0 if replaced else source.content.unseen_metadata,
        scale=source.content.scale,
    )


@dataclass(slots=True)
class MemoryBuckets:
    """The buckets by name. Settings are read without a point: they are the same for a container's whole life."""

    s3: MemoryS3
    points: Points = field(default_factory=Straight)
    author: str = "AWS:ROLE:replicate"

    def source(self, bucket: str) -> MemoryObjects:
        return MemoryObjects(self.s3, bucket, "source", self.points, self.author)

    def source_has_acls(self, bucket: str) -> bool:
        if bucket not in self.s3.buckets:
            raise Permanent(Reason.SRC_BUCKET_NOT_FOUND, bucket)
        return self.s3.buckets[bucket].acls_enabled

    def replicas(self, target: Target) -> MemoryObjects:
        return MemoryObjects(self.s3, target.bucket, "destination", self.points, self.author)

    def amendable(self, target: Target, side: Side) -> MemoryObjects:
        return MemoryObjects(self.s3, target.bucket, side.value, self.points, self.author)

    def describe(self, target: Target, *, recent: bool = False) -> Target:
        if target.bucket not in self.s3.buckets:
            raise Permanent(Reason.DST_BUCKET_NOT_FOUND, target.bucket)
        return self.s3.buckets[target.bucket].described(target.account)
