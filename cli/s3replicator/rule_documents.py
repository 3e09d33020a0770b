"""The rule documents in the control bucket as the operator's command reads and writes them.

Separate from what functions use to read them: this one wants the text, and the reason why something is not allowed.
"""

from typing import TYPE_CHECKING

from replicator.aws.rule_store import PREFIX, SUFFIX, document_key

from s3replicator.calls import calling
from s3replicator.findings import CallFailed

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


class RuleDocuments:
    """The port `Documents` on S3. Every method raises CallFailed."""

    def __init__(self, s3: "S3Client", control_bucket: str) -> None:
        self._s3 = s3
        self._control_bucket = control_bucket

    def buckets(self) -> tuple[str, ...]:
        """Return the source buckets that have a document, in the order of their names."""
        with calling("s3:ListBucket"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._control_bucket, Prefix=PREFIX)
            keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
        return tuple(sorted(key[len(PREFIX) : -len(SUFFIX)] for key in keys if key.endswith(SUFFIX)))

    def read(self, bucket: str) -> bytes | None:
        """Return a bucket's document as it is stored, or None."""
        try:
            with calling("s3:GetObject"):
                return self._s3.get_object(Bucket=self._control_bucket, Key=document_key(bucket))["Body"].read()
        except CallFailed as failed:
            if failed.obstacle.code == "NoSuchKey":
                return None
            raise

    def write(self, bucket: str, text: bytes) -> None:
        """Store a bucket's document; the control bucket is versioned and keeps the one before."""
        key, kind = document_key(bucket), "application/json"
        with calling("s3:PutObject"):
            self._s3.put_object(Bucket=self._control_bucket, Key=key, Body=text, ContentType=kind)

    def remove(self, bucket: str) -> None:
        """Put a delete marker on a bucket's document."""
        with calling("s3:DeleteObject"):
            self._s3.delete_object(Bucket=self._control_bucket, Key=document_key(bucket))
