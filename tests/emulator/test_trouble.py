"""Faults, kills, duplicates and disorder, end to end: temporary trouble recovers, permanent failures say why."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from emulator.running import Options, Running, running
from tests.emulator.failures import take_failures
from tests.emulator.likeness import Comparison, Side
from tests.emulator.worlds import bucket, fault, rule

HIDING = ("ChangeMessageVisibilityBatch", None)
WORLD: dict[str, Any] = {
    "buckets": [bucket("east"), bucket("west"),
        bucket("lock-east", object_lock=True), bucket("plain-west"), bucket("many-east"), bucket("first-west"),
        bucket("second-west"), bucket("lost-east"), bucket("loose-east"), bucket("loose-west", versioning="Suspended"),
    ],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "parameters": {"DestinationBuckets": "west,plain-west,first-west,second-west,nowhere,loose-west"},
            "rules": {
                "east": {"Rules": [rule("east", "west")]},
                "lock-east": {"Rules": [rule("lock-east", "plain-west")]},
                "many-east": {"Rules": [rule("many-east", "first-west"),
                                        rule("many-east", "second-west", Priority=2)]},
                "lost-east": {"Rules": [rule("lost-east", "nowhere")]},
                "loose-east": {"Rules": [rule("loose-east", "loose-west")]},
            },
        }
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD, Options(crash_visibility=1)) as emulator:
        put(emulator, "warm")
        assert emulator.idle()
        yield emulator


@pytest.fixture(autouse=True)
def clean(emulator: Running) -> Iterator[None]:
    yield
    emulator.delete("faults")
    emulator.post("delivery", {"duplicate": 0.0, "shuffle": False})
    take_failures(emulator)


def put(emulator: Running, key: str, bucket: str = "east", body: bytes = b"content", **fields: Any) -> str:
    answer = emulator.client("s3").put_object(Bucket=bucket, Key=key, Body=body, **fields)
    return str(answer["VersionId"])


def wrong(emulator: Running, *keys: str, overtaken: bool = False) -> list[str]:
    """Wait until nothing is under way, then list how west differs from east at these keys."""
    assert emulator.idle(), "it does not come to rest"
    comparison = Comparison(Side.of(emulator, "east"), Side.of(emulator, "west"), overtaken=overtaken)
    return comparison.differences(set(keys))


def by_replicator(emulator: Running) -> Counter[tuple[str, str | None]]:
    mine = (row for row in emulator.get("requests") if row["principal"] == "replicator")
    return Counter((row["operation"], row["key"]) for row in mine)


def test_a_small_object_costs_one_head_one_copy_and_one_write_and_its_batch_one_read(emulator: Running) -> None:
    emulator.delete("requests")
    keys = [f"cheap/{number}" for number in range(12)]
    for key in keys:
        put(emulator, key)
    assert wrong(emulator, *keys) == []
    counted = by_replicator(emulator)
    sight = {"GetObjectTagging", "GetObjectRetention", "GetObjectLegalHold"}
    mine = {call: count for call, count in counted.items() if call[1] in keys and call[0] not in sight}
    assert mine == {(operation, key): 1 for operation in ("HeadObject", "CopyObject") for key in keys}
    reads = counted["GetItem", None] + counted["BatchGetItem", None]
    assert counted["UpdateItem", None] == 12 >= reads > 0 < counted.pop(HIDING) <= 12, "once for each batch"
    beside = {operation for operation, key in counted if key not in keys} - {"GetItem", "BatchGetItem", "UpdateItem"}
    settings = {"GetBucketVersioning", "GetBucketOwnershipControls", "GetObjectLockConfiguration",
                "GetBucketNotificationConfiguration", "HeadBucket", "GetObject", "Query"}  # fmt: skip
    assert beside - sight <= settings, "once per container, and the gates (Query) once in ten seconds"


def test_an_overwrite_costs_no_more_than_a_first_write(emulator: Running) -> None:
    emulator.delete("requests")
    for number in range(4):
        put(emulator, "again", body=bytes(number))
        assert emulator.idle()
    counted = by_replicator(emulator)
    assert (counted["HeadObject", "again"], counted["CopyObject", "again"]) == (4, 4)
    assert (counted["GetItem", None], counted["UpdateItem", None]) == (4, 4)


def test_versions_whose_sequencers_cannot_be_compared_end_in_their_order(emulator: Running) -> None:
    """S3 compares sequencers of equal length only; of the others the histories decide."""
    emulator.post("delivery", {"shuffle": True, "seed": 7, "unequal_sequencers": True})
    keys = [f"unequal/{number}" for number in range(6)]
    for body in (b"one", b"two", b"three"):
        for key in keys:
            put(emulator, key, body=body)
    assert wrong(emulator, *keys, overtaken=True) == []


TEMPORARY: dict[str, dict[str, Any]] = {
    "throttled copy": fault("CopyObject", {"status": 503, "code": "SlowDown"}, times=2),
    "throttled head": fault("HeadObject", {"status": 503, "code": "SlowDown"}, times=4),
    "copy answered 500": fault("CopyObject", {"status": 500, "code": "InternalError"}, times=2),
    "copy answered 502": fault("CopyObject", {"status": 502, "code": "BadGateway"}, times=1),
    "error inside a 200": fault("CopyObject", {"ok_with_error": "InternalError"}, times=2),
    "SlowDown inside a 200": fault("CopyObject", {"ok_with_error": "SlowDown"}, times=1),
    "conditional conflict": fault("CopyObject", {"status": 409, "code": "ConditionalRequestConflict"}, times=1),
    "a code that nobody knows": fault("CopyObject", {"status": 418, "code": "Teapot"}, times=1),
    "killed before the head": fault("HeadObject", {"kill": "before"}, times=1),
    "killed after the head": fault("HeadObject", {"kill": "after"}, times=1),
    "killed before the copy": fault("CopyObject", {"kill": "before"}, times=1),
    "killed after the copy": fault("CopyObject", {"kill": "after"}, times=1),
    "killed twice": fault("CopyObject", {"kill": "after"}, times=2),
    "answers late": fault("CopyObject", {"delay_ms": 700}, times=1),
}


@pytest.fixture(scope="module")
def weathered(emulator: Running) -> Running:
    """Every kind of temporary trouble at once, each for an object of its own, with neighbours in between."""
    emulator.post("faults", [{**order, "key": name} for name, order in TEMPORARY.items()])
    for name in TEMPORARY:
        put(emulator, name)
        put(emulator, f"beside {name}")
    assert emulator.idle()
    return emulator


@pytest.mark.parametrize("kind", TEMPORARY)
def test_temporary_trouble_recovers_by_itself(weathered: Running, kind: str) -> None:
    assert wrong(weathered, kind, f"beside {kind}") == []


def test_temporary_trouble_leaves_no_failure_and_nothing_that_waits(weathered: Running) -> None:
    assert take_failures(weathered) == []
    assert waiting(weathered) == []


def waiting(emulator: Running) -> list[dict[str, Any]]:
    """Return what the journal's index of waiting versions holds."""
    table = emulator.outputs("prod")["JournalTable"]
    items = emulator.client("dynamodb").scan(TableName=table, IndexName="ByAge")["Items"]
    return [{name: next(iter(value.values())) for name, value in item.items()} for item in items]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operation", ["GetItem", "UpdateItem"])
