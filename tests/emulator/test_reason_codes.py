"""Failures by conditions that the emulator does not have: their codes, and that removing the cause cures them."""

from __future__ import annotations

from typing import Any

from emulator.running import running
from tests.emulator.failures import FailedMessage, take_failures
from tests.emulator.worlds import bucket, fault, rule

WORLD: dict[str, Any] = {
    "buckets": [bucket("east"), bucket("west")],
    "stacks": [{"name": "prod", "region": "us-east-1", "rules": {"east": {"Rules": [rule("east", "west")]}}}],
}
CAUSES: dict[str, dict[str, Any]] = {
    "OperationNotImplemented": fault("CopyObject", {"status": 501, "code": "NotImplemented"}),
    "DstBucketInvalidRegion": fault("CopyObject", {"status": 301, "code": "PermanentRedirect"}),
    "SrcBucketInvalidRegion": fault("GetObject", {"status": 400, "code": "AuthorizationHeaderMalformed"}),
    "ObjectExceedsSingleCopyLimit": fault("CopyObject", {"status": 400, "code": "EntityTooLarge"}),
    "NoRoomForOrigin": fault("CopyObject", {"status": 400, "code": "MetadataTooLarge"}),
}


def reasons(failures: list[FailedMessage]) -> dict[str, str]:
    return {str(failure.s3_object["key"]): failure.attributes["Reason"] for failure in failures}


def test_a_cause_has_its_code_and_a_redrive_cures_once_it_is_gone() -> None:
    with running(WORLD) as emulator:
        head = fault("HeadObject", {"status": 400, "code": "BadRequest"}, key="SrcBucketInvalidRegion")
        emulator.post("faults", [head, *({**cause, "key": reason} for reason, cause in CAUSES.items())])
        for reason in CAUSES:
            emulator.client("s3").put_object(Bucket="east", Key=reason, Body=b"1")
        assert emulator.idle()
        failures = take_failures(emulator)
        assert reasons(failures) == dict(zip(CAUSES, CAUSES, strict=True))
        emulator.delete("faults")
        for failure in failures:
            emulator.client("sqs").send_message(
                QueueUrl=emulator.outputs("prod")["ChangeQueue"],
                MessageBody=failure.body,
                MessageAttributes={"Redriven": {"DataType": "String", "StringValue": "true"}},
            )
        assert emulator.idle()
        assert take_failures(emulator) == []
        listed = emulator.client("s3", "us-west-2").list_objects_v2(Bucket="west")["Contents"]
        assert {each["Key"] for each in listed} == set(CAUSES)
