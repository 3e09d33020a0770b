"""The port `LargeObjects` on S3: the sizes of a version's parts, and its annotations.

Separate from objects.py because only copies in parts need them.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from replicator.aws.annotations import BucketAnnotations
from replicator.aws.asking import expecting, required
from replicator.aws.errors import Side
from replicator.core.parts.uploads import CopySource

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

NO_PART = frozenset({"416"})


class BucketLargeObjects:
    """One bucket, for reading what only copies in parts need."""

    def __init__(
        self, bucket: str, side: Side, reader: "S3Client", account: str = "", annotated: set[str] | None = None
    ) -> None:
        """Take a client. `annotated`: the buckets that were seen to have annotations, one set for a container."""
        self.bucket = bucket
        self.side = side
        self._reader = reader
        self._owner: dict[str, Any] = {"ExpectedBucketOwner": account} if account else {}
        working = set() if annotated is None else annotated
        self._annotations = BucketAnnotations(bucket, side, reader, self._owner, working)

    def part_size(self, source: CopySource, number: int) -> int:
        """Return the size in bytes of one part of a version; 0 if the bucket knows no such part. Raises SourceGone."""
        with expecting("HeadObject", self.side, NO_PART):
            answer = self._reader.head_object(
                Bucket=self.bucket,
                Key=source.key,
                VersionId=source.version_id,
                PartNumber=number,
                IfMatch=source.etag,
                **self._owner,
            )
            return int(required(answer, "ContentLength"))
        return 0

    def annotations(self, key: str, version_id: str) -> Mapping[str, str] | None:
        """Return the ETags of a version's annotations by name; None if the bucket does not support them."""
        return self._annotations.etags(key, version_id)

    def annotation(self, key: str, version_id: str, name: str, etag: str) -> bytes | None:
        """Read one annotation, 1 MiB at most; None if it was deleted or overwritten since it had this ETag."""
        return self._annotations.payload(key, version_id, name, etag)
