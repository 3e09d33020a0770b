"""The Object Lock configuration of a bucket: whether versions can be locked, and the retention of new ones by default.

A bucket that has objects can be given one, if versioning is enabled; anything else is a conflict. What AWS answers to
configurations that it does not take was recorded. Separate from locks, which belong to versions.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
"""

from __future__ import annotations

from typing import Any

from emulator.calls.answers import Answer, S3Error, malformed_xml, s3_answer
from emulator.s3.event_holds import LONGEST, read_duration
from emulator.s3.locks import MODES
from emulator.s3.requests import Request
from emulator.s3.versions import EventHold


def put_object_lock_configuration(request: Request) -> Answer:
    """PutObjectLockConfiguration. Raises InvalidBucketState, MalformedXML and InvalidArgument."""
    bucket = request.bucket
    content = request.xml("ObjectLockConfiguration")
    mode, days, years, event_hold = _default_retention(content)
    if bucket.versioning_status != "Enabled":
        message = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
        raise S3Error(409, "InvalidBucketState", message)
    bucket.object_lock_enabled = True
    bucket.default_lock_mode, bucket.default_lock_days, bucket.default_lock_years = mode, days, years
    bucket.__dict__["default_event_hold"] = event_hold
    return Answer(200, {})


def _default_retention(content: dict[str, Any]) -> tuple[str | None, int, int, EventHold | None]:
    """Return mode, days, years and event hold of the default retention; none of them without one."""
    if content.get("ObjectLockEnabled") != "Enabled":
        raise malformed_xml()
    if "Rule" not in content:
        return None, 0, 0, None
    rule = content["Rule"]
    default = (rule.get("DefaultRetention") if isinstance(rule, dict) else None) or {}
    named = [name for name in LONGEST if name in default]
    if default.get("Mode") in MODES and "DefaultEventHold" in default and not named:
        return default["Mode"], 0, 0, read_duration(default["DefaultEventHold"])
    if default.get("Mode") not in MODES or len(named) != 1:
        raise malformed_xml()
    (unit,) = named
    period = _period(unit, default[unit])
    return default["Mode"], period if unit == "Days" else 0, period if unit == "Years" else 0, None


def _period(unit: str, text: str | None) -> int:
    try:
        period = int(text or "")
    except ValueError:
        raise malformed_xml() from None
    if period <= 0:
        raise S3Error(
            400, "InvalidArgument", "Default retention period must be a positive integer value.", ArgumentName=unit
        )
    if period > LONGEST[unit]:
        raise S3Error(400, "InvalidArgument", "Default retention period too large", ArgumentName=unit)
    return period


def get_object_lock_configuration(request: Request) -> Answer:
    """GetObjectLockConfiguration. Raises ObjectLockConfigurationNotFoundError."""
    bucket = request.bucket
    if not bucket.object_lock_enabled:
        message = "Object Lock configuration does not exist for this bucket"
        raise S3Error(404, "ObjectLockConfigurationNotFoundError", message, BucketName=bucket.name)
    content: dict[str, Any] = {"ObjectLockEnabled": "Enabled"}
    if bucket.has_default_lock:
        hold: EventHold | None = bucket.__dict__.get("default_event_hold")
        periods: dict[str, Any] = {"Days": bucket.default_lock_days or None, "Years": bucket.default_lock_years or None}
        periods["DefaultEventHold"] = {hold.unit: hold.number} if hold else None
        content["Rule"] = {"DefaultRetention": {"Mode": bucket.default_lock_mode, **periods}}
    return s3_answer("ObjectLockConfiguration", content)
