"""CloudTrail's data events of S3, as EventBridge receives them: what a caller asked for, and the error if it failed.

The emulator acts as if a trail logged the data events of every bucket, for the operations that change a version after
the write. They are the only events of a legal hold. Separate from S3's own events, which tell what happened; these are
sent only where a rule may want them.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-understanding-s3-entries.html
https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-s3.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

from moto.events.models import Rule, events_backends
from moto.s3.models import FakeBucket

from emulator.calls.answers import S3Error, request_id
from emulator.calls.call import Call
from emulator.s3.histories import find_bucket
from emulator.s3.requests import Request
from emulator.s3.sending import send_to_rules
from emulator.state import active

_DETAIL_TYPE = "AWS API Call via CloudTrail"
_LOGGED = frozenset(
    {
        *("PutObjectTagging", "DeleteObjectTagging", "PutObjectAcl", "PutObjectRetention", "PutObjectLegalHold"),
        *("PutObjectAnnotation", "DeleteObjectAnnotation"),
    }
)


def log(request: Request, error: S3Error | None = None) -> None:
    """Send the event of a request that was answered, with the error if it was refused. Nothing without a bucket."""
    call = request.call
    if call.operation not in _LOGGED or (bucket := find_bucket(call.bucket)) is None:
        return
    rules = events_backends[bucket.account_id][bucket.region_name].event_buses["default"].rules
    if any(map(_may_want, list(rules.values()))):
        active().delivery.send(partial(send_to_rules, bucket, _event(request, bucket, error)))


def _may_want(rule: Rule) -> bool:
    """Return whether a rule's pattern names these events, or no detail type at all: the bus looks at the rest."""
    if rule.scheduled_expression or rule.state != "ENABLED":
        return False
    pattern = rule.event_pattern.get_pattern()
    return "detail-type" not in pattern or _DETAIL_TYPE in str(pattern["detail-type"])


def _event(request: Request, bucket: FakeBucket, error: S3Error | None) -> dict[str, Any]:
    happened = datetime.now(UTC)
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": _DETAIL_TYPE,
        "source": "aws.s3",
        "account": bucket.account_id,
        "time": happened.timestamp(),  # moto formats it when it sends the event
        "region": bucket.region_name,
        "resources": [],
        "detail": _detail(request, bucket, happened, error),
    }


def _detail(request: Request, bucket: FakeBucket, happened: datetime, error: S3Error | None) -> dict[str, Any]:
    call = request.call
    failed = {"errorCode": error.code, "errorMessage": error.message} if error else {}
    return {
        "eventVersion": "1.11",
        "userIdentity": _identity(call),
        "eventTime": f"{happened:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "s3.amazonaws.com",
        "eventName": call.operation,
        "awsRegion": bucket.region_name,
        "sourceIPAddress": "127.0.0.1",
        "userAgent": f"[{request.header('user-agent') or ''}]",
        **failed,
        "requestParameters": {
            **request.query,
            "bucketName": bucket.name,
            "Host": request.header("host") or "",
            "key": request.key,
        },
        "responseElements": None,
        "requestID": request_id(),
        "eventID": str(uuid4()),
        "readOnly": False,
        "resources": [
            {"type": "AWS::S3::Object", "ARN": f"{bucket.arn}/{request.key}"},
            {"accountId": bucket.account_id, "type": "AWS::S3::Bucket", "ARN": bucket.arn},
        ],
        "eventType": "AwsApiCall",
        "managementEvent": False,
        "recipientAccountId": bucket.account_id,
        "eventCategory": "Data",
    }


def _identity(call: Call) -> dict[str, Any]:
    """Return who asked: a user, a function's session of its role, or nobody known."""
    who = call.principal
    if who.kind == "anonymous":
        return {"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}
    account = who.account if who.arn else ""
    named = {"principalId": who.id.removeprefix("AWS:"), "arn": who.session_arn, "accountId": account}
    if not who.has_role:
        return {"type": "IAMUser", **named, "accessKeyId": call.access_key_id, "userName": who.arn.rpartition("/")[2]}
    issuer = {"type": "Role", "principalId": named["principalId"].partition(":")[0], "arn": who.arn}
    session = {"sessionIssuer": {**issuer, "accountId": account, "userName": who.arn.rpartition("/")[2]}}
    return {"type": "AssumedRole", **named, "accessKeyId": call.access_key_id, "sessionContext": session}
