"""One bucket's objects, to read from: what only copies in parts ask.

Separate from objects.py because most changes never ask it, and because a conflict here has a kind: what it was that is
gone decides what is to be done.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from replicator.aws.errors import Side, code_of
from replicator.aws.objects import request
from replicator.core.outcomes.outcome import Conflict
from replicator.core.parts.uploads import CopySource, SourceGone, UploadGone, UploadSpoiled

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

T = TypeVar("T")

NO_ANNOTATIONS = frozenset({"NotImplemented", "MethodNotAllowed", "XNotImplemented", "NoSuchAnnotation"})
CONFLICTS: Mapping[tuple[str, str], type[Conflict]] = {
    ("HeadObject", "404"): SourceGone,
    ("HeadObject", "412"): SourceGone,
    ("UploadPartCopy", "NoSuchKey"): SourceGone,
    ("UploadPartCopy", "NoSuchVersion"): SourceGone,
    ("UploadPartCopy", "PreconditionFailed"): SourceGone,
    ("UploadPartCopy", "NoSuchUpload"): UploadGone,
    ("ListParts", "NoSuchUpload"): UploadGone,
    ("CompleteMultipartUpload", "NoSuchUpload"): UploadGone,
    ("CompleteMultipartUpload", "ConditionalRequestConflict"): UploadSpoiled,
    ("CompleteMultipartUpload", "NoSuchKey"): Conflict,  # the guarded object is gone
}


def conflicting(call: Callable[[], T], operation: str, side: Side) -> T:
    """Make one request; a conflict comes back as the kind of conflict that it is."""

    def told() -> T:
        try:
            return call()
        except ClientError as error:
            kind = CONFLICTS.get((operation, code_of(error)))
            if kind is None:
                raise
            raise kind(f"{operation} ({side}): {code_of(error)}") from error

    return request(told, operation, side)


class BucketLargeObjects:
    """One bucket, to read from: what only copies in parts ask."""

    def __init__(self, bucket: str, side: Side, reader: "S3Client", account: str = "") -> None:
        self.bucket = bucket
        self.side = side
        self._reader = reader
        self._owner: dict[str, Any] = {"ExpectedBucketOwner": account} if account else {}

    def part_size(self, source: CopySource, number: int) -> int:
        """Read the bytes of one part as the version was uploaded; SourceGone."""
        answer = conflicting(
            lambda: self._reader.head_object(
                Bucket=self.bucket,
                Key=source.key,
                VersionId=source.version_id,
                PartNumber=number,
                IfMatch=source.etag,
                **self._owner,
            ),
            "HeadObject",
            self.side,
        )
        return answer["ContentLength"]

    def annotations(self, key: str, version_id: str) -> tuple[str, ...]:
        """List the names of a version's annotations; empty where there are none, or no such thing."""
        names = _unless_none(lambda: [*self._annotations(key, version_id)], "ListObjectAnnotations", self.side)
        return tuple(names or ())

    def _annotations(self, key: str, version_id: str) -> Iterator[str]:
        page: dict[str, Any] = {}
        while True:
            answer = self._reader.list_object_annotations(
                Bucket=self.bucket, Key=key, VersionId=version_id, **self._owner, **page
            )
            yield from (item["AnnotationName"] for item in answer.get("Annotations", ()))
            if not answer.get("NextContinuationToken"):
                return
            page = {"ContinuationToken": answer["NextContinuationToken"]}

    def annotation(self, key: str, version_id: str, name: str) -> bytes | None:
        """Read one annotation, 1 MiB at most; None if it is gone."""

        def read() -> bytes:
            answer = self._reader.get_object_annotation(
                Bucket=self.bucket, Key=key, VersionId=version_id, AnnotationName=name, **self._owner
            )
            return answer["AnnotationPayload"].read()

        return _unless_none(read, "GetObjectAnnotation", self.side)


def _unless_none(call: Callable[[], T], operation: str, side: Side) -> T | None:
    def told() -> T | None:
        try:
            return call()
        except ClientError as error:
            if code_of(error) in NO_ANNOTATIONS:
                return None
            raise

    return request(told, operation, side)
