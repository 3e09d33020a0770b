"""Reason codes by AWS's own conditions, or injected where the emulator cannot have them; what their advice says cures.

Permissions have a module of their own, `test_denied_codes.py`. `raised.py` says which test raises which code.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from moto.sqs.models import sqs_backends

from emulator import s3
from emulator.calls.answers import Answer
from emulator.calls.lineage import Lineage
from emulator.running import Running, running
from emulator.s3.reads import head_object
from emulator.s3.requests import Request
from tests.emulator.failures import take_failures
from tests.emulator.large import workers_paused
from tests.emulator.likeness import Comparison, Side
from tests.emulator.reasons import command, logged, reasons, redrive, run_task, waiting
from tests.emulator.worlds import bucket, fault, rule
from tests.patience import until

MIB = 1024**2
LOCKS = {"object_lock": True}
LONG_AGO = "0.02"
"""Minutes: what waits for more than 1.2 seconds is late."""
PAIRS = ("one", "ruled", "unlocked", "unversioned", "lost", "gone", "chain")
WORLD: dict[str, Any] = {
    "buckets": [
        bucket("east", **LOCKS), bucket("west", **LOCKS),
        bucket("plain-east"),
        *(bucket(f"{name}-east", object_lock=name == "unlocked") for name in PAIRS),
        *(bucket(f"{name}-west", versioning="Suspended" if name == "unversioned" else "Enabled")
          for name in PAIRS if name != "chain"),
    ],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "parameters": {
                "DestinationBuckets": ",".join(["west", "plain-east", *(f"{name}-west" for name in PAIRS)]),
                "MultipartThreshold": str(5 * MIB), "SingleCopyLimit": str(5 * MIB), "PartSize": str(5 * MIB),
                "ThresholdMinutes": LONG_AGO,
            },
            "rules": {
                "east": {"Rules": [rule("east", "west")]},
                "chain-east": {"Rules": [rule("chain-east", "plain-east")]},
                "plain-east": {"Rules": [rule("plain-east", "west")]},
                **{f"{name}-east": {"Rules": [rule(f"{name}-east", f"{name}-west")]}
                   for name in PAIRS if name != "chain"},
            },
        }
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def clean(emulator: Running) -> Iterator[None]:
    yield
    emulator.delete("faults")
    assert emulator.idle()
    assert take_failures(emulator) == [], "every failure was cured, or taken out"


def put(emulator: Running, key: str, source: str = "east", body: bytes = b"1", **fields: Any) -> str:
    return str(emulator.client("s3").put_object(Bucket=source, Key=key, Body=body, **fields)["VersionId"])


def differences(emulator: Running, *keys: str, source: str = "east") -> list[str]:
    """List how the destination differs from its source at these keys."""
    destination = source.replace("east", "west")
    return Comparison(Side.of(emulator, source), Side.of(emulator, destination)).differences(set(keys))


# Skipped


def test_what_is_skipped_by_design_says_why(emulator: Running) -> None:
    client = emulator.client("s3")
    send_beside_a_user(emulator, "WrittenByReplicator")
    deleted = put(emulator, "EventNotReplicated")
    put(emulator, "SrcObjectNotEligible", StorageClass="GLACIER")
    with workers_paused(emulator, function="ReplicateFunction"):
        gone = put(emulator, "SrcVersionNotFound")
        client.delete_object(Bucket="east", Key="SrcVersionNotFound", VersionId=gone)
    put(emulator, "DeleteMarkersNotSelected")
    assert emulator.idle()
    client.delete_object(Bucket="east", Key="DeleteMarkersNotSelected")
    client.delete_object(Bucket="east", Key="EventNotReplicated", VersionId=deleted)
    assert emulator.idle()
    codes = ("WrittenByReplicator", "EventNotReplicated", "SrcObjectNotEligible", "SrcVersionNotFound",
             "DeleteMarkersNotSelected")  # fmt: skip
    assert {(code, f"SKIPPED {code}") for code in codes} - logged(emulator) == set()


def send_beside_a_user(emulator: Running, key: str) -> None:
    """Send a message of two events: of a user's write, and of one by a function of the stack.

    In a message of its own, the second would not even reach the function: the filter of its queue drops it.
    """
    own = emulator.outputs("prod")["ReplicatorPrincipals"].partition(",")[0]
    records = [
        {
            "eventVersion": "2.1", "eventSource": "aws:s3", "eventTime": "2026-01-01T00:00:00.000Z",
            "eventName": "ObjectCreated:Copy", "userIdentity": {"principalId": principal},
            "s3": {"bucket": {"name": "no-rules"}, "object": {"key": key, "versionId": "v", "size": 1}},
        }
        for principal in (f"AWS:{own}", "AWS:USER")
    ]  # fmt: skip
    url = emulator.outputs("prod")["ChangeQueue"]
    emulator.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps({"Records": records}))


def test_a_change_that_would_inherit_a_long_chain_begins_one_of_its_own(emulator: Running) -> None:
    with workers_paused(emulator, function="ReplicateFunction"):
        put(emulator, "ChainTooLong")
        put(emulator, "in a chain")
        name = emulator.outputs("prod")["ChangeQueue"].rpartition("/")[2]
        function = emulator.client("lambda").get_function(FunctionName="prod-replicate")["Configuration"]["FunctionArn"]
        messages = sqs_backends["123456789012"]["us-east-1"].queues[name]._messages
        until(lambda: len(messages) == 2)
        [chained] = [each for each in messages if "in+a+chain" in each.body]
        chained.lineage = Lineage({function: 9}, 9)  # type: ignore[attr-defined] # as the emulator marks it
    until(lambda: ("ChainTooLong", "PENDING ChainTooLong") in logged(emulator))
    emulator.post("fire", {"stack": "prod", "function": "MonitorFunction"})
    assert emulator.idle()
    assert differences(emulator, "ChainTooLong", "in a chain") == []


def test_an_archived_object_is_replicated_once_it_is_restored(emulator: Running) -> None:
    """First skipped; then, if its change comes during a restore, it waits for the end of that."""
    client, limits = emulator.client("s3"), emulator.emulator.limits
    put(emulator, "archived", StorageClass="GLACIER")
    assert emulator.idle()
    assert ("archived", "SKIPPED SrcObjectNotEligible") in logged(emulator)
    client.restore_object(Bucket="east", Key="archived", RestoreRequest={"Days": 1})
    emulator.emulator.limits = replace(limits, restore_seconds=5)
    try:
        with workers_paused(emulator, function="ReplicateFunction"):
            put(emulator, "SrcObjectBeingRestored", StorageClass="GLACIER")
            client.restore_object(Bucket="east", Key="SrcObjectBeingRestored", RestoreRequest={"Days": 1})
        until(lambda: waiting(emulator).get("east/SrcObjectBeingRestored") == "SrcObjectBeingRestored")
    finally:
        emulator.emulator.limits = limits
    west = emulator.client("s3", "us-west-2")

    def replicated() -> set[str]:
        return {each["Key"] for each in west.list_objects_v2(Bucket="west").get("Contents", [])}

    until(lambda: replicated() >= {"archived", "SrcObjectBeingRestored"})


def test_what_a_job_names_in_vain_says_so(emulator: Running) -> None:
    assert "FAILED SrcObjectNotFound" in run_task(emulator, "east", "never written")


# Waiting

TROUBLE = {
    "Throttled": fault("CopyObject", {"status": 503, "code": "SlowDown"}),
    "ServiceError": fault("CopyObject", {"status": 500, "code": "InternalError"}),
    "UnknownError": fault("CopyObject", {"status": 418, "code": "Teapot"}),
    "ConcurrentWrites": fault("CopyObject", {"status": 409, "code": "ConditionalRequestConflict"}),
}


SLOW = fault("HeadObject", {"delay_ms": 10_500}, key="TimedOut", times=3)
"""Longer than a function waits for an answer, as often as it asks."""


def test_what_waits_says_why_and_completes_once_the_cause_is_gone(
    emulator: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def incomplete(request: Request) -> Answer:
        answer = head_object(request)
        if request.key == "AnswerNotReadable":
            answer.headers.pop("ETag", None)
        return answer

    client, control = emulator.client("s3"), emulator.outputs("prod")["ControlBucket"]
    emulator.post("faults", SLOW)
    put(emulator, "TimedOut")
    until(lambda: emulator.get("faults")[0]["times"] < 3)
    emulator.post("faults", [{**cause, "key": code} for code, cause in TROUBLE.items()])
    client.put_object(Bucket=control, Key="rules/ruled-east.json", Body=b"{")
    expected = {f"east/{code}": code for code in (*TROUBLE, "AnswerNotReadable")}
    with monkeypatch.context() as patched:
        patched.setitem(s3._OPERATIONS, "HeadObject", incomplete)
        for code in (*TROUBLE, "AnswerNotReadable"):
            put(emulator, code)
        put(emulator, "RulesUnreadable", "ruled-east")
        until(lambda: waiting(emulator).items() >= expected.items())
        until(lambda: ("RulesUnreadable", "PENDING RulesUnreadable") in logged(emulator))
    left = emulator.get("faults")[0]
    emulator.delete("faults")
    emulator.post("faults", left)
    assert command(emulator, "rules", "check", "ruled-east").exit_code == 1
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"Rules": [rule("ruled-east", "ruled-west")]}))
    assert command(emulator, "rules", "put", "ruled-east", str(file)).exit_code == 0
    until(lambda: waiting(emulator).get("east/TimedOut") == "TimedOut")
    assert emulator.idle()
    assert differences(emulator, *TROUBLE, "AnswerNotReadable", "TimedOut") == []
    assert differences(emulator, "RulesUnreadable", source="ruled-east") == []
    assert waiting(emulator) == {}


def test_a_late_replica_says_that_it_waited_on_the_queue(emulator: Running) -> None:
    emulator.delete("metrics")
    with workers_paused(emulator, function="ReplicateFunction"):
        put(emulator, "WaitedOnQueue", "one-east")
        late = time.monotonic() + 1.5
        until(lambda: time.monotonic() > late)
    assert emulator.idle()
    missed = [each["dimensions"] for each in emulator.get("metrics") if each["metric"] == "OperationsMissedThreshold"]
    assert {each["Reason"] for each in missed if "Reason" in each} == {"WaitedOnQueue"}


# Failed


def test_what_a_bucket_lacks_fails_until_it_has_it(emulator: Running) -> None:
    west = emulator.client("s3", "us-west-2")
    west.delete_bucket(Bucket="lost-west")
    put(emulator, "DstBucketNotFound", "lost-east")
    put(emulator, "DstBucketUnversioned", "unversioned-east")
    put(emulator, "DstBucketObjectLockConfigMissing", "unlocked-east", ObjectLockLegalHoldStatus="ON")
    assert emulator.idle()
    failures = take_failures(emulator)
    codes = ("DstBucketNotFound", "DstBucketUnversioned", "DstBucketObjectLockConfigMissing")
    assert reasons(failures) == dict(zip(codes, codes, strict=True))
    west.create_bucket(Bucket="lost-west", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    for name in ("lost-west", "unversioned-west"):
        west.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    west.put_object_lock_configuration(Bucket="unlocked-west", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    assert redrive(emulator, failures) == {}
    for name, key in zip(("lost", "unversioned", "unlocked"), codes, strict=True):
        assert differences(emulator, key, source=f"{name}-east") == []


def test_an_object_without_room_for_its_origin_is_replicated_without_one_of_its_tags(emulator: Running) -> None:
    key, tags = "NoRoomForOrigin", "&".join(f"tag{number}=1" for number in range(10))
    version = put(emulator, key, Metadata={"m": "x" * 2047}, Tagging=tags)
    assert emulator.idle()
    failures = take_failures(emulator)
    assert reasons(failures) == {key: key}
    fewer = {"TagSet": [{"Key": f"tag{number}", "Value": "1"} for number in range(9)]}
    emulator.client("s3").put_object_tagging(Bucket="east", Key=key, VersionId=version, Tagging=fewer)
    assert redrive(emulator, failures) == {}
    assert emulator.client("s3", "us-west-2").head_object(Bucket="west", Key=key)["Metadata"] == {"m": "x" * 2047}


def test_a_large_object_whose_metadata_cannot_be_sent_is_replicated_when_it_is_uploaded_with_others(
    emulator: Running,
) -> None:
    """The text of its metadata has the form in which S3 returns other text, and would be stored as that."""
    key, looks_encoded = "SrcMetadataNotReadable", "=?UTF-8?Q?=3D=3FUTF-8=3FQ=3Fa=3F=3D?="
    put(emulator, key, body=bytes(5 * MIB + 1), Metadata={"m": looks_encoded})
    assert emulator.idle()
    assert reasons(take_failures(emulator)) == {key: key}
    put(emulator, key, body=bytes(5 * MIB + 1), Metadata={"m": "a"})
    assert emulator.idle()
    assert emulator.client("s3", "us-west-2").head_object(Bucket="west", Key=key)["Metadata"]["m"] == "a"


def test_what_is_in_a_source_bucket_that_was_deleted_fails(emulator: Running) -> None:
    client = emulator.client("s3")
    with workers_paused(emulator, function="ReplicateFunction"):
        version = put(emulator, "SrcBucketNotFound", "gone-east")
        client.delete_object(Bucket="gone-east", Key="SrcBucketNotFound", VersionId=version)
        client.delete_bucket(Bucket="gone-east")
    assert emulator.idle()
    assert reasons(take_failures(emulator)) == {"SrcBucketNotFound": "SrcBucketNotFound"}
    assert command(emulator, "rules", "delete", "gone-east").exit_code == 0


CAUSES: dict[str, dict[str, Any]] = {
    "OperationNotImplemented": fault("CopyObject", {"status": 501, "code": "NotImplemented"}),
    "DstBucketInvalidRegion": fault("CopyObject", {"status": 301, "code": "PermanentRedirect"}),
    "SrcBucketInvalidRegion": fault("GetObject", {"status": 400, "code": "AuthorizationHeaderMalformed"}),
    "ObjectExceedsSingleCopyLimit": fault("CopyObject", {"status": 400, "code": "EntityTooLarge"}),
}
"""What the emulator cannot be: another service, a bucket that moves, an object of 50 TiB."""


def test_a_cause_has_its_code_and_a_redrive_cures_once_it_is_gone(emulator: Running) -> None:
    head = fault("HeadObject", {"status": 400, "code": "BadRequest"}, key="SrcBucketInvalidRegion")
    emulator.post("faults", [head, *({**cause, "key": code} for code, cause in CAUSES.items())])
    for code in CAUSES:
        put(emulator, code)
    assert emulator.idle()
    failures = take_failures(emulator)
    assert reasons(failures) == dict(zip(CAUSES, CAUSES, strict=True))
    emulator.delete("faults")
    assert redrive(emulator, failures) == {}
    assert differences(emulator, *CAUSES) == []
