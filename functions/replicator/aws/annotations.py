"""One bucket's annotations: their names, their payloads, and whether the bucket supports annotations.

Not every Region does, and a server that ignores `?annotation` answers with the object, or overwrites it. So a bucket is
asked first for an annotation that nobody has, and the payload is not read. Only the error `NoSuchAnnotation`, or the
header with the object's version id that only annotations have, shows that annotations are supported.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAnnotation.html
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from replicator.aws.asking import expecting, required
from replicator.aws.errors import Side
from replicator.core.outcomes.outcome import Permanent, Reason

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

LARGEST = 1024**2
"""Bytes that an annotation may have (API reference, PutObjectAnnotation)."""
PROBE = "replicator-probe"
NO_SUCH_ANNOTATION = "NoSuchAnnotation"
NONE_HERE = frozenset({400, 404, 405, 501})
"""Statuses that mean: no such annotation, no such version, or no support for annotations."""
GONE = frozenset({"NoSuchVersion", "NoSuchKey"})
NOT_FOUND = {Side.SOURCE: Reason.SRC_VERSION_NOT_FOUND, Side.DESTINATION: Reason.DST_VERSION_NOT_FOUND}


class BucketAnnotations:
    """One bucket's annotations. working: buckets that were seen to support them, shared by the whole container.

    A version that is gone has none.
    """

    def __init__(self, bucket: str, side: Side, reader: "S3Client", owner: dict[str, Any], working: set[str]) -> None:
        self.bucket = bucket
        self.side = side
        self._reader = reader
        self._owner = owner
        self._working = working

    def etags(self, key: str, version_id: str) -> dict[str, str] | None:
        """Return the ETags of a version's annotations by name; None if the bucket does not support them."""
        if not self._works(key, version_id):
            return None
        with expecting("ListObjectAnnotations", self.side, statuses=NONE_HERE) as asked:
            return dict(self._pages(key, version_id))
        self._check_exists("ListObjectAnnotations", asked)
        return {}

    def _check_exists(self, operation: str, asked: expecting) -> None:
        """Do nothing: the version may be gone."""

    def _works(self, key: str, version_id: str) -> bool:
        """Return whether the bucket supports annotations. A "no" is not remembered: it may have had another cause."""
        if self.bucket not in self._working and self._probe(key, version_id):
            self._working.add(self.bucket)
        return self.bucket in self._working

    def _probe(self, key: str, version_id: str) -> bool:
        with expecting("GetObjectAnnotation", self.side, statuses=NONE_HERE) as asked:
            answer = self._reader.get_object_annotation(
                Bucket=self.bucket, Key=key, VersionId=version_id, AnnotationName=PROBE, **self._owner
            )
            answer["AnnotationPayload"].close()
            return "ObjectVersionId" in answer
        self._check_exists("GetObjectAnnotation", asked)
        return asked.code == NO_SUCH_ANNOTATION

    def _pages(self, key: str, version_id: str) -> Iterator[tuple[str, str]]:
        page: dict[str, Any] = {}
        while True:
            answer = self._reader.list_object_annotations(
                Bucket=self.bucket, Key=key, VersionId=version_id, **self._owner, **page
            )
            for item in answer.get("Annotations", ()):
                yield required(item, "AnnotationName"), item.get("ETag", "")
            if not answer.get("NextContinuationToken"):
                return
            page = {"ContinuationToken": answer["NextContinuationToken"]}

    def payload(self, key: str, version_id: str, name: str, etag: str) -> bytes | None:
        """Read one annotation; None if it was deleted or overwritten since it had this ETag.

        Raises Permanent if it is too large for one.
        """
        with expecting("GetObjectAnnotation", self.side, statuses=NONE_HERE) as asked:
            answer = self._reader.get_object_annotation(
                Bucket=self.bucket, Key=key, VersionId=version_id, AnnotationName=name, **self._owner
            )
            body = answer["AnnotationPayload"]
            if not _is_same(answer.get("ETag", ""), etag):
                body.close()
                return None
            payload = body.read(LARGEST + 1)
            if len(payload) <= LARGEST:
                body.read(1)  # at the end, botocore compares what came with Content-Length
                return payload
            body.close()
            raise Permanent(Reason.UNKNOWN, f"GetObjectAnnotation ({self.side}): more than {LARGEST} bytes")
        self._check_exists("GetObjectAnnotation", asked)
        return None

    def put(self, writer: "S3Client", key: str, version_id: str, name: str, payload: bytes) -> None:
        """Put one annotation on a version. Raises Permanent if the bucket refuses it, whatever the reason."""
        with expecting("PutObjectAnnotation", self.side, statuses=NONE_HERE) as asked:
            writer.put_object_annotation(
                Bucket=self.bucket,
                Key=key,
                VersionId=version_id,
                AnnotationName=name,
                AnnotationPayload=payload,
                **self._owner,
            )
            return
        self._check_exists("PutObjectAnnotation", asked)
        raise Permanent(Reason.UNKNOWN, f"PutObjectAnnotation ({self.side}): {asked.code}")

    def remove(self, writer: "S3Client", key: str, version_id: str, name: str) -> None:
        """Delete one annotation. Nothing happens if it does not exist any more."""
        with expecting("DeleteObjectAnnotation", self.side, statuses=NONE_HERE) as asked:
            writer.delete_object_annotation(
                Bucket=self.bucket, Key=key, VersionId=version_id, AnnotationName=name, **self._owner
            )
        self._check_exists("DeleteObjectAnnotation", asked)


class AnnotationsOfExisting(BucketAnnotations):
    """The same for who must tell a version without annotations from one that is gone: all methods raise Permanent."""

    def _check_exists(self, operation: str, asked: expecting) -> None:
        if asked.code in GONE:
            raise Permanent(NOT_FOUND[self.side], f"{operation} ({self.side}): {asked.code}", self.side)


def _is_same(etag: str, other: str) -> bool:
    """Return whether two ETags are equal, one of a list and one of a header. A server may leave either out."""
    return not etag or not other or etag.strip('"') == other.strip('"')
