"""A bucket's notification configuration, which each PUT replaces as a whole after validating it.

Refused are unknown events, two entries that overlap in events and keys, a destination in another Region, FIFO queues,
and a queue that does not exist or whose policy does not allow S3 to send for this bucket.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

from moto.s3.models import FakeBucket

from emulator.calls.answers import Answer, S3Error, malformed_xml, s3_answer
from emulator.calls.operations import s3_model
from emulator.s3.histories import lock
from emulator.s3.requests import Request
from emulator.s3.sending import send_test_event
from emulator.services import sqs
from emulator.services.queue_policies import S3, may_send

# The XML element of a destination, and the service in its ARN.
_KINDS = {"Queue": "sqs", "Topic": "sns", "CloudFunction": "lambda"}


@dataclass(frozen=True)
class Destination:
    """One entry of the configuration."""

    kind: str
    arn: str
    id: str
    events: tuple[str, ...]
    filters: tuple[tuple[str, str], ...] = ()

    @property
    def prefix(self) -> str:
        """Return what keys begin with."""
        return dict(self.filters).get("Prefix", "")

    @property
    def suffix(self) -> str:
        """Return what keys end with."""
        return dict(self.filters).get("Suffix", "")

    def wants(self, event: str, key: str) -> bool:
        """Return whether this destination receives an event about a key."""
        named = any(_covers(mine, event) for mine in self.events)
        return named and key.startswith(self.prefix) and key.endswith(self.suffix)

    def overlaps(self, other: Destination) -> bool:
        """Return whether both could receive the same event about the same key."""
        events = any(_covers(mine, its) or _covers(its, mine) for mine in self.events for its in other.events)
        prefixes = self.prefix.startswith(other.prefix) or other.prefix.startswith(self.prefix)
        return events and prefixes and (self.suffix.endswith(other.suffix) or other.suffix.endswith(self.suffix))


@dataclass(frozen=True)
class Configuration:
    """The notification configuration of a bucket."""

    destinations: tuple[Destination, ...] = ()
    event_bridge: bool = False


_NOTHING = Configuration()


def configuration(bucket: FakeBucket) -> Configuration:
    """Return the configuration of a bucket."""
    found: Configuration = bucket.__dict__.get("notifications", _NOTHING)
    return found


def put(request: Request) -> Answer:
    """PutBucketNotificationConfiguration."""
    bucket, unchecked = request.bucket, request.header_is("x-amz-skip-destination-validation", "true")
    entries = [f"{kind}Configuration" for kind in _KINDS]
    wanted = read(request.xml("NotificationConfiguration", *entries, "Event", "FilterRule"))
    for one, other in combinations(wanted.destinations, 2):
        if one.overlaps(other):
            message = "Configurations overlap. Configurations on the same bucket cannot share a common event type."
            raise S3Error(400, "InvalidArgument", message)
    if not unchecked:
        _check_destinations(bucket, wanted)
    with lock(bucket):
        bucket.__dict__["notifications"] = wanted
    if not unchecked:
        for arn in {each.arn for each in wanted.destinations if each.kind == "Queue"}:
            send_test_event(bucket, arn)
    return Answer(200, {})


def read(document: Mapping[str, Any]) -> Configuration:
    """Read the parsed content of the XML. Raises InvalidArgument."""
    destinations = [
        _read_destination(kind, entry) for kind in _KINDS for entry in document.get(f"{kind}Configuration", [])
    ]
    return Configuration(tuple(destinations), "EventBridgeConfiguration" in document)


def _read_destination(kind: str, entry: Mapping[str, Any]) -> Destination:
    arn = str(entry.get(kind))
    if not arn.startswith(f"arn:aws:{_KINDS[kind]}:") or len(arn.split(":")) < 6:
        raise _invalid("The ARN could not be parsed", kind, arn)
    events = tuple(str(event) for event in entry.get("Event", ()))
    for event in events:
        if event not in _known_events():
            raise _invalid("A specified event is not supported for notifications.", "Event", event)
    filters = [_read_filter(rule) for rule in ((entry.get("Filter") or {}).get("S3Key") or {}).get("FilterRule", [])]
    return Destination(kind, arn, entry.get("Id") or secrets.token_hex(24), events, tuple(filters))


def _read_filter(rule: Any) -> tuple[str, str]:
    """Return a filter. S3 stores its name with a capital, and keeps an empty value, as recorded."""
    if not isinstance(rule, dict) or not {"Name", "Value"} <= rule.keys():
        raise malformed_xml()
    name = str(rule["Name"])
    if name.title() not in ("Prefix", "Suffix"):
        raise _invalid("filter rule name must be either prefix or suffix", "FilterRule.Name", name)
    return name.title(), str(rule["Value"] or "")


@cache
def _known_events() -> frozenset[str]:
    return frozenset(s3_model().shape_for("Event").enum)  # type: ignore[attr-defined]


def _covers(pattern: str, event: str) -> bool:
    return pattern == event or (pattern.endswith("*") and event.startswith(pattern[:-1]))


def _invalid(message: str, name: str, value: str) -> S3Error:
    return S3Error(400, "InvalidArgument", message, ArgumentName=name, ArgumentValue=value)


def _check_destinations(bucket: FakeBucket, wanted: Configuration) -> None:
    problems: dict[str, str] = {}
    for each in wanted.destinations:
        if each.arn.split(":")[3] != bucket.region_name:
            message = "The notification destination service region is not valid for the bucket location constraint"
            raise S3Error(400, "InvalidArgument", message)
        if each.kind == "Queue" and (problem := _queue_problem(bucket, each.arn)):
            problems[each.arn] = problem
    if problems:
        numbered: dict[str, Any] = {}
        for number, (arn, problem) in enumerate(problems.items(), 1):
            numbered |= {f"ArgumentName{number}": arn, f"ArgumentValue{number}": problem}
        message = "Unable to validate the following destination configurations"
        raise S3Error(400, "InvalidArgument", message, **numbered)


def _queue_problem(bucket: FakeBucket, arn: str) -> str | None:
    queue = sqs.queue_of(arn)
    if queue is None:
        return "The destination queue does not exist"
    if arn.endswith(".fifo"):
        return "FIFO SQS queues are not supported"
    if not may_send(S3, queue, bucket.arn, bucket.account_id):
        return "Permissions on the destination queue do not allow S3 to publish notifications from this bucket"
    return None


def get(request: Request) -> Answer:
    """GetBucketNotificationConfiguration."""
    found = configuration(request.bucket)
    content: dict[str, Any] = {
        f"{kind}Configuration": [_as_xml(each) for each in found.destinations if each.kind == kind] for kind in _KINDS
    }
    if found.event_bridge:
        content["EventBridgeConfiguration"] = ""
    return s3_answer("NotificationConfiguration", content)


def _as_xml(destination: Destination) -> dict[str, Any]:
    rules = [{"Name": name, "Value": value} for name, value in destination.filters]
    return {
        "Id": destination.id,
        destination.kind: destination.arn,
        "Event": list(destination.events),
        "Filter": {"S3Key": {"FilterRule": rules}} if rules else None,
    }