def test_a_kill_around_the_journal_changes_nothing(emulator: Running, operation: str, when: str) -> None:
    emulator.post("faults", [fault(operation, {"kill": when}, service="dynamodb", times=1)])
    key = f"killed {when} {operation}"
    put(emulator, key)
    assert wrong(emulator, key) == []
    [order] = emulator.get("faults")
    assert order["times"] == 0, "the fault happened"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operation", ["ListObjectVersions", "HeadObject", "CopyObject", "UpdateItem"])
def test_a_kill_on_the_slow_path_changes_nothing(emulator: Running, operation: str, when: str) -> None:
    """A user's own object at the destination makes the first copy fail its guard, and the histories be read."""
    key = f"slow {when} {operation}"
    emulator.client("s3", "us-west-2").put_object(Bucket="west", Key=key, Body=b"a user's own")
    service = "dynamodb" if operation == "UpdateItem" else "s3"
    emulator.post("faults", [fault(operation, {"kill": when}, service=service, times=1)])
    version = put(emulator, key)
    assert emulator.idle()
    west = Side.of(emulator, "west")
    assert [west.origin(key, entry["VersionId"]) for entry in west.versions(key)] == [version, ""]
    assert emulator.get("faults")[0]["times"] == 0, "the fault happened"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_while_a_failure_is_sent_to_the_dead_letter_queue_loses_no_failure(emulator: Running, when: str) -> None:
    key = f"buried {when}"
    emulator.post("faults", [fault("CopyObject", {"status": 403, "code": "AccessDenied"}, key=key),
                             fault("SendMessage", {"kill": when}, service="sqs", times=1)])  # fmt: skip
    version = put(emulator, key)
    assert emulator.idle()
    failures = take_failures(emulator)
    assert {failure.version_id for failure in failures} == {version}
    assert len(failures) == (1 if when == "before" else 2), "twice is better than never"


