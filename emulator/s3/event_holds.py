"""Event holds of Object Lock: a retention whose end is not known yet.

As long as the hold is on, the version is protected as by its mode. Once it is released, the retention lasts for the
hold's duration from then on. What S3 refuses is not documented beyond the limits of the duration; a hold without a
mode, or without exactly one duration, is refused here. Separate from locks, because dates come out of it only at the
release.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ObjectLockRetention.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_DefaultRetention.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator.calls.answers import S3Error, malformed_xml
from emulator.s3.requests import Request
from emulator.s3.versions import EventHold

_HEADER = "x-amz-object-lock-event-hold"
LONGEST = {"Days": 36_500, "Years": 100}


def of_request(request: Request) -> EventHold | None:
    """Return the hold of the object that a request writes. Raises InvalidArgument."""
    status = request.header(_HEADER)
    if status not in (None, "ON", "OFF"):
        raise _invalid("Event Hold must be either of 'ON' or 'OFF'", _HEADER, status or "")
    if status != "ON":
        return None
    durations = {unit: request.header(f"{_HEADER}-duration-{unit.lower()}") for unit in LONGEST}
    try:
        return read_duration({unit: text for unit, text in durations.items() if text is not None})
    except S3Error:
        message = "An event hold needs a duration in either days or years"
        raise _invalid(message, f"{_HEADER}-duration-days", durations["Days"] or "") from None


def _invalid(message: str, name: str, value: str) -> S3Error:
    return S3Error(400, "InvalidArgument", message, ArgumentName=name, ArgumentValue=value)


def read_duration(content: Any) -> EventHold:
    """Return a hold with the duration that an element of XML has. Raises MalformedXML."""
    named = [unit for unit in LONGEST if isinstance(content, Mapping) and unit in content]
    if len(named) != 1:
        raise malformed_xml()
    (unit,) = named
    text = str(content[unit])
    if not text.isdecimal() or not 1 <= int(text) <= LONGEST[unit]:
        raise malformed_xml()
    return EventHold(unit, int(text))


def released(hold: EventHold) -> str:
    """Return until when a version is retained whose hold is released now."""
    days = hold.number * (365 if hold.unit == "Years" else 1)
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_headers(hold: EventHold | None) -> dict[str, str]:
    """Return a hold that is on as headers; nothing without one."""
    return {} if hold is None else {_HEADER: "ON", f"{_HEADER}-duration-{hold.unit.lower()}": str(hold.number)}


def as_xml(hold: EventHold | None) -> dict[str, Any]:
    """Return a hold that is on as elements of a retention; nothing without one."""
    return {} if hold is None else {"EventHold": "ON", "EventHoldDuration": {hold.unit: hold.number}}
