"""The rule documents in the control bucket, as the command reads and writes them.

Separate from the rule store of the functions, which caches parsed rules: the command needs the text, and an error that
names the missing IAM action.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from replicator.aws.rule_store import PREFIX, SUFFIX, document_key

from s3replicator.calls import calling
from s3replicator.failed_calls import CallFailed
from s3replicator.output import fail

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def read_argument(file: str) -> bytes:
    """Return what a file has, or standard input for -. Ends the command with exit status 2 if it cannot be read."""
    if file == "-" and sys.stdin is None:
        fail("cannot read standard input: it is closed")
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except (OSError, ValueError) as error:
        fail(f"cannot read {file}: {getattr(error, 'strerror', None) or error}")


class RuleDocuments:
    """The port `Documents` on S3. Every method raises CallFailed."""

    def __init__(self, s3: "S3Client", control_bucket: str) -> None:
        self._s3 = s3
        self._control_bucket = control_bucket

    def buckets(self) -> tuple[str, ...]:
        """Return the source buckets that have a document, sorted by name."""
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
            if failed.call.code == "NoSuchKey":
                return None
            raise

    def write(self, bucket: str, text: bytes) -> None:
        """Store a bucket's document. The control bucket is versioned and keeps the previous one."""
        key, kind = document_key(bucket), "application/json"
        with calling("s3:PutObject"):
            self._s3.put_object(Bucket=self._control_bucket, Key=key, Body=text, ContentType=kind)

    def remove(self, bucket: str) -> None:
        """Put a delete marker on a bucket's document."""
        with calling("s3:DeleteObject"):
            self._s3.delete_object(Bucket=self._control_bucket, Key=document_key(bucket))
