"""The ports Uploads and LargeObjects over the in-memory S3, and what it knows of uploads that are under way."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from replicator.core.deciding.copy import Copy, Guard, Written
from replicator.core.outcomes.outcome import Permanent, Reason
from replicator.core.parts.parts import PartRange
from replicator.core.parts.uploads import CopySource, Part, SourceGone, UploadGone, UploadSpoiled
from replicator.core.versions.version import Checksum
from replicator.flows.large.ports import PAGE, OpenUpload

from tests.fakes.checksums import crc64nvme, etag
from tests.fakes.points import Call, Points, Straight
from tests.fakes.s3 import Bucket, MemoryS3, Named, Refused
from tests.fakes.stored import Content, Stored


@dataclass(slots=True)
class Begun:
    """An upload under way. `serial` and `time` are when it was begun, `parent` is what its parts were copied from."""

    id: str
    bucket: str
    key: str
    content: Content
    initiator: str
    serial: int
    time: float
    existed: bool
    parts: dict[int, bytes] = field(default_factory=dict)
    parent: Stored | None = None


@dataclass(slots=True)
class UploadStore:
    """All uploads under way. `strict`: S3 answers 409 if the key was written meanwhile."""

    s3: MemoryS3
    strict: bool = True
    begun: dict[str, Begun] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def annotations(self) -> dict[Named, dict[str, bytes]]:
        """All annotations, by version."""
        return self.s3.annotations

    @property
    def without_annotations(self) -> set[str]:
        """The buckets in Regions that do not have annotations."""
        return self.s3.without_annotations

    def begin(self, bucket: str, key: str, content: Content, initiator: str) -> Begun:
        current = self.s3.buckets[bucket].current(key)
        existed = current is not None and current.is_version
        serial = self.s3.next_serial()
        begun = Begun(f"U{next(self._ids)}", bucket, key, content, initiator, serial, self.s3.clock.now, existed)
        self.begun[begun.id] = begun
        return begun

    def find(self, bucket: str, key: str, upload_id: str) -> Begun:
        begun = self.begun.get(upload_id)
        if begun is None or (begun.bucket, begun.key) != (bucket, key):
            raise UploadGone(f"404 NoSuchUpload: {bucket}/{key} {upload_id}")
        return begun

    def under_way(self, bucket: str) -> list[Begun]:
        return [begun for begun in self.begun.values() if begun.bucket == bucket]


@dataclass(slots=True)
class MemoryUploads:
    """One bucket in parts, seen from one side. Writes carry `author` as their principal."""

    store: UploadStore
    bucket: str
    side: str = "destination"
    points: Points = field(default_factory=Straight)
    author: str = "AWS:ROLE:replicate"

    def part_size(self, source: CopySource, number: int) -> int:
        call = self._call("HEAD PART", source.key, f"{source.version_id} part {number}")
        return self.points.call(call, lambda: self._part_size(source, number))

    def annotations(self, key: str, version_id: str) -> Mapping[str, str] | None:
        there = self.store.annotations.get((self.bucket, key, version_id), {})
        etags = {name: etag(payload) for name, payload in sorted(there.items())}
        found = None if self.bucket in self.store.without_annotations else etags
        return self.points.call(self._call("LIST ANNOTATIONS", key, version_id), lambda: found)

    def annotation(self, key: str, version_id: str, name: str, etag: str) -> bytes | None:
        call = self._call("GET ANNOTATION", key, f"{version_id} {name}")
        return self.points.call(call, lambda: self.store.s3.annotation((self.bucket, key, version_id), name, etag))

    def annotate(self, key: str, version_id: str, name: str, payload: bytes) -> None:
        self.points.call(
            self._call("ANNOTATE", key, f"{version_id} {name}"),
            lambda: self._annotate(key, version_id, name, payload),
        )

    def _annotate(self, key: str, version_id: str, name: str, payload: bytes) -> None:
        try:
            self.store.s3.annotate(self.bucket, key, version_id, name, payload, author=self.author)
        except Refused as refused:
            raise Permanent(Reason.DST_PUT_ANNOTATIONS_DENIED, str(refused)) from None

    def start(self, copy: Copy) -> tuple[str, int]:
        return self.points.call(self._call("START", copy.key, str(copy.origin)), lambda: self._start(copy))

    def copy_part(self, upload_id: str, source: CopySource, part: PartRange, *, whole: bool = False) -> Part:
        detail = f"{upload_id} {part.number} <- {source.bucket} {source.version_id}"
        return self.points.call(
            self._call("COPY PART", source.key, detail), lambda: self._copy_part(upload_id, source, part, whole=whole)
        )

    def parts(self, key: str, upload_id: str, after: int) -> Sequence[Part]:
        return self.points.call(self._call("LIST PARTS", key, upload_id), lambda: self._parts(key, upload_id, after))

    def complete(self, copy: Copy, upload_id: str, parts: Sequence[Part], guard: Guard | None) -> Written:
        onto = "whatever" if guard is None else guard.etag or "nothing"
        return self.points.call(
            self._call("COMPLETE", copy.key, f"{upload_id} onto {onto}"),
            lambda: self._complete(copy, upload_id, parts, guard),
        )

    def abort(self, key: str, upload_id: str) -> None:
        self.points.call(self._call("ABORT", key, upload_id), lambda: self.store.begun.pop(upload_id, None))

    def under_way(self, key: str) -> Sequence[OpenUpload]:
        return self.points.call(
            self._call("LIST UPLOADS", key), lambda: [upload for upload in self._under_way() if upload.key == key]
        )

    def all_under_way(self) -> Sequence[OpenUpload]:
        return self.points.call(self._call("LIST UPLOADS", ""), self._under_way)

    def _call(self, operation: str, key: str, detail: str = "") -> Call:
        return Call(operation, self.side, self.bucket, key, detail)

    def _under_way(self) -> list[OpenUpload]:
        found = self.store.under_way(self.bucket)
        return [OpenUpload(begun.key, begun.id, begun.initiator) for begun in found]

    def _bucket(self) -> Bucket:
        if self.bucket not in self.store.s3.buckets:
            raise Permanent(Reason.DST_BUCKET_NOT_FOUND, self.bucket)
        return self.store.s3.buckets[self.bucket]

    def _source(self, source: CopySource) -> Stored:
        if source.bucket not in self.store.s3.buckets:
            raise Permanent(Reason.SRC_BUCKET_NOT_FOUND, source.bucket)
        stored = self.store.s3.buckets[source.bucket].find(source.key, source.version_id)
        if stored is None or not stored.is_version or stored.etag != source.etag:
            raise SourceGone(f"{source.bucket}/{source.key} {source.version_id}")
        return stored

    def _part_size(self, source: CopySource, number: int) -> int:
        content = self._source(source).content
        sizes = content.part_sizes or (len(content.body),)
        return sizes[number - 1] * content.scale

    def _start(self, copy: Copy) -> tuple[str, int]:
        content = Content(
            metadata=copy.metadata,
            headers=copy.headers,
            tags=copy.tags,
            grants=copy.grants,
            storage_class=copy.storage_class or "STANDARD",
            encryption=copy.encryption,
            lock=copy.lock,
        )
        begun = self.store.begin(self.bucket, copy.key, content, self.author)
        return begun.id, int(begun.time + self.store.s3.buckets[self.bucket].skew)

    def _copy_part(self, upload_id: str, source: CopySource, part: PartRange, *, whole: bool) -> Part:
        begun, stored = self.store.find(self.bucket, source.key, upload_id), self._source(source)
        scale, body = stored.content.scale, stored.content.body
        if not whole:
            body = body[part.first // scale : (part.last + 1) // scale]
        begun.parts[part.number], begun.parent = body, stored
        begun.content = replace(begun.content, scale=scale)
        return _part(part.number, body, scale)

    def _parts(self, key: str, upload_id: str, after: int) -> Sequence[Part]:
        begun = self.store.find(self.bucket, key, upload_id)
        numbers = [number for number in sorted(begun.parts) if number > after][:PAGE]
        return [_part(number, begun.parts[number], begun.content.scale) for number in numbers]

    def _complete(self, copy: Copy, upload_id: str, parts: Sequence[Part], guard: Guard | None) -> Written:
        s3, begun = self.store.s3, self.store.find(self.bucket, copy.key, upload_id)
        if guard is not None:
            s3.require(self.bucket, copy.key, guard)
            self._hold_strictly(begun, guard)
        chosen = [begun.parts[part.number] for part in parts]
        body = b"".join(chosen)
        if len(body) * begun.content.scale != copy.size:
            raise Permanent(Reason.CHECKSUM, f"InvalidRequest 400: {len(body)} parts of {copy.size}")  # MpuObjectSize
        sizes = tuple(map(len, chosen))
        content = replace(begun.content, body=body, parts=len(chosen), part_sizes=sizes)
        name = "ObjectCreated:CompleteMultipartUpload"
        stored = s3.put(self.bucket, copy.key, content, self.author, name=name, begun=begun.time, parent=begun.parent)
        del self.store.begun[upload_id]
        return Written(stored.version_id, stored.etag, Checksum("CRC64NVME", crc64nvme(body), full_object=True))

    def _hold_strictly(self, begun: Begun, guard: Guard) -> None:
        """Refuse what S3 calls a conflict: the key was written, or its object deleted, since the upload was begun."""
        current = self.store.s3.buckets[self.bucket].current(begun.key)
        overwritten = guard.etag and current is not None and current.serial > begun.serial
        deleted = not guard.etag and begun.existed
        if self.store.strict and (overwritten or deleted):
            raise UploadSpoiled(f"409 ConditionalRequestConflict: {self.bucket}/{begun.key}")


def _part(number: int, body: bytes, scale: int) -> Part:
    return Part(number, len(body) * scale, etag(body))
