"""The coverage records in the control bucket, as the command reads and writes them, beside the rule documents.

Separate from the store of the functions, which takes what it cannot read for "not proven": here an error names the
missing IAM action.
"""

from typing import TYPE_CHECKING

from replicator.aws.coverage_store import coverage_key

from s3replicator.calls import calling
from s3replicator.failed_calls import CallFailed

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


class CoverageFiles:
    """The port `CoverageDocuments` on S3. Every method raises CallFailed."""

    def __init__(self, s3: "S3Client", control_bucket: str) -> None:
        self._s3 = s3
        self._control_bucket = control_bucket

    def read(self, bucket: str) -> bytes | None:
        """Return the record of a source bucket, or None."""
        try:
            with calling("s3:GetObject"):
                return self._s3.get_object(Bucket=self._control_bucket, Key=coverage_key(bucket))["Body"].read()
        except CallFailed as failed:
            if failed.call.code == "NoSuchKey":
                return None
            raise

    def write(self, bucket: str, text: bytes) -> None:
        """Store a record."""
        key, kind = coverage_key(bucket), "application/json"
        with calling("s3:PutObject"):
            self._s3.put_object(Bucket=self._control_bucket, Key=key, Body=text, ContentType=kind)

    def remove(self, bucket: str) -> None:
        """Put a delete marker on a record."""
        with calling("s3:DeleteObject"):
            self._s3.delete_object(Bucket=self._control_bucket, Key=coverage_key(bucket))

    def has_versions(self, bucket: str) -> bool:
        """Return whether a source bucket has any version or delete marker: one request."""
        with calling("s3:ListBucketVersions"):
            answer = self._s3.list_object_versions(Bucket=bucket, MaxKeys=1)
        return bool(answer.get("Versions") or answer.get("DeleteMarkers"))
