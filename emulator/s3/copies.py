"""CopyObject: an atomic copy of one version of at most 5 GB, with conditions on the source and on the destination.

The copy is a single-part object, and has the ETag of one, even if the source was uploaded in parts. A copy onto itself
must change something. An encryption of the bucket's own, or a source that is not encrypted with SSE-S3, was recorded to
be enough. A copy into a suspended bucket answers the version id "null", which other writes do not. The id "null" of the
source is not answered unless it was named.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
"""

from __future__ import annotations

from dataclasses import replace

from moto.s3.models import FakeBucket

from emulator.calls.answers import Answer, S3Error, s3_answer, xml_date
from emulator.s3 import attributes, checksums, encryption, event_records, preconditions
from emulator.s3.buckets import has_own_encryption
from emulator.s3.copy_sources import check_size, copied_version_id_header, get_source, parse, wait_for_bytes
from emulator.s3.histories import current, lock, push, version_id_header
from emulator.s3.requests import Request
from emulator.s3.version_ids import NULL
from emulator.s3.versions import Checksum, Version


def copy_object(request: Request) -> Answer:
    """CopyObject."""
    bucket = request.bucket
    source_bucket, source = get_source(request)
    check_size(source.size)
    _check_changes_something(request, bucket, source)
    wanted = attributes.of_copy(request, bucket, source)
    checksum = _checksum(request, source)
    wait_for_bytes(source.size)
    with lock(bucket):
        preconditions.check_write(request, current(bucket, request.key))
        copy = Version(
            request.key,
            source.value,
            wanted,
            bucket=bucket,
            checksum=checksum,
        )
        if (request.header("x-amz-object-annotation-directive") or "COPY").upper() == "COPY":
            copy.annotations = dict(source.annotations)
        push(bucket, copy)
    event_records.announce("ObjectCreated:Copy", bucket, copy)
    headers = version_id_header(bucket, copy)
    if source.version_id != NULL or _names_version(request):
        headers |= copied_version_id_header(source_bucket, source)
    headers |= encryption.as_headers(wanted.encryption)
    content = {"ETag": copy.etag, "LastModified": xml_date(copy.last_modified), **checksums.as_xml(checksum)}
    return s3_answer("CopyObjectResult", content, headers)


def _names_version(request: Request) -> bool:
    return parse(request.header("x-amz-copy-source") or "")[2] is not None


def _check_changes_something(request: Request, bucket: FakeBucket, source: Version) -> None:
    source_name, key, version_id = parse(request.header("x-amz-copy-source") or "")
    changes = (
        version_id,
        request.header_is("x-amz-metadata-directive", "REPLACE"),
        request.header("x-amz-storage-class"),
        request.header("x-amz-website-redirect-location"),
        request.header("x-amz-server-side-encryption"),
        request.header("x-amz-checksum-algorithm"),
        has_own_encryption(bucket),
        source.attributes.encryption.algorithm != "AES256",
    )
    if (source_name, key) == (bucket.name, request.key) and not any(changes):
        message = (
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes."
        )
        raise S3Error(400, "InvalidRequest", message)


def _checksum(request: Request, source: Version) -> Checksum:
    algorithm = checksums.requested_algorithm(request) or (
        source.checksum.algorithm if source.checksum else checksums.DEFAULT
    )
    if source.checksum and source.checksum.algorithm == algorithm and source.checksum.type == "FULL_OBJECT":
        return replace(source.checksum)
    return checksums.compute(source.value, algorithm)
