"""PutObject: a new version with a checksum and the bucket's defaults; conditional writes are atomic.

A browser's POST form, which moto parses, is stored here as well.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from __future__ import annotations

from typing import Any

from moto.s3.models import FakeBucket, S3Backend

from emulator.calls.answers import Answer, S3Error
from emulator.patching import patch
from emulator.s3 import attributes, checksums, encryption, event_records, preconditions
from emulator.s3.histories import current, get_bucket, lock, push, written_version_id_header
from emulator.s3.owners import full_control
from emulator.s3.requests import Request
from emulator.s3.versions import Attributes, Version


def put_object(request: Request) -> Answer:
    """PutObject."""
    bucket = request.bucket
    request.check_length()
    checksum = checksums.of_request(request)
    wanted = attributes.of_request(request, bucket)
    _check_lock_digest(request)
    with lock(bucket):
        preconditions.check_write(request, current(bucket, request.key))
        version = Version(request.key, request.body, wanted, bucket=bucket, checksum=checksum)
        push(bucket, version)
    event_records.announce("ObjectCreated:Put", bucket, version)
    headers = {"ETag": version.etag, **checksums.as_headers(checksum), **encryption.as_headers(wanted.encryption)}
    return Answer(200, headers | written_version_id_header(version))


def _check_lock_digest(request: Request) -> None:
    """Require a digest together with lock headers."""
    locked = any(True for _ in request.headers("x-amz-object-lock-"))
    if locked and not request.header("Content-MD5") and checksums.sent_checksum(request) is None:
        message = (
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters"
        )
        raise S3Error(400, "InvalidRequest", message)


@patch(S3Backend, "put_object")
def _store_form(
    _original: Any,
    _backend: S3Backend,
    bucket_name: str,
    key_name: str,
    value: bytes,
    **arguments: Any,
) -> Version:
    """Store an object that moto writes: that of a browser's POST form."""
    bucket: FakeBucket = get_bucket(bucket_name)
    with lock(bucket):
        version = Version(
            key_name,
            value,
            Attributes({}, {"Content-Type": attributes.DEFAULT_CONTENT_TYPE}, acl=full_control(bucket.account_id)),
            bucket=bucket,
            checksum=checksums.compute(value, checksums.DEFAULT),
        )
        push(bucket, version)
    posted = arguments.get("request_method") == "POST"
    event_records.announce("ObjectCreated:Post" if posted else "ObjectCreated:Put", bucket, version)
    return version