JOURNAL_TROUBLE = [  # the client itself tries the first two thrice
    (400, "ProvisionedThroughputExceededException", 6),
    (500, "InternalServerError", 6),
    (400, "AccessDeniedException", 2),
]


@pytest.mark.parametrize("trouble", JOURNAL_TROUBLE, ids=[code for _, code, _ in JOURNAL_TROUBLE])
@pytest.mark.parametrize("operation", ["GetItem", "UpdateItem"])
def test_an_object_is_replicated_once_trouble_with_the_journal_is_over(
    emulator: Running, operation: str, trouble: tuple[int, str, int]
) -> None:
    status, code, times = trouble
    emulator.post("faults", [fault(operation, {"status": status, "code": code}, service="dynamodb", times=times)])
    key = f"{code} {operation}"
    put(emulator, key)
    assert wrong(emulator, key) == []
    assert take_failures(emulator) == []


PERMANENT: dict[str, tuple[dict[str, Any], str]] = {
    "copy denied": (fault("CopyObject", {"status": 403, "code": "AccessDenied"}), "DstPutObjectNotPermitted"),
    "head denied": (fault("HeadObject", {"status": 403, "code": "AccessDenied"}), "SrcHeadObjectNotPermitted"),
    "denied inside a 200": (fault("CopyObject", {"ok_with_error": "AccessDenied"}), "DstPutObjectNotPermitted"),
    "no KMS key": (fault("CopyObject", {"status": 400, "code": "KMS.NotFoundException"}), "DstKmsKeyNotFound"),
    "KMS key off": (fault("CopyObject", {"status": 400, "code": "KMS.DisabledException"}), "DstKmsKeyInvalidState"),
    "no bucket": (fault("CopyObject", {"status": 404, "code": "NoSuchBucket"}), "DstBucketNotFound"),
    "archived": (fault("CopyObject", {"status": 403, "code": "InvalidObjectState"}), "SrcObjectNotEligible"),
    "no ACLs": (fault("CopyObject", {"status": 400, "code": "AccessControlListNotSupported"}), "DstPutAclNotPermitted"),
    "no lock": (fault("CopyObject", {"status": 400, "code": "InvalidRequest"}), "RequestRefused"),
    "bad argument": (fault("CopyObject", {"status": 400, "code": "InvalidArgument"}), "RequestRefused"),
}
BAD_HEADS = {
    "KMS.DisabledException": "SrcKmsKeyInvalidState",
    "InvalidRequest": "SrcObjectNotEligible",
    "InvalidArgument": "SrcVersionNotFound",
    "AccessDenied": "SrcGetObjectNotPermitted",
}
"""The words that a GET has for a HEAD that is 400 and has none -> reason."""


