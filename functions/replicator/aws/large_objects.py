"""One bucket's objects, to read from: the sizes of parts, and annotations.

Separate from objects.py because only copies in parts need them, and most changes never do.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from replicator.aws.asking import asking, expecting, required
from replicator.aws.errors import Side
from replicator.core.parts.uploads import CopySource

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

NO_ANNOTATIONS = frozenset({"NotImplemented", "MethodNotAllowed", "XNotImplemented", "NoSuchAnnotation"})


class BucketLargeObjects:
    """One bucket, to read from: what only copies in parts ask."""

    def __init__(self, bucket: str, side: Side, reader: "S3Client", account: str = "") -> None:
        self.bucket = bucket
        self.side = side
        self._reader = reader
        self._owner: dict[str, Any] = {"ExpectedBucketOwner": account} if account else {}

    def part_size(self, source: CopySource, number: int) -> int:
        """Read the bytes of one part as the version was uploaded; SourceGone."""
        with asking("HeadObject", self.side):
            answer = self._reader.head_object(
                Bucket=self.bucket,
                Key=source.key,
                VersionId=source.version_id,
                PartNumber=number,
                IfMatch=source.etag,
                **self._owner,
            )
            return int(required(answer, "ContentLength"))

    def annotations(self, key: str, version_id: str) -> tuple[str, ...]:
        """List the names of a version's annotations; empty where there are none, or no such thing."""
        with expecting("ListObjectAnnotations", self.side, NO_ANNOTATIONS):
            return tuple(self._annotations(key, version_id))
        return ()

    def _annotations(self, key: str, version_id: str) -> Iterator[str]:
        page: dict[str, Any] = {}
        while True:
            answer = self._reader.list_object_annotations(
                Bucket=self.bucket, Key=key, VersionId=version_id, **self._owner, **page
            )
            yield from (required(item, "AnnotationName") for item in answer.get("Annotations", ()))
            if not answer.get("NextContinuationToken"):
                return
            page = {"ContinuationToken": answer["NextContinuationToken"]}

    def annotation(self, key: str, version_id: str, name: str) -> bytes | None:
        """Read one annotation, 1 MiB at most; None if it is gone."""
        with expecting("GetObjectAnnotation", self.side, NO_ANNOTATIONS):
            answer = self._reader.get_object_annotation(
                Bucket=self.bucket, Key=key, VersionId=version_id, AnnotationName=name, **self._owner
            )
            return answer["AnnotationPayload"].read()
        return None
