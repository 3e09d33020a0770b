"""Object Lock: retention and legal hold of single versions, in buckets with Object Lock enabled.

A write with lock headers to another bucket is refused with InvalidRequest. A bucket may have a default retention. A
copy takes no lock from its source.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from moto.s3.models import FakeBucket

from emulator.calls.answers import Answer, S3Error, malformed_xml, s3_answer
from emulator.s3 import event_holds, event_records
from emulator.s3.histories import lock as bucket_lock
from emulator.s3.requests import Request
from emulator.s3.versions import Lock, Version

MODES = ("GOVERNANCE", "COMPLIANCE")
_MODE_HEADER, _UNTIL_HEADER = "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date"
_HOLD_HEADER = "x-amz-object-lock-legal-hold"
_MISSING = "Bucket is missing Object Lock Configuration"


def of_request(request: Request, bucket: FakeBucket) -> Lock:
    """Return the lock of the object that a request writes. Raises InvalidRequest and InvalidArgument."""
    mode, until, legal_hold = (request.header(name) for name in (_MODE_HEADER, _UNTIL_HEADER, _HOLD_HEADER))
    event_hold = event_holds.of_request(request)
    if not (mode or until or legal_hold or event_hold):
        return default(bucket)
    if not bucket.object_lock_enabled:
        raise S3Error(400, "InvalidRequest", _MISSING)
    if bool(mode) != bool(until or event_hold):
        message = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
        missing = _UNTIL_HEADER if mode else _MODE_HEADER
        raise S3Error(400, "InvalidArgument", message, ArgumentName=missing)
    if legal_hold not in (None, "ON", "OFF"):
        message = "Legal Hold must be either of 'ON' or 'OFF'"
        raise S3Error(400, "InvalidArgument", message, ArgumentName=_HOLD_HEADER, ArgumentValue=legal_hold)
    if mode and mode not in MODES:
        message = "Unknown wormMode directive."
        raise S3Error(400, "InvalidArgument", message, ArgumentName=_MODE_HEADER, ArgumentValue=mode)
    requested = Lock(mode, _checked(until, _UNTIL_HEADER) if mode and until else None, legal_hold, event_hold)
    return requested if mode else replace(default(bucket), legal_hold=legal_hold)


def default(bucket: FakeBucket) -> Lock:
    """Return the lock that the bucket's default retention gives to a new version."""
    if not (bucket.object_lock_enabled and bucket.has_default_lock):
        return Lock()
    event_hold = bucket.__dict__.get("default_event_hold")
    return Lock(bucket.default_lock_mode, None if event_hold else bucket.default_retention(), event_hold=event_hold)


def _checked(until: str, name: str) -> str:
    """Return a date in the future. `name`: where the request has it."""
    if _moment(until) <= datetime.now(UTC):
        message = "The retain until date must be in the future!"
        raise S3Error(400, "InvalidArgument", message, ArgumentName=name, ArgumentValue=until)
    return until


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise malformed_xml() from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def as_headers(lock: Lock) -> dict[str, str]:
    """Return a version's lock as headers."""
    given = {"mode": lock.mode, "retain-until-date": lock.until, "legal-hold": lock.legal_hold}
    dated = {f"x-amz-object-lock-{name}": value for name, value in given.items() if value}
    return dated | event_holds.as_headers(lock.event_hold)


def check_deletable(version: Version, request: Request) -> None:
    """Raise AccessDenied if a lock protects the version."""
    lock = version.attributes.lock
    if lock.legal_hold == "ON" or (_is_retained(lock) and not _may_bypass(lock, request)):
        raise _protected()


def check_annotatable(version: Version) -> None:
    """Raise AccessDenied if the version is under retention: no header bypasses it for PutObjectAnnotation."""
    if _is_retained(version.attributes.lock):
        raise _protected()


