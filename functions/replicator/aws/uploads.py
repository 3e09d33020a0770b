"""The port `Uploads` on S3: start a multipart upload, copy parts, list them, complete it, abort it.

Separate from writing.py: other requests, other conflicts. botocore never retries the start or the completion of an
upload, because a response may be lost. It does retry the copy of a part: copying a part twice does no harm.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from replicator.aws.asking import Unreadable, asking, expecting, required
from replicator.aws.clients import Clients
from replicator.aws.errors import Side
from replicator.aws.large_objects import BucketLargeObjects
from replicator.aws.objects import BucketObjects, Shared, checksum_of
from replicator.aws.trials import Destination, explain_completion, explain_listing, explain_part, explain_start
from replicator.aws.writing import left_out, may_do_with_less, upload_arguments
from replicator.core.deciding.copy import Copy, Guard, Written, without_public_grants
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Permanent
from replicator.core.parts.parts import PartRange
from replicator.core.parts.uploads import CopySource, Part
from replicator.core.versions.version import Checksum
from replicator.flows.large.ports import PAGE, OpenUpload

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

NO_UPLOAD = frozenset({"NoSuchUpload", "404"})
WHOLE = frozenset({"CRC64NVME", "CRC32", "CRC32C"})
"""Checksums that S3 can compute over a whole object from its parts (user guide, "Checking object integrity")."""


class BucketUploads(BucketLargeObjects):
    """One bucket, for writing in parts. Clients other than the reader are made on first use."""

    def __init__(
        self, bucket: str, clients: Clients, region: str, account: str = "", shared: Shared | None = None
    ) -> None:
        shared = shared or Shared()
        super().__init__(bucket, Side.DESTINATION, clients.reader(region), account, shared.annotated)
        self._clients = clients
        self._region = region
        self._target = Target(bucket, account)
        self._shared = shared
        self._explained: dict[str, Permanent] = {}

    @property
    def _writer(self) -> "S3Client":
        return self._clients.writer(self._region)

    def _objects(self) -> BucketObjects:
        return BucketObjects(self.bucket, self.side, self._reader, self._owner.get("ExpectedBucketOwner", ""))

    def _destination(self, arguments: Mapping[str, Any]) -> Destination:
        return Destination(self._objects(), self._writer, self._owner, arguments)

    @property
    def _copier(self) -> "S3Client":
        return self._clients.copier(self._region)

    def start(self, copy: Copy) -> tuple[str, int]:
        """Start an upload for a copy. Return its id, and when it began (epoch seconds, by the bucket's clock).

        Without its public grants, if Block Public Access refuses it with them.
        """
        private = without_public_grants(copy)
        try:
            return self._start(copy)
        except Permanent as trouble:
            if private is None or not may_do_with_less(trouble, copy):
                raise self._explain_start(trouble, copy) from trouble.__cause__
        try:
            started = self._start(private)
        except Permanent as trouble:
            raise self._explain_start(trouble, private) from trouble.__cause__
        self._shared.warn(left_out("public grants", copy, self.bucket))
        return started

    def _start(self, copy: Copy) -> tuple[str, int]:
        arguments = upload_arguments(copy) | _checksum_asked_for(copy.checksum)
        with asking("CreateMultipartUpload", self.side):
            answer = self._writer.create_multipart_upload(Bucket=self.bucket, **self._owner, **arguments)
            return required(answer, "UploadId"), _answered_at(answer)

    def _explain_start(self, trouble: Permanent, copy: Copy) -> Permanent:
        return explain_start(trouble, self._destination(upload_arguments(copy)))

    def copy_part(self, upload_id: str, source: CopySource, part: PartRange, *, whole: bool = False) -> Part:
        """Copy one part, or the whole source as the only part. Raises UploadGone, SourceGone.

        Copying the same part twice does no harm. The whole source is copied without a range, since the API reference
        allows ranges only of sources above 5 MB.
        """
        try:
            return self._copy_part(upload_id, source, part, whole=whole)
        except Permanent as trouble:
            raise self._explain_part(trouble, upload_id, source) from trouble.__cause__

    def _explain_part(self, trouble: Permanent, upload_id: str, source: CopySource) -> Permanent:
        """Explain the first denied part of an upload; the others are denied for the same reason."""
        if upload_id not in self._explained:
            read = self._shared.read_by_copies(source.bucket, self._objects(), self._target)
            self._explained[upload_id] = explain_part(trouble, source, read, self._destination({"Key": source.key}))
        return self._explained[upload_id]

    def _copy_part(self, upload_id: str, source: CopySource, part: PartRange, *, whole: bool) -> Part:
        copied: dict[str, Any] = {} if whole else {"CopySourceRange": f"bytes={part.first}-{part.last}"}
        with asking("UploadPartCopy", self.side):
            answer = self._copier.upload_part_copy(
                Bucket=self.bucket,
                Key=source.key,
                UploadId=upload_id,
                PartNumber=part.number,
                CopySource={"Bucket": source.bucket, "Key": source.key, "VersionId": source.version_id},
                CopySourceIfMatch=source.etag,
                **copied,
                **self._owner,
                **self._shared.owner_of_source(source.bucket, self._target),
            )
            result = required(answer, "CopyPartResult")
            return Part(part.number, part.size, required(result, "ETag"), checksum_of(result))

    def parts(self, key: str, upload_id: str, after: int) -> Sequence[Part]:
        """List the parts with numbers above `after`, at most PAGE. Raises UploadGone."""
        try:
            return self._parts(key, upload_id, after)
        except Permanent as trouble:
            raise explain_listing(trouble, key, self._destination({"Key": key})) from trouble.__cause__

    def _parts(self, key: str, upload_id: str, after: int) -> Sequence[Part]:
        with asking("ListParts", self.side):
            answer = self._reader.list_parts(
                Bucket=self.bucket, Key=key, UploadId=upload_id, PartNumberMarker=after, MaxParts=PAGE, **self._owner
            )
            return [_part(item) for item in answer.get("Parts", ())]

    def complete(self, copy: Copy, upload_id: str, parts: Sequence[Part], guard: Guard | None) -> Written:
        """Create the object. Raises Conflict if the guard fails, UploadSpoiled, UploadGone.

        S3 itself compares its size with the source's and, if it can compute one over the whole object, its checksum.
        """
        try:
            return self._complete(copy, upload_id, parts, guard)
        except Permanent as trouble:
            destination, uses_key = self._destination({"Key": copy.key}), copy.encryption.is_kms
            raise explain_completion(trouble, guard, destination, uses_key=uses_key) from trouble.__cause__

    def _complete(self, copy: Copy, upload_id: str, parts: Sequence[Part], guard: Guard | None) -> Written:
        with asking("CompleteMultipartUpload", self.side):
            answer = self._writer.complete_multipart_upload(
                Bucket=self.bucket,
                Key=copy.key,
                UploadId=upload_id,
                MultipartUpload={"Parts": [_completed(part) for part in parts]},  # type: ignore[misc] # made here
                MpuObjectSize=copy.size,
                **_checksum_expected(copy.checksum, parts),
                **_guarded(guard),
                **self._owner,
            )
            return Written(answer.get("VersionId", ""), required(answer, "ETag"), checksum_of(answer))

    def abort(self, key: str, upload_id: str) -> None:
        """Abort an upload. Nothing happens if it does not exist any more."""
        with expecting("AbortMultipartUpload", self.side, NO_UPLOAD):
            self._reader.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload_id, **self._owner)

    def under_way(self, key: str) -> Sequence[OpenUpload]:
        """List the uploads in progress of exactly this key."""
        return [upload for upload in self._uploads(key) if upload.key == key]

    def all_under_way(self) -> Sequence[OpenUpload]:
        """List all uploads in progress in the bucket."""
        return list(self._uploads(""))

    def _uploads(self, prefix: str) -> Iterator[OpenUpload]:
        """List uploads page by page; those of longer keys come after those of the prefix itself."""
        page: dict[str, Any] = {}
        while True:
            with asking("ListMultipartUploads", self.side):
                answer = self._reader.list_multipart_uploads(
                    Bucket=self.bucket, Prefix=prefix, EncodingType="url", **self._owner, **page
                )
                uploads = [_open(item) for item in answer.get("Uploads", ())]
                following = {"KeyMarker": uploads[-1].key, "UploadIdMarker": uploads[-1].id} if uploads else {}
                if answer.get("IsTruncated") and following in ({}, page):
                    raise Unreadable("a page that does not lead on")
            yield from uploads
            if not answer.get("IsTruncated") or (prefix and uploads[-1].key != prefix):
                return
            page = following

    def annotate(self, key: str, version_id: str, name: str, payload: bytes) -> None:
        """Attach one annotation to a version."""
        self._annotations.put(self._copier, key, version_id, name, payload)


def _answered_at(answer: Mapping[str, Any]) -> int:
    """Return the time of a response by S3's own clock, which also sets LastModified."""
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return int(parsedate_to_datetime(date).timestamp()) if date else int(time.time())


def _guarded(guard: Guard | None) -> dict[str, Any]:
    if guard is None:
        return {}
    return {"IfMatch": guard.etag} if guard.etag else {"IfNoneMatch": "*"}


def _checksum_asked_for(checksum: Checksum | None) -> dict[str, Any]:
    if checksum is None:
        return {}
    kind = {"ChecksumType": "FULL_OBJECT" if checksum.full_object else "COMPOSITE"}
    return {"ChecksumAlgorithm": checksum.algorithm} | (kind if checksum.algorithm in WHOLE else {})


def _checksum_expected(checksum: Checksum | None, parts: Sequence[Part]) -> dict[str, Any]:
    """Let S3 compare the checksum with the source's, if it does not depend on how the object was cut into parts.

    The parts of an upload have checksums of the algorithm that it was begun with. If it was begun with another one, or
    with none because the source's could not be read then, S3 refuses every completion that names a checksum.
    """
    if checksum is None or not checksum.full_object or checksum.algorithm not in WHOLE:
        return {}
    if not all(part.checksum and part.checksum.algorithm == checksum.algorithm for part in parts):
        return {}
    return {f"Checksum{checksum.algorithm}": checksum.value, "ChecksumType": "FULL_OBJECT"}


def _part(item: Mapping[str, Any]) -> Part:
    number, size, etag = (required(item, name) for name in ("PartNumber", "Size", "ETag"))
    return Part(number, size, etag, checksum_of(item))


def _completed(part: Part) -> dict[str, Any]:
    checksum = {f"Checksum{part.checksum.algorithm}": part.checksum.value} if part.checksum else {}
    return {"PartNumber": part.number, "ETag": part.etag, **checksum}


def _open(item: Mapping[str, Any]) -> OpenUpload:
    initiator = item.get("Initiator", {}).get("ID", "")
    return OpenUpload(unquote_plus(required(item, "Key")), required(item, "UploadId"), initiator)
