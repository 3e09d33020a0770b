"""CloudTrail's data events on EventBridge: who asked for which change of a version, and whether it failed."""

from __future__ import annotations

import json
import re
from typing import Any
from unittest.mock import ANY

import pytest
from replicator.core.versions.change import UNNAMED, ChangeKind
from replicator.core.versions.events import Record, parse

from tests.emulator.callers import caller, on
from tests.emulator.plain import Plain, refused

TRAILED = "AWS API Call via CloudTrail"


def listen(aws: Plain, bucket: str, *names: str) -> str:
    """Send the data events of these operations on a bucket to a queue, as a template does; return the queue's URL."""
    url, arn = aws.queue()
    called = {"eventSource": ["s3.amazonaws.com"], "eventName": list(names)}
    detail = {**called, "requestParameters": {"bucketName": [bucket]}}
    events = aws.client("events")
    pattern = {"source": ["aws.s3"], "detail-type": [TRAILED], "detail": detail}
    events.put_rule(Name=f"{bucket}-trail", EventPattern=json.dumps(pattern))
    events.put_targets(Rule=f"{bucket}-trail", Targets=[{"Id": "queue", "Arn": arn}])
    return url


@pytest.fixture
def lockable(aws: Plain, s3: Any) -> str:
    bucket = aws.bucket(ObjectLockEnabledForBucket=True, ObjectOwnership="ObjectWriter")
    s3.put_object(Bucket=bucket, Key="a b+ü", Body=b"x")
    return bucket


def test_a_legal_hold_is_told_by_cloudtrail(aws: Plain, s3: Any, lockable: str) -> None:
    url = listen(aws, lockable, "PutObjectLegalHold")
    version = s3.head_object(Bucket=lockable, Key="a b+ü")["VersionId"]
    s3.put_object_legal_hold(Bucket=lockable, Key="a b+ü", VersionId=version, LegalHold={"Status": "ON"})
    (event,) = aws.messages(url)
    detail = event.pop("detail")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event.pop("time"))
    assert event.pop("id")
    assert event == {
        "version": "0",
        "detail-type": TRAILED,
        "source": "aws.s3",
        "account": "123456789012",
        "region": "us-east-1",
        "resources": [],
    }
    assert detail["requestParameters"] == {
        "bucketName": lockable,
        "Host": ANY,
        "key": "a b+ü",
        "legal-hold": "",
        "versionId": version,
    }
    assert detail["userIdentity"]["principalId"] == "AIDAEMULATORUSER00000"
    assert (detail["eventSource"], detail["eventName"]) == ("s3.amazonaws.com", "PutObjectLegalHold")
    assert not {"errorCode", "errorMessage"} & detail.keys()


def test_the_functions_read_it_as_a_change_of_that_version(aws: Plain, s3: Any, lockable: str) -> None:
    url = listen(aws, lockable, "PutObjectLegalHold")
    version = s3.head_object(Bucket=lockable, Key="a b+ü")["VersionId"]
    for named in ({"VersionId": version}, {}):
        s3.put_object_legal_hold(Bucket=lockable, Key="a b+ü", **named, LegalHold={"Status": "ON"})
    read = [
        record.change for event in aws.messages(url) for record in parse(json.dumps(event)) if type(record) is Record
    ]
    assert [(each.kind, each.bucket, each.key, each.version_id, each.principal) for each in read] == [
        (ChangeKind.LEGAL_HOLD, lockable, "a b+ü", which, "AWS:AIDAEMULATORUSER00000") for which in (version, UNNAMED)
    ]


def test_the_version_is_named_only_if_the_request_names_it(aws: Plain, s3: Any, lockable: str) -> None:
    url = listen(aws, lockable, "PutObjectLegalHold")
    s3.put_object_legal_hold(Bucket=lockable, Key="a b+ü", LegalHold={"Status": "ON"})
    (event,) = aws.messages(url)
    assert "versionId" not in event["detail"]["requestParameters"]


def test_a_refused_request_has_its_error_and_its_caller(aws: Plain, lockable: str) -> None:
    url = listen(aws, lockable, "PutObjectLegalHold")
    theirs = caller(aws, on(lockable, "GetObject"))
    with refused("AccessDenied", 403):
        theirs.put_object_legal_hold(Bucket=lockable, Key="a b+ü", LegalHold={"Status": "ON"})
    (event,) = aws.messages(url)
    assert event["detail"]["errorCode"] == "AccessDenied"
    identity = event["detail"]["userIdentity"]
    assert (identity["type"], identity["principalId"]) == ("AssumedRole", "AROA1:replicate")


def test_each_change_after_the_write_is_logged_under_its_operation(aws: Plain, s3: Any, lockable: str) -> None:
    key = {"Bucket": lockable, "Key": "a b+ü"}
    names = ("PutObjectTagging", "DeleteObjectTagging", "PutObjectAcl", "PutObjectRetention", "PutObjectLegalHold")
    url = listen(aws, lockable, *names, "PutObjectAnnotation", "DeleteObjectAnnotation", "PutObject", "HeadObject")
    s3.put_object_tagging(**key, Tagging={"TagSet": []})
    s3.delete_object_tagging(**key)
    s3.put_object_acl(**key, ACL="private")
    s3.put_object_annotation(**key, AnnotationName="note", AnnotationPayload=b"x")
    s3.delete_object_annotation(**key, AnnotationName="note")
    s3.put_object_retention(**key, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": "2099-01-01T00:00:00Z"})
    s3.put_object_legal_hold(**key, LegalHold={"Status": "OFF"})
    s3.put_object(**key, Body=b"y")
    s3.head_object(**key)
    assert [event["detail"]["eventName"] for event in aws.messages(url)] == [
        "PutObjectTagging",
        "DeleteObjectTagging",
        "PutObjectAcl",
        "PutObjectAnnotation",
        "DeleteObjectAnnotation",
        "PutObjectRetention",
        "PutObjectLegalHold",
    ]


def test_without_a_rule_that_may_want_it_nothing_is_sent(aws: Plain, s3: Any) -> None:
    bucket = aws.bucket("eu-west-3")
    west = aws.client("s3", "eu-west-3")
    west.put_object(Bucket=bucket, Key="key", Body=b"x")
    aws.client("events", "eu-west-3").put_rule(
        Name="others", EventPattern=json.dumps({"source": ["aws.s3"], "detail-type": ["Object Created"]})
    )
    before = aws.emulator.delivery.delivered
    west.put_object_tagging(Bucket=bucket, Key="key", Tagging={"TagSet": []})
    assert aws.emulator.delivery.idle()
    assert aws.emulator.delivery.delivered == before
