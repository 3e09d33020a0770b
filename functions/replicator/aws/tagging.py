"""The port `Tagging` on S3: reads and replaces tags of source versions, if the parameter SourceStatusTag is on.

Separate from objects.py because it writes to the source, which nothing else does.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from replicator.aws.asking import asking
from replicator.aws.errors import Side
from replicator.aws.objects import tags_of

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


class SourceTagging:
    """Tags of versions in the stack's own Region."""

    def __init__(self, client: "S3Client", account: str = "") -> None:
        """Take a client. account: the owner of the buckets, if it must be checked."""
        self._client = client
        self._owner: dict[str, Any] = {"ExpectedBucketOwner": account} if account else {}

    def tags(self, bucket: str, key: str, version_id: str) -> Mapping[str, str]:
        """Read the tags of one version. Raises Temporary or Permanent."""
        with asking("GetObjectTagging", Side.SOURCE):
            answer = self._client.get_object_tagging(Bucket=bucket, Key=key, VersionId=version_id, **self._owner)
            return tags_of(answer)

    def put_tags(self, bucket: str, key: str, version_id: str, tags: Mapping[str, str]) -> None:
        """Replace the tags of one version. Raises Temporary or Permanent."""
        wanted: Any = {"TagSet": [{"Key": name, "Value": value} for name, value in tags.items()]}
        named = {"Bucket": bucket, "Key": key, "VersionId": version_id, **self._owner}
        with asking("PutObjectTagging", Side.SOURCE):
            self._client.put_object_tagging(**named, Tagging=wanted)
