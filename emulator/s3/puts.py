"""PutObject: a new version with a checksum, the bucket's defaults, and an event; guarded writes are atomic.

A browser's POST, whose form moto reads, is stored by the same hand.
"""

from __future__ import annotations

from typing import Any

from moto.s3.models import FakeBucket, S3Backend

from emulator.calls.answers import Answer, S3Error
from emulator.patching import patch
from emulator.s3 import attributes, checksums, encryption, event_records, preconditions
from emulator.s3.histories import current, get_bucket, lock, push, version_id_for_write, written_version_id_header
from emulator.s3.requests import Request
from emulator.s3.versions import Attributes, Version


def put_object(request: Request) -> Answer:
    """PutObject."""
    bucket = request.bucket
    checksum = checksums.of_request(request)
    wanted = attributes.of_request(request, bucket)
    _check_lock_digest(request)
    with lock(bucket):
        preconditions.check_write(request, current(bucket, request.key))
        version = Version(
            request.key,
            request.body,
            wanted,
            bucket=bucket,
            version_id=version_id_for_write(bucket),
            checksum=checksum,
        )
        push(bucket, version)
    event_records.announce("ObjectCreated:Put", bucket, version)
    headers = {"ETag": version.etag, **checksums.as_headers(checksum), **encryption.as_headers(wanted.encryption)}
    return Answer(200, headers | written_version_id_header(version))


def _check_lock_digest(request: Request) -> None:
    """Demand a digest with lock headers: a locked object cannot be written again when it arrived damaged."""
    locked = any(True for _ in request.headers("x-amz-object-lock-"))
    if locked and not request.header("Content-MD5") and checksums.sent_checksum(request) is None:
        message = (
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters"
        )
        raise S3Error(400, "InvalidRequest", message)


@patch(S3Backend, "put_object")
def _stored_by_moto(
    _original: Any,
    _backend: S3Backend,
    bucket_name: str,
    key_name: str,
    value: bytes,
    **arguments: Any,
) -> Version:
    """Store what moto itself wants to write: the object of a browser's form."""
    bucket: FakeBucket = get_bucket(bucket_name)
    with lock(bucket):
        version = Version(
            key_name,
            value,
            Attributes(system={"Content-Type": attributes.DEFAULT_CONTENT_TYPE}),
            bucket=bucket,
            version_id=version_id_for_write(bucket),
            checksum=checksums.compute(value, checksums.DEFAULT),
        )
        push(bucket, version)
    posted = arguments.get("request_method") == "POST"
    event_records.announce("ObjectCreated:Post" if posted else "ObjectCreated:Put", bucket, version)
    return version
