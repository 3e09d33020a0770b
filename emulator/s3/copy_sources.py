"""The source of a copy: the version that x-amz-copy-source names, and whether it can be copied.

Delete markers, archived objects without a restored copy, and SSE-C objects without their key cannot be copied.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
"""

from __future__ import annotations

from time import sleep
from urllib.parse import unquote

from moto.s3.models import FakeBucket

from emulator.calls.answers import S3Error
from emulator.s3 import attributes, encryption, preconditions
from emulator.s3.histories import find, find_bucket, get_bucket, get_version
from emulator.s3.requests import Request
from emulator.s3.versions import Marker, Version
from emulator.state import active


def parse(header: str) -> tuple[str, str, str | None]:
    """Return the bucket, key and version id of a copy source. Raises InvalidArgument."""
    path, named, version_id = header.partition("?versionId=")
    bucket, slash, key = unquote(path).removeprefix("/").partition("/")
    if not bucket or not slash or not key:
        message, name = "Invalid copy source object key", "x-amz-copy-source"
        raise S3Error(400, "InvalidArgument", message, ArgumentName=name, ArgumentValue=name)  # as recorded
    return bucket, key, unquote(version_id) if named else None


def region(header: str) -> str | None:
    """Return the Region of a copy source's bucket; None if there is no such bucket."""
    bucket = find_bucket(unquote(header).removeprefix("/").partition("/")[0])
    return bucket.region_name if bucket else None


def get_source(request: Request) -> tuple[FakeBucket, Version]:
    """Return the bucket and version that a request copies. Raises S3Error if the source cannot be copied."""
    name, key, version_id = parse(request.header("x-amz-copy-source") or "")
    bucket = get_bucket(name)
    if version_id is not None and isinstance(find(bucket, key, version_id), Marker):
        message = "The source of a copy request may not specifically refer to a delete marker by version id."
        raise S3Error(400, "InvalidRequest", message)
    version = get_version(bucket, key, version_id, request.method)
    preconditions.check_source(request, version)
    encryption.check_readable(version, request, as_copy_source=True)
    if attributes.is_archived(version):
        message = "Operation is not valid for the source object's storage class"
        raise S3Error(403, "InvalidObjectState", message, StorageClass=version.storage_class)
    return bucket, version


def check_size(size: int) -> None:
    """Raise InvalidRequest if this many bytes are too many for one copy request."""
    largest = active().limits.single_copy_bytes
    if size > largest:
        message = f"The specified copy source is larger than the maximum allowable size for a copy source: {largest}"
        raise S3Error(400, "InvalidRequest", message)


def wait_for_bytes(size: int) -> None:
    """Return once so many bytes are copied. They are, even if the caller has given up meanwhile."""
    if seconds := active().latency.copy_seconds(size):
        sleep(seconds)


def copied_version_id_header(bucket: FakeBucket, version: Version) -> dict[str, str]:
    """Return the header that names the version copied; none if the source bucket was never versioned."""
    return {} if bucket.versioning_status is None else {"x-amz-copy-source-version-id": version.version_id}