def test_what_is_behind_a_bad_head_is_in_the_dead_letter_queue(emulator: Running) -> None:
    faults = []
    for code in BAD_HEADS:
        faults += [fault("HeadObject", {"status": 400, "code": "BadRequest"}, key=f"behind {code}")]
        faults += [fault("GetObject", {"status": 400, "code": code}, key=f"behind {code}")]
    emulator.post("faults", faults)
    versions = {put(emulator, f"behind {code}"): reason for code, reason in BAD_HEADS.items()}
    assert emulator.idle()
    emulator.delete("faults")
    failures = take_failures(emulator)
    assert {failure.version_id: failure.attributes["Reason"] for failure in failures} == versions


def test_old_credentials_behind_a_bad_head_are_waited_for(emulator: Running) -> None:
    bad = [
        fault("HeadObject", {"status": 400, "code": "BadRequest"}, key="old", times=6),
        fault("GetObject", {"status": 400, "code": "ExpiredToken"}, key="old", times=1),
    ]
    emulator.post("faults", bad)
    put(emulator, "old")
    assert wrong(emulator, "old") == []
    assert take_failures(emulator) == []


def test_a_permanent_failure_is_in_the_dead_letter_queue_with_reason_rule_destination_and_origin(
    emulator: Running,
) -> None:
    emulator.post("faults", [{**order, "key": name} for name, (order, _) in PERMANENT.items()])
    versions = {name: put(emulator, name) for name in PERMANENT}
    neighbours = [f"beside {name}" for name in PERMANENT]
    for name in neighbours:
        put(emulator, name)
    assert wrong(emulator, *neighbours) == []
    failures = take_failures(emulator)
    assert {failure.version_id: failure.attributes["Reason"] for failure in failures} == {
        versions[name]: reason for name, (_, reason) in PERMANENT.items()
    }
    assert len(failures) == len(PERMANENT), "each once"
    for failure in failures:
        assert failure.attributes["RuleId"] in ("east to west", "")
        assert failure.attributes["DestinationBucket"] == "west"
        assert failure.attributes["Origin"] == f"east/{failure.version_id}"
        assert failure.attributes["Attempts"] == "1"
        assert failure.attributes["FirstSeen"].startswith("20")


def test_a_failure_that_was_repaired_is_replicated_when_its_message_is_sent_again(emulator: Running) -> None:
    emulator.post("faults", [fault("CopyObject", {"status": 403, "code": "AccessDenied"}, key="redriven")])
    put(emulator, "redriven")
    assert emulator.idle()
    [failure] = take_failures(emulator)
    emulator.delete("faults")
    emulator.client("sqs").send_message(
        QueueUrl=emulator.outputs("prod")["ChangeQueue"],
        MessageBody=failure.body,
        MessageAttributes={"Redriven": {"DataType": "String", "StringValue": "true"}},
    )
    assert wrong(emulator, "redriven") == []
    assert [item for item in waiting(emulator) if "redriven" in item["object"]] == []


@pytest.mark.parametrize("bucket", ["east", "west"])
def test_a_replica_whose_annotations_are_denied_is_completed_without_them(emulator: Running, bucket: str) -> None:
    s3, key = emulator.client("s3", "us-east-1" if bucket == "east" else "us-west-2"), f"noted in {bucket}"
    denied = {"Effect": "Deny", "Principal": "*", "Resource": f"arn:aws:s3:::{bucket}/{key}",
              "Action": ["s3:GetObjectAnnotation", "s3:GetObjectVersionAnnotation"] if bucket == "east" else
                        "s3:PutObjectAnnotation"}  # fmt: skip
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [denied]}))
    try:
        put(emulator, key)
        assert wrong(emulator, key) == []
    finally:
        s3.delete_bucket_policy(Bucket=bucket)
    assert take_failures(emulator) == []
    asked = [row["status"] for row in emulator.get("requests")
             if (row["operation"], row["key"]) == ("CopyObject", key)]  # fmt: skip
    assert asked == [403, 200]


UNTIL = "2040-01-01T00:00:00Z"


