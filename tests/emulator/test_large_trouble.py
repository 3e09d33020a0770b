"""Large objects in trouble, end to end: kills, faults, duplicates, and what users do while parts are under way."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from s3replicator.main import app
from typer.testing import CliRunner

from emulator.running import Running
from tests.emulator.failures import take_failures
from tests.emulator.large import (
    HERE,
    LARGER,
    asked,
    differences,
    leftovers,
    part_messages,
    put,
    stack,
    workers_paused,
    write,
)
from tests.emulator.likeness import Side
from tests.emulator.worlds import fault
from tests.patience import until


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with stack() as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def nothing_is_left(emulator: Running) -> Iterator[None]:
    """At rest no upload is open, nothing waits, and nothing has failed but what the test took away."""
    emulator.delete("requests")
    yield
    emulator.delete("faults")
    assert emulator.idle()
    assert leftovers(emulator) == []
    assert take_failures(emulator) == []


THROTTLED = {"status": 503, "code": "SlowDown"}
INSIDE = {"ok_with_error": "InternalError"}
OFTEN = {"CreateMultipartUpload": 2, "CompleteMultipartUpload": 2}
"""How often a call goes wrong: once more than the client itself repeats it. It repeats all calls but these."""
S3_CALLS = ("CreateMultipartUpload", "UploadPartCopy", "ListParts", "CompleteMultipartUpload", "ListObjectAnnotations",
            "AbortMultipartUpload")  # fmt: skip
WRITES = ("CreateMultipartUpload", "UploadPartCopy", "CompleteMultipartUpload")
OTHER_CALLS = (("dynamodb", "GetItem"), ("dynamodb", "UpdateItem"), ("dynamodb", "Query"), ("sqs", "SendMessageBatch"))
FAILING = {f"throttled {operation}": THROTTLED for operation in S3_CALLS} | {
    f"an error inside a 200 {operation}": INSIDE for operation in WRITES[1:]
}
KILLED = {f"killed {when} {operation}": {"kill": when} for operation in WRITES for when in ("before", "after")}
KILLED_ELSEWHERE = ("killed at the journal or the part queue", "another killed there")
CASES = (*FAILING, *KILLED, *KILLED_ELSEWHERE)


@pytest.fixture(scope="module")
def weathered(emulator: Running) -> Running:
    """Trouble at every call, each for an object of its own. It comes in waves, or the delays of kills would add up."""
    calls = {case: case.split()[-1] for case in FAILING}
    failing = [fault(call, FAILING[case], key=case, times=OFTEN.get(call, 4)) for case, call in calls.items()]
    weather(emulator, FAILING, failing)
    weather(emulator, KILLED, [fault(case.split()[-1], then, key=case, times=1) for case, then in KILLED.items()])
    elsewhere = [fault(operation, {"kill": when}, service=service, times=1) for service, operation in OTHER_CALLS
                 for when in ("before", "after") if (operation, when) != ("GetItem", "after")]  # fmt: skip
    weather(emulator, KILLED_ELSEWHERE, elsewhere)
    return emulator


def weather(emulator: Running, keys: Iterable[str], faults: list[dict[str, Any]]) -> None:
    emulator.post("faults", faults)
    for key in keys:
        write(emulator, key)
    assert emulator.idle(300), "it does not come to rest"
    assert [each for each in emulator.get("faults") if each["times"]] == [], "each of them happened"
    emulator.delete("faults")


@pytest.mark.parametrize("case", CASES)
def test_a_large_object_recovers_from_temporary_trouble_at_any_call(weathered: Running, case: str) -> None:
    assert differences(weathered, case, in_one_piece=True) == []


def test_duplicates_of_every_event_and_of_every_part_message_change_nothing(emulator: Running) -> None:
    emulator.post("delivery", {"duplicate": 1.0, "shuffle": True, "seed": 3})
    with workers_paused(emulator):
        put(emulator, "duplicated", LARGER)
        bodies = part_messages(emulator, 3)
        send_parts(emulator, *bodies, *bodies, *bodies)
    emulator.post("delivery", {"duplicate": 0.0, "shuffle": False})
    assert emulator.idle()
    assert differences(emulator, "duplicated") == []
    emulator.delete("requests")
    send_parts(emulator, *bodies, *bodies)
    assert emulator.idle()
    assert differences(emulator, "duplicated") == [], "and those that come long after change nothing either"
    counted = asked(emulator, "duplicated")
    assert (counted["CreateMultipartUpload"], counted["UploadPartCopy"], counted["CompleteMultipartUpload"]) == (
        0,
        0,
        0,
    )


def send_parts(emulator: Running, *bodies: str) -> None:
    for each in bodies:
        emulator.client("sqs").send_message(QueueUrl=emulator.outputs("prod")["PartQueue"], MessageBody=each)


def test_annotations_of_a_large_object_are_replicated(emulator: Running) -> None:
    s3, notes = emulator.client("s3"), {name: name.encode() * 99 for name in ("one", "two")}
    with workers_paused(emulator):
        version = put(emulator, "annotated")
        part_messages(emulator, 2)
        for name, note in notes.items():
            s3.put_object_annotation(
                Bucket="east", Key="annotated", VersionId=version, AnnotationName=name, AnnotationPayload=note
            )
    assert emulator.idle()
    there = emulator.client("s3", "us-west-2")
    found = {
        name: there.get_object_annotation(Bucket="west", Key="annotated", AnnotationName=name)[
            "AnnotationPayload"
        ].read()
        for name in notes
    }
    assert found == notes


def test_large_replicas_do_without_public_grants_where_the_destination_blocks_them(emulator: Running) -> None:
    blocked = {"BlockPublicAcls": True, "IgnorePublicAcls": True}
    west = emulator.client("s3", "us-west-2")
    west.put_public_access_block(Bucket="west", PublicAccessBlockConfiguration=blocked)
    try:
        put(emulator, "public", ACL="public-read")
        assert emulator.idle()
    finally:
        west.delete_public_access_block(Bucket="west")
    [grant] = west.get_object_acl(Bucket="west", Key="public")["Grants"]
    assert (grant["Grantee"]["Type"], grant["Permission"]) == ("CanonicalUser", "FULL_CONTROL")


def test_large_replicas_do_without_annotations_that_are_denied_or_not_offered(emulator: Running) -> None:
    operations = ("ListObjectAnnotations", "GetObjectAnnotation", "PutObjectAnnotation")
    cases = {f"{operation} {status}": (operation, status) for operation in operations for status in (400, 403, 501)}
    with workers_paused(emulator):
        for key, (operation, status) in cases.items():
            version = put(emulator, key)
            emulator.client("s3").put_object_annotation(
                Bucket="east", Key=key, VersionId=version, AnnotationName="n", AnnotationPayload=b"1"
            )
            then = {"status": status, "code": str(status)}
            emulator.post("faults", {"service": "s3", "operation": operation, "key": key, "then": then})
    assert emulator.idle()
    assert {key: found for key in cases if (found := differences(emulator, key))} == {}


def test_a_large_replica_under_default_retention_does_without_annotations(emulator: Running) -> None:
    west, enabled = emulator.client("s3", "us-west-2"), {"ObjectLockEnabled": "Enabled"}
    retention = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    west.put_object_lock_configuration(Bucket="west", ObjectLockConfiguration={**enabled, "Rule": retention})
    with workers_paused(emulator):
        version = put(emulator, "retained")
        emulator.client("s3").put_object_annotation(
            Bucket="east", Key="retained", VersionId=version, AnnotationName="n", AnnotationPayload=b"1"
        )
    assert emulator.idle()
    west.put_object_lock_configuration(Bucket="west", ObjectLockConfiguration=enabled)
    assert west.head_object(Bucket="west", Key="retained")["ObjectLockMode"] == "GOVERNANCE"
    assert not west.list_object_annotations(Bucket="west", Key="retained").get("Annotations")


def test_a_small_overwrite_of_a_large_object_under_way_is_copied_first_and_stays_current(emulator: Running) -> None:
    with workers_paused(emulator):
        put(emulator, "overtaken")
        part_messages(emulator, 2)
        emulator.client("s3").put_object(Bucket="east", Key="overtaken", Body=b"new")
        until(lambda: asked(emulator, "overtaken")["CopyObject"] > 0)
    assert emulator.idle()
    assert differences(emulator, "overtaken") == []


def test_two_large_versions_of_a_key_are_replicated_in_order(emulator: Running) -> None:
    with workers_paused(emulator):
        put(emulator, "twice")
        put(emulator, "twice", LARGER)
        part_messages(emulator, 5)
    assert emulator.idle()
    assert differences(emulator, "twice", overtaken=True) == []


def test_a_large_object_deleted_for_good_while_it_is_copied_leaves_nothing(emulator: Running) -> None:
    with workers_paused(emulator):
        version = put(emulator, "gone")
        part_messages(emulator, 2)
        emulator.client("s3").delete_object(Bucket="east", Key="gone", VersionId=version)
    assert emulator.idle()
    assert asked(emulator, "gone")["CreateMultipartUpload"] == 1
    assert Side.of(emulator, "west").entries()["gone"] == []


def test_a_large_object_deleted_while_it_is_copied_ends_deleted(emulator: Running) -> None:
    with workers_paused(emulator):
        version = put(emulator, "deleted", bucket="two-east")
        part_messages(emulator, 2)
        emulator.client("s3").delete_object(Bucket="two-east", Key="deleted")
    assert emulator.idle()
    side = Side.of(emulator, "two-west")
    entries = side.entries()["deleted"]
    assert [entry["Marker"] for entry in entries if entry["IsLatest"]] == [True]
    versions = [entry["VersionId"] for entry in entries if not entry["Marker"]]
    assert [side.origin("deleted", each) for each in versions] == [version]


DENIED = {
    "CreateMultipartUpload": "DstMultipartInitNotPermitted",
    "UploadPartCopy": "DstMultipartUploadNotPermitted",
    "CompleteMultipartUpload": "DstMultipartCompleteNotPermitted",
}


REFUSED = {
    ("CreateMultipartUpload", "InvalidStorageClass"): "RequestRefused",
    ("UploadPartCopy", "InvalidRequest"): "RequestRefused",
    ("CompleteMultipartUpload", "EntityTooSmall"): "RequestRefused",
    ("CompleteMultipartUpload", "BadDigest"): "ChecksumMismatch",
} | {(operation, "AccessDenied"): reason for operation, reason in DENIED.items()}


def test_a_large_object_that_is_denied_or_refused_fails_once_with_its_reason_and_can_be_redriven(
    emulator: Running,
) -> None:
    """Whether one function copies or many: one failure per object at once, no upload left, a redrive repairs it."""
    keys = {f"{operation} {code} {size}": reason for (operation, code), reason in REFUSED.items()
            for size in ("here", "spread")}  # fmt: skip
    emulator.post("faults", [fault(operation, {"status": 403 if code == "AccessDenied" else 400, "code": code}, key=key)
                             for key in keys for operation, code, _ in [key.split()]])  # fmt: skip
    versions = {put(emulator, key, HERE) if "here" in key else put(emulator, key): key for key in keys}
    assert emulator.idle()
    failures = take_failures(emulator)
    assert sorted(versions[failure.version_id] for failure in failures) == sorted(keys), "each once"
    for failure in failures:
        told = failure.attributes
        assert told["Reason"] == keys[versions[failure.version_id]]
        assert (told["RuleId"], told["DestinationBucket"]) == ("east to west", "west")
        assert told["Origin"] == f"east/{failure.version_id}"
    assert Side.of(emulator, "west").s3.list_multipart_uploads(Bucket="west").get("Uploads", []) == []
    emulator.delete("faults")
    for failure in failures:
        attributes = {name: {"DataType": "String", "StringValue": text} for name, text in failure.attributes.items()}
        emulator.client("sqs").send_message(
            QueueUrl=emulator.outputs("prod")["ChangeQueue"], MessageBody=failure.body, MessageAttributes=attributes
        )
    assert emulator.idle()
    assert differences(emulator, *keys) == []


def test_malformed_messages_of_parts_fail_with_a_reason(emulator: Running) -> None:
    with workers_paused(emulator):
        put(emulator, "spoiled")
        good, _ = part_messages(emulator, 2)
    assert emulator.idle()
    spoiled = [json.dumps(json.loads(good) | {"copyParts": each}) for each in (None, {}, {"number": 1e999})]
    send_parts(emulator, "no JSON", "{}", *spoiled)
    assert emulator.idle()
    assert [failure.attributes["Reason"] for failure in take_failures(emulator)] == ["MalformedEvent"] * 5


def test_status_shows_how_many_parts_of_a_large_object_are_copied(
    emulator: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    through = fault("UploadPartCopy", {"delay_ms": 0}, key="watched", times=4)
    emulator.post("faults", [through, fault("UploadPartCopy", THROTTLED, key="watched")])
    put(emulator, "watched", LARGER)
    until(lambda: asked(emulator, "watched")["UploadPartCopy"] == 4)
    for name, value in emulator.environment().items():
        monkeypatch.setenv(name, value)
    answer = CliRunner().invoke(app, ["status", "s3://east/watched", "--stack", "prod", "--json"])
    [destination] = json.loads(answer.stdout)["versions"][0]["destinations"]
    assert (destination["status"], destination["reason"]) == ("PENDING", "PartsUnderWay")
    progress = destination["progress"]
    assert (progress["parts_done"], progress["parts"]) == (4, 5)
    assert progress["rate"] > 0
    assert progress["seconds_left"] > 0
    emulator.delete("faults")
    assert emulator.idle()
    assert differences(emulator, "watched") == []
