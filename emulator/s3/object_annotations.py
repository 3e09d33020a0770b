"""Annotations: up to 1,000 named payloads of 1 byte to 1 MiB per version, except with SSE-C.

They belong to the version. CopyObject copies them unless the directive is EXCLUDE; multipart copies never do. Adding or
deleting one changes neither the bytes nor the ETag of the version, and sends an event of its own. They are encrypted
like their version: with a KMS key, whoever puts or reads one needs the key (API_PutObjectAnnotation). A version under
retention takes none; from one in governance mode they are deleted with the bypass header. A name has letters and digits
of any script, and `_ . -`; names that begin with `aws` or `s3` are AWS's.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/annotations-overview.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/annotations-managing.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAnnotation.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectAnnotation.html
"""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Any

from emulator.calls.answers import Answer, S3Error, http_date, s3_answer, xml_date
from emulator.s3 import checksums, encryption, event_records, locks, preconditions
from emulator.s3.histories import lock
from emulator.s3.requests import Request
from emulator.s3.versions import Annotation, Version, now

_MOST, _LARGEST, _LONGEST_NAME = 1000, 1024**2, 512
_RESERVED = ("aws", "s3")


def put_object_annotation(request: Request) -> Answer:
    """PutObjectAnnotation."""
    name, payload = _name(request), request.body
    if not 0 < len(payload) <= _LARGEST:
        message = "The annotation payload must be between 1 byte and 1 MiB."
        raise S3Error(400, "InvalidRequest", message, ProposedSize=len(payload), MaxSizeAllowed=_LARGEST)
    etag = f'"{hashlib.md5(payload, usedforsecurity=False).hexdigest()}"'
    annotation = Annotation(payload, etag, now(), checksums.of_request(request))
    with lock(request.bucket):
        version = _version(request)
        locks.check_annotatable(version)
        if version.attributes.encryption.customer_key_md5:
            raise S3Error(400, "InvalidRequest", "Objects encrypted with SSE-C cannot have annotations.")
        encryption.check_encryptable(version.attributes.encryption, request.bucket)
        if name not in version.annotations and len(version.annotations) >= _MOST:
            message = "The object already has the maximum number of annotations."
            raise S3Error(400, "AnnotationLimitExceeded", message)
        version.annotations = version.annotations | {name: annotation}
    event_records.announce("ObjectAnnotation:Put", request.bucket, version)
    content = {"Key": request.key, "AnnotationName": name}
    headers = {"ETag": etag, **checksums.as_headers(annotation.checksum), **_object_version_id(version)}
    return s3_answer("PutObjectAnnotationOutput", content, headers)


def get_object_annotation(request: Request) -> Answer:
    """GetObjectAnnotation."""
    version, name = _version(request), _name(request)
    annotation = version.annotations.get(name)
    if annotation is None:
        raise S3Error(404, "NoSuchAnnotation", "The specified annotation does not exist.", AnnotationName=name)
    encryption.check_decryptable(version.attributes.encryption, request.bucket)
    headers = {
        "ETag": annotation.etag,
        "Last-Modified": http_date(annotation.last_modified),
        "Content-Type": "application/octet-stream",
        **_object_version_id(version),
    }
    if request.header_is("x-amz-checksum-mode", "ENABLED"):
        headers |= checksums.as_headers(annotation.checksum)
    return Answer(200, headers, annotation.payload)


def list_object_annotations(request: Request) -> Answer:
    """ListObjectAnnotations, by name; the continuation token is the last name of the previous page."""
    version, query = _version(request), request.query
    prefix, after = query.get("annotation-prefix", ""), query.get("continuation-token", "")
    most = request.page_size("max-annotation-results", _MOST)
    names = [name for name in sorted(version.annotations) if name.startswith(prefix) and name > after]
    page = names[:most]
    content: dict[str, Any] = {
        "Annotations": [_listed(name, version.annotations[name]) for name in page],
        "Bucket": request.bucket.name,
        "Key": request.key,
        "AnnotationPrefix": prefix or None,
        "MaxAnnotationResults": most,
        "AnnotationCount": len(page),
        "ContinuationToken": after or None,
        "NextContinuationToken": page[-1] if len(names) > len(page) else None,
    }
    content["Annotations"] = {"AnnotationEntry": content["Annotations"]}
    return s3_answer("ListObjectAnnotationsOutput", content, _object_version_id(version))


def _listed(name: str, annotation: Annotation) -> dict[str, Any]:
    return {
        "AnnotationName": name,
        "LastModified": xml_date(annotation.last_modified),
        "ETag": annotation.etag,
        "ChecksumAlgorithm": annotation.checksum.algorithm,
        "Size": len(annotation.payload),
    }


def delete_object_annotation(request: Request) -> Answer:
    """DeleteObjectAnnotation; deleting a missing one is not an error, and sends no event."""
    name = _name(request)
    with lock(request.bucket):
        version = _version(request)
        locks.check_deletable(version, request)
        kept = {each: value for each, value in version.annotations.items() if each != name}
        removed = len(kept) < len(version.annotations)
        version.annotations = kept
    if removed:
        event_records.announce("ObjectAnnotation:Delete", request.bucket, version)
    return Answer(204, _object_version_id(version))


def _name(request: Request) -> str:
    name = request.query.get("annotationName", "")
    if not name or not all(map(_is_allowed, name)) or name.lower().startswith(_RESERVED):
        raise S3Error(400, "InvalidAnnotationName", "The annotation name is not valid.", AnnotationName=name)
    if len(name.encode()) > _LONGEST_NAME:
        raise S3Error(400, "AnnotationNameTooLong", "The annotation name is too long.", AnnotationName=name)
    return name


def _is_allowed(letter: str) -> bool:
    return letter in "_.-" or unicodedata.category(letter)[0] in "LN"


def _version(request: Request) -> Version:
    version = request.get_version()
    etag = request.header("x-amz-object-if-match")
    if etag is not None and not preconditions.same_etag(etag, version):
        raise preconditions.failed("x-amz-object-if-match")
    return version


def _object_version_id(version: Version) -> dict[str, str]:
    return {"x-amz-object-version-id": version.version_id}