def test_an_object_that_its_destination_cannot_take_fails_with_the_reason(emulator: Running) -> None:
    put(emulator, "k", "lock-east", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=UNTIL)
    put(emulator, "k", "lost-east")
    put(emulator, "k", "loose-east")
    assert emulator.idle()
    reasons = {
        failure.attributes["DestinationBucket"]: failure.attributes["Reason"] for failure in take_failures(emulator)
    }
    assert reasons == {
        "plain-west": "DstBucketObjectLockConfigMissing",
        "nowhere": "DstBucketNotFound",
        "loose-west": "DstBucketUnversioned",
    }


def test_a_destination_that_fails_does_not_delay_the_other(emulator: Running) -> None:
    denied = fault("CopyObject", {"status": 403, "code": "AccessDenied"}, bucket="first-west")
    emulator.post("faults", [denied])
    put(emulator, "k", "many-east")
    assert emulator.idle()
    many = Side.of(emulator, "many-east")
    assert Comparison(many, Side.of(emulator, "second-west")).differences() == []
    [failure] = take_failures(emulator)
    assert (failure.attributes["DestinationBucket"], failure.attributes["RuleId"]) == (
        "first-west", "many-east to first-west")  # fmt: skip


def test_a_destination_that_waits_does_not_repeat_the_copy_to_the_other(emulator: Running) -> None:
    emulator.delete("requests")
    emulator.post("faults", [fault("CopyObject", {"status": 503, "code": "SlowDown"}, bucket="first-west", times=2)])
    put(emulator, "waits", "many-east")
    assert emulator.idle()
    for destination in ("first-west", "second-west"):
        there = Comparison(Side.of(emulator, "many-east"), Side.of(emulator, destination))
        assert there.differences({"waits"}) == []


MALFORMED = {
    "not JSON": "hello",
    "no records": "{}",
    "another service's": json.dumps({"Records": [{"eventSource": "aws:sqs"}]}),
    "no key": json.dumps({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {}}]}),
    "endless": "[" * 10_000,
}


def test_malformed_messages_end_in_the_dead_letter_queue_and_other_messages_are_replicated(emulator: Running) -> None:
    url = emulator.outputs("prod")["ChangeQueue"]
    entries = [{"Id": str(number), "MessageBody": text} for number, text in enumerate(MALFORMED.values())]
    emulator.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)
    put(emulator, "beside malformed ones")
    assert wrong(emulator, "beside malformed ones") == []
    failures = take_failures(emulator)
    assert sorted(failure.body for failure in failures) == sorted(MALFORMED.values())
    assert {failure.attributes["Reason"] for failure in failures} == {"MalformedEvent"}
    assert all(failure.attributes["Detail"] for failure in failures)


def test_a_test_event_is_no_failure(emulator: Running) -> None:
    body = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "east"})
    emulator.client("sqs").send_message(QueueUrl=emulator.outputs("prod")["ChangeQueue"], MessageBody=body)
    assert emulator.idle()
    assert take_failures(emulator) == []


def test_duplicated_and_reordered_events_change_nothing(emulator: Running) -> None:
    emulator.post("delivery", {"duplicate": 0.4, "shuffle": True, "seed": 7})
    keys = [f"mixed/{number}" for number in range(12)]
    for round_ in range(3):
        for key in keys:
            put(emulator, key, body=f"{key} {round_}".encode(), Metadata={"round": str(round_)})
    once = [f"mixed once/{number}" for number in range(12)]
    for key in once:
        put(emulator, key)
    assert wrong(emulator, *keys, overtaken=True) == []
    assert wrong(emulator, *once) == [], "what has one version never has two replicas"
    assert take_failures(emulator) == []


def test_no_function_ever_removed_an_object(emulator: Running) -> None:
    """The last test of this module: none of all the requests that functions made removes an object."""
    removals = [row for row in emulator.get("requests") if row["principal"] == "replicator"
                and row["operation"] in ("DeleteObject", "DeleteObjects")]  # fmt: skip
    assert removals == []