def _is_retained(lock: Lock) -> bool:
    return lock.event_hold is not None or (lock.until is not None and _moment(lock.until) > datetime.now(UTC))


def _protected() -> S3Error:
    return S3Error(403, "AccessDenied", "Access Denied because object protected by object lock.")


def _may_bypass(lock: Lock, request: Request) -> bool:
    return lock.mode == "GOVERNANCE" and request.header_is("x-amz-bypass-governance-retention", "true")


def put_object_retention(request: Request) -> Answer:
    """PutObjectRetention: COMPLIANCE, and GOVERNANCE without the bypass header, can only be extended as they are."""
    wanted = _retention(request.xml("Retention"))
    released = wanted.pop("released")

    def change(version: Version) -> Lock:
        old = version.attributes.lock
        new = replace(old, **wanted)
        if released and old.event_hold:
            new = replace(new, event_hold=None, until=max(event_holds.released(old.event_hold), new.until or ""))
        if _is_retained(old) and not _may_bypass(old, request) and not _is_no_shorter(old, new):
            raise _protected()
        return new

    version = _change(request, change)
    lock = version.attributes.lock
    until = event_holds.released(lock.event_hold) if lock.event_hold else lock.until
    event_records.announce("ObjectRetention:Put", request.bucket, version, event_records.retained(lock, until))
    return Answer(200, {})


def _retention(content: dict[str, Any]) -> dict[str, Any]:
    """Return what a retention changes of a lock, and whether it releases an event hold. Raises MalformedXML."""
    mode, until, event_hold = (content.get(name) for name in ("Mode", "RetainUntilDate", "EventHold"))
    if event_hold not in (None, "ON", "OFF") or (mode and mode not in MODES):
        raise malformed_xml()
    if bool(mode) != bool(until or event_hold):
        raise malformed_xml()
    wanted = {"mode": mode or None, "until": _checked(until, "RetainUntilDate") if until else None}
    if event_hold == "ON":
        wanted["event_hold"] = event_holds.read_duration(content.get("EventHoldDuration"))
    return wanted | {"released": event_hold == "OFF"}


def _is_no_shorter(old: Lock, new: Lock) -> bool:
    if new.mode != old.mode:
        return False
    if new.event_hold or old.until is None:
        return new.event_hold is not None or new.until is not None
    return new.until is not None and _moment(new.until) >= _moment(old.until)


def put_object_legal_hold(request: Request) -> Answer:
    """PutObjectLegalHold, for which S3 has no event."""
    status = request.xml("LegalHold").get("Status")
    if status not in ("ON", "OFF"):
        raise malformed_xml()
    _change(request, lambda version: replace(version.attributes.lock, legal_hold=status))
    return Answer(200, {})


def _change(request: Request, change: Callable[[Version], Lock]) -> Version:
    bucket = request.bucket
    if not bucket.object_lock_enabled:
        raise S3Error(400, "InvalidRequest", _MISSING)
    with bucket_lock(bucket):
        version = request.get_version()
        version.change(lock=change(version))
    return version


def get_object_retention(request: Request) -> Answer:
    """GetObjectRetention."""
    lock = _locked(request)
    if not lock.mode:
        raise _none()
    dated = {"Mode": lock.mode, "RetainUntilDate": lock.until}
    return s3_answer("Retention", dated | event_holds.as_xml(lock.event_hold))


def get_object_legal_hold(request: Request) -> Answer:
    """GetObjectLegalHold."""
    lock = _locked(request)
    if not lock.legal_hold:
        raise _none()
    return s3_answer("LegalHold", {"Status": lock.legal_hold})


def _locked(request: Request) -> Lock:
    if not request.bucket.object_lock_enabled:
        raise S3Error(400, "InvalidRequest", _MISSING)
    return request.get_version().attributes.lock


def _none() -> S3Error:
    message = "The specified object does not have a ObjectLock configuration"
    return S3Error(404, "NoSuchObjectLockConfiguration", message)
