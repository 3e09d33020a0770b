"""Conditional requests: what must hold for the current object, or for the source of a copy.

A current delete marker counts as no object. `If-Match` without an object is answered with 404 instead of 412.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
"""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime

from emulator.calls.answers import S3Error
from emulator.s3.histories import no_such_key
from emulator.s3.requests import Request
from emulator.s3.versions import Entry, Version, is_version, now


def check_write(request: Request, current: Entry | None) -> None:
    """Check `If-Match` and `If-None-Match` of a write. Hold the bucket's lock for this and for the write."""
    if_match, if_none_match = request.header("If-Match"), request.header("If-None-Match")
    if if_match and if_none_match:
        message = "Multiple conditional request headers present in the request"
        raise not_implemented("If-Match,If-None-Match", message)
    for header, refused in (("If-Match", if_match == "*"), ("If-None-Match", if_none_match not in (None, "*"))):
        if refused:
            message = f"We don't accept the provided value of {header} header for this API"
            raise not_implemented(header, message)
    if if_none_match and is_version(current):
        raise failed("If-None-Match")
    if if_match:
        _check_match(if_match, current, request.key)


def check_delete(if_match: str | None, current: Entry | None, key: str) -> None:
    """Check `If-Match` of a deletion; `*` requires only that there is an object."""
    if if_match:
        _check_match(if_match, current, key)


def _check_match(etag: str, current: Entry | None, key: str) -> None:
    if not is_version(current):
        raise no_such_key(key)
    if etag != "*" and not same_etag(etag, current):
        raise failed("If-Match")


def check_completion(request: Request, current: Entry | None, started: int, *, existed: bool) -> None:
    """Check the conditions of CompleteMultipartUpload.

    `started` is the sequence at which the upload began, `existed` whether there was an object then. If the object was
    overwritten or deleted during the upload, that is a conflict (409), and the client must start a new upload.
    """
    check_write(request, current)
    overwritten = request.header("If-Match") and is_version(current) and current.sequence > started
    deleted = request.header("If-None-Match") and existed
    if overwritten or deleted:
        message = "The conditional request cannot succeed due to a conflicting operation against this resource."
        condition = "If-Match" if overwritten else "If-None-Match"
        raise S3Error(409, "ConditionalRequestConflict", message, Condition=condition, Key=request.key)


def check_source(request: Request, source: Version) -> None:
    """Check the x-amz-copy-source-if-* conditions of a copy; a condition on the ETag overrides one on the date."""
    prefix = "x-amz-copy-source-"
    match, none_match = request.header(f"{prefix}if-match"), request.header(f"{prefix}if-none-match")
    if match is not None and not same_etag(match, source):
        raise failed(f"{prefix}If-Match")
    unmodified = _date(request.header(f"{prefix}if-unmodified-since"))
    if match is None and unmodified and source.last_modified > unmodified:
        raise failed(f"{prefix}If-Unmodified-Since")
    if none_match is not None and same_etag(none_match, source):
        raise failed(f"{prefix}If-None-Match")
    modified = _date(request.header(f"{prefix}if-modified-since"))
    if none_match is None and modified and source.last_modified <= modified <= now():
        raise failed(f"{prefix}If-Modified-Since")


def not_modified(request: Request, version: Version) -> bool:
    """Check the conditions of a read, and return whether the response is 304. Raises PreconditionFailed."""
    match, none_match = request.header("If-Match"), request.header("If-None-Match")
    if match is not None and match != "*" and not same_etag(match, version):
        raise failed("If-Match")
    unmodified = _date(request.header("If-Unmodified-Since"))
    if match is None and unmodified and version.last_modified > unmodified:
        raise failed("If-Unmodified-Since")
    if none_match is not None:
        return none_match == "*" or same_etag(none_match, version)
    modified = _date(request.header("If-Modified-Since"))
    return modified is not None and version.last_modified <= modified <= now()


def same_etag(etag: str, version: Version) -> bool:
    """Return whether this is the version's ETag, with or without quotes."""
    return etag.strip('"') == version.etag.strip('"')


def failed(condition: str) -> S3Error:
    """Return S3's PreconditionFailed error."""
    message = "At least one of the pre-conditions you specified did not hold"
    return S3Error(412, "PreconditionFailed", message, Condition=condition)


def not_implemented(header: str, reason: str | None = None) -> S3Error:
    """Return S3's error for a header that it does not take here."""
    message = "A header you provided implies functionality that is not implemented"
    return S3Error(501, "NotImplemented", message, Header=header, additionalMessage=reason)


def _date(header: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(header).replace(tzinfo=None) if header else None
    except ValueError:
        return None
