"""Faults: which calls they meet, how often, and what the caller and the bucket see of each kind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.emulator.plain import Plain, refused


@pytest.fixture(scope="module")
def bucket(aws: Plain) -> str:
    return aws.bucket()


@pytest.fixture(autouse=True)
def no_faults(aws: Plain) -> Iterator[None]:
    yield
    aws.delete("faults")


SLOW_DOWN = {"status": 503, "code": "SlowDown"}


def fault(aws: Plain, operation: str, then: dict[str, Any], service: str = "s3", **which: Any) -> None:
    aws.post("faults", [{"service": service, "operation": operation, "then": then, **which}])


def put(s3: Any, bucket: str, key: str = "key") -> Any:
    return s3.put_object(Bucket=bucket, Key=key, Body=b"x")


def versions(s3: Any, bucket: str, key: str) -> int:
    return len(s3.list_object_versions(Bucket=bucket, Prefix=key).get("Versions", []))


def test_a_status_stops_the_call_and_changes_nothing(aws: Plain, s3: Any, bucket: str) -> None:
    fault(aws, "PutObject", SLOW_DOWN)
    with refused("SlowDown", 503):
        put(s3, bucket, "stopped")
    assert versions(s3, bucket, "stopped") == 0


def test_a_fault_happens_as_often_as_its_times_say(aws: Plain, s3: Any, bucket: str) -> None:
    fault(aws, "PutObject", SLOW_DOWN, times=2)
    for _ in range(2):
        with refused("SlowDown"):
            put(s3, bucket)
    put(s3, bucket)
    assert aws.get("faults")[0]["times"] == 0


def test_without_times_a_fault_stays_until_it_is_deleted(aws: Plain, s3: Any, bucket: str) -> None:
    fault(aws, "PutObject", SLOW_DOWN)
    for _ in range(3):
        with refused("SlowDown"):
            put(s3, bucket)
    assert aws.delete("faults") == []
    put(s3, bucket)


def test_a_fault_meets_only_its_bucket_and_key(aws: Plain, s3: Any, bucket: str) -> None:
    fault(aws, "PutObject", SLOW_DOWN, bucket=bucket, key="a b/ü+")
    put(s3, bucket)
    put(s3, aws.bucket(), "a b/ü+")
    with refused("SlowDown"):
        put(s3, bucket, "a b/ü+")


def test_a_fault_of_a_copy_meets_its_destination_bucket(aws: Plain, s3: Any, bucket: str) -> None:
    other = aws.bucket()
    put(s3, bucket)
    put(s3, other)
    fault(aws, "CopyObject", SLOW_DOWN, bucket=other)
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{other}/key")
    with refused("SlowDown"):
        s3.copy_object(Bucket=other, Key="copy", CopySource=f"{bucket}/key")


@pytest.mark.parametrize(
    ("principal", "hit"), [("user", "user"), ("replicator", "function")], ids=["a user", "a function"]
)
def test_a_fault_meets_only_its_principal(aws: Plain, s3: Any, bucket: str, principal: str, hit: str) -> None:
    function = aws.client(credentials=aws.emulator.principals.issue("AROA1", "replicate"))
    fault(aws, "PutObject", SLOW_DOWN, principal=principal)
    for name, client in (("user", s3), ("function", function)):
        if name == hit:
            with refused("SlowDown"):
                put(client, bucket)
        else:
            put(client, bucket)


def test_a_fault_of_a_star_meets_every_operation(aws: Plain, s3: Any, bucket: str) -> None:
    fault(aws, "*", SLOW_DOWN)
    with refused("SlowDown"):
        put(s3, bucket)
    with refused("SlowDown"):
        s3.list_objects_v2(Bucket=bucket)
    with refused("503", 503):
        s3.head_bucket(Bucket=bucket)


def test_of_several_faults_for_a_call_the_first_happens(aws: Plain, s3: Any, bucket: str) -> None:
    fault(aws, "PutObject", SLOW_DOWN, times=1)
    fault(aws, "PutObject", {"status": 500, "code": "InternalError"}, times=1)
    with refused("SlowDown"):
        put(s3, bucket)
    with refused("InternalError", 500):
        put(s3, bucket)
    put(s3, bucket)


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("dynamodb", "ListTables"),
        ("sqs", "ListQueues"),
        ("events", "ListRules"),
        ("lambda", "ListFunctions"),
        ("sts", "GetCallerIdentity"),
        ("cloudwatch", "ListMetrics"),
        ("cloudformation", "ListStacks"),
    ],
)
def test_an_error_has_the_shape_of_its_services_protocol(aws: Plain, service: str, operation: str) -> None:
    fault(aws, operation, {"status": 400, "code": "ThrottlingException", "message": "Slow down."}, service)
    with refused("ThrottlingException", 400) as error:
        getattr(aws.client(service), xform_name(operation))()
    assert error["Message"] == "Slow down."


def test_an_error_of_dynamodb_is_an_exception_of_its_client(aws: Plain) -> None:
    dynamodb = aws.client("dynamodb")
    fault(aws, "GetItem", {"status": 400, "code": "ProvisionedThroughputExceededException"}, "dynamodb")
    with pytest.raises(dynamodb.exceptions.ProvisionedThroughputExceededException):
        dynamodb.get_item(TableName="table", Key={"id": {"S": "1"}})


def test_an_error_can_come_inside_a_200(aws: Plain, s3: Any, bucket: str) -> None:
    put(s3, bucket)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="late")["UploadId"]
    key = {"Bucket": bucket, "Key": "late"}
    calls: dict[str, Callable[[], Any]] = {
        "CopyObject": lambda: s3.copy_object(**key, CopySource=f"{bucket}/key"),
        "UploadPartCopy": lambda: s3.upload_part_copy(**key, UploadId=upload, PartNumber=1, CopySource=f"{bucket}/key"),
        "CompleteMultipartUpload": lambda: s3.complete_multipart_upload(
            **key, UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": "x"}]}
        ),
    }
    for operation, call in calls.items():
        fault(aws, operation, {"ok_with_error": "InternalError"})
        with pytest.raises(ClientError) as raised:
            call()
        assert raised.value.response["Error"]["Code"] == "InternalError"
    assert {row["status"] for row in aws.get("requests") if row.get("fault", "").startswith("okwitherror")} == {200}
    assert versions(s3, bucket, "late") == 0


def test_a_delay_takes_time_and_changes_nothing_else(
    aws: Plain, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("emulator.serving.gateway.sleep", waited.append)
    fault(aws, "PutObject", {"delay_ms": 1500}, times=1)
    put(s3, bucket, "delayed")
    assert waited == [1.5]
    assert versions(s3, bucket, "delayed") == 1


@pytest.mark.parametrize(("when", "there"), [("before", 0), ("after", 1)], ids=["before it", "after it"])
def test_a_kill_ends_the_function_around_the_call(aws: Plain, s3: Any, bucket: str, when: str, there: int) -> None:
    principals, killed = aws.emulator.principals, threading.Event()
    credentials = principals.issue("AROA1", "replicate")
    principals.on_kill(credentials.access_key_id, killed.set)
    fault(aws, "PutObject", {"kill": when}, principal="replicator", times=1)
    with pytest.raises(ConnectionClosedError):
        put(aws.client(credentials=credentials), bucket, f"killed-{when}")
    assert killed.is_set()
    assert versions(s3, bucket, f"killed-{when}") == there


def test_only_the_process_that_called_is_killed(aws: Plain, bucket: str) -> None:
    principals, killed = aws.emulator.principals, []
    credentials = [principals.issue("AROA1", "replicate") for _ in range(2)]
    for each in credentials:
        principals.on_kill(each.access_key_id, lambda each=each: killed.append(each))  # type: ignore[misc]
    fault(aws, "PutObject", {"kill": "before"})
    with pytest.raises(ConnectionClosedError):
        put(aws.client(credentials=credentials[1]), bucket)
    assert killed == credentials[1:]


def test_a_killed_call_is_logged_without_a_status(aws: Plain, s3: Any, bucket: str) -> None:
    aws.delete("requests")
    fault(aws, "PutObject", {"kill": "after"})
    with pytest.raises(ConnectionClosedError):
        put(s3, bucket)
    (row,) = aws.get("requests")
    assert (row["operation"], row["status"], row["fault"]) == ("PutObject", 0, "kill after")


def test_a_single_fault_needs_no_list(aws: Plain) -> None:
    line = {"service": "s3", "operation": "CopyObject", "then": {"kill": "before"}, "times": 1}
    assert aws.post("faults", line) == [line]


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ("text", "object"),
        ({"operation": "CopyObject", "then": SLOW_DOWN}, "service"),
        ({"service": "s4", "operation": "CopyObject", "then": SLOW_DOWN}, "s4"),
        ({"service": "s3", "operation": "CopyObjects", "then": SLOW_DOWN}, "CopyObjects"),
        ({"service": "s3", "operation": "CopyObject"}, "then"),
        ({"service": "s3", "operation": "CopyObject", "then": {"status": 200}}, "then"),
        ({"service": "s3", "operation": "CopyObject", "then": {"kill": "during"}}, "then"),
        ({"service": "s3", "operation": "CopyObject", "then": {**SLOW_DOWN, "kill": "after"}}, "then"),
        ({"service": "s3", "operation": "PutObject", "then": {"ok_with_error": "InternalError"}}, "ok_with_error"),
        ({"service": "s3", "operation": "CopyObject", "then": SLOW_DOWN, "times": 0}, "times"),
        ({"service": "s3", "operation": "CopyObject", "then": SLOW_DOWN, "principal": "me"}, "principal"),
        ({"service": "s3", "operation": "CopyObject", "then": SLOW_DOWN, "bukket": "x"}, "bukket"),
        ({"service": "s3", "operation": "CopyObject", "then": SLOW_DOWN, "bucket": 3}, "bucket"),
    ],
    ids=["no object", "no service", "an unknown service", "an unknown operation", "no effect", "an error that is none",
         "an unknown moment of a kill", "two effects", "an operation whose 200 carries no error", "never",
         "an unknown principal", "an unknown field", "a bucket that is no name"],
)  # fmt: skip
def test_a_fault_that_makes_no_sense_is_refused_with_the_field_that_is_wrong(aws: Plain, wrong: Any, word: str) -> None:
    status, answer = aws.ask("POST", "faults", [wrong])
    assert status == 400
    assert answer["error"].startswith("fault 1: ")
    assert word in answer["error"]
    assert aws.get("faults") == []
