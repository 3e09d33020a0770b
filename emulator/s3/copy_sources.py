"""The source of a copy: which version the x-amz-copy-source header names, and whether it may be copied.

A delete marker cannot be copied, nor what lies in an archive, nor an SSE-C object without its key.
"""

from __future__ import annotations

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
        message = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"
        raise S3Error(400, "InvalidArgument", message, ArgumentName="x-amz-copy-source", ArgumentValue=header)
    return bucket, key, unquote(version_id) if named else None


def region(header: str) -> str | None:
    """Return the Region of a copy's source, None when there is no such bucket."""
    bucket = find_bucket(unquote(header).removeprefix("/").partition("/")[0])
    return bucket.region_name if bucket else None


def get_source(request: Request) -> tuple[FakeBucket, Version]:
    """Return the version that a request copies. Raises whatever S3 says about a source that it cannot copy."""
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
    """Raise InvalidRequest if these are more bytes than one request copies."""
    largest = active().limits.single_copy_bytes
    if size > largest:
        message = f"The specified copy source is larger than the maximum allowable size for a copy source: {largest}"
        raise S3Error(400, "InvalidRequest", message)


def copied_version_id_header(bucket: FakeBucket, version: Version) -> dict[str, str]:
    """Return the header that tells which version was copied."""
    return {} if bucket.versioning_status is None else {"x-amz-copy-source-version-id": version.version_id}
