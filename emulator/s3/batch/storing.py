"""Objects that a job writes: its completion report, and the manifest that S3 generates for it.

Separate from S3's own PutObject, because the job's role is asked, not the caller of a request.
"""

from __future__ import annotations

from typing import Any

from moto.s3.models import FakeBucket

from emulator.s3 import checksums, event_records
from emulator.s3.batch import permissions
from emulator.s3.batch.jobs import Job, Unusable
from emulator.s3.histories import lock, push
from emulator.s3.versions import Attributes, Encryption, Version


def put(  # noqa: PLR0913 - what, where, for whom, and how
    job: Job, bucket: FakeBucket, key: str, body: bytes, *, denied: Unusable, encryption: Encryption | None = None
) -> Version:
    """Write an object as the job's role, encrypted with SSE-S3 unless another encryption is given. Raises `denied`."""
    if not permissions.may_on(job, "s3:PutObject", bucket, key):
        raise denied
    attributes = Attributes(encryption=encryption or Encryption())
    version = Version(key, body, attributes, bucket=bucket, checksum=checksums.compute(body, checksums.DEFAULT))
    with lock(bucket):
        push(bucket, version)
    event_records.announce("ObjectCreated:Put", bucket, version)
    return version


def bucket_named(arn: Any) -> str:
    """Return the name in the ARN of a bucket."""
    return str(arn).rpartition(":")[2]
