"""The server, its request log, latency and the other routes under /_emulator."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from moto.dynamodb.parsing.executors import UpdateExpressionExecutor

from emulator.calls.call import Call
from emulator.fault_injection.latency import Latency
from emulator.iam.principals import EMULATOR_ACCESS_KEY_ID, Credentials, Principals
from emulator.state import NoFunctions
from tests.emulator.plain import SIGNED, USER, Plain, refused, serving

# The request log


def test_requests_are_logged_in_order_with_their_caller(aws: Plain, bucket: str) -> None:
    function = aws.client(credentials=aws.emulator.principals.issue("AROA1", "replicate"))
    aws.delete("requests")
    aws.client().put_object(Bucket=bucket, Key="a b", Body=b"x")
    function.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/a b")
    aws.client("sqs", "us-west-2").list_queues()
    rows = aws.get("requests")
    wanted = ("service", "operation", "bucket", "key", "status", "principal")
    assert [tuple(row[name] for name in wanted) for row in rows] == [
        ("s3", "PutObject", bucket, "a b", 200, "user"),
        ("s3", "CopyObject", bucket, "copy", 200, "replicator"),
        ("sqs", "ListQueues", None, None, 200, "user"),
    ]
    assert rows[1]["function"] == "replicate"
    assert rows[1]["copy_source"] == f"{bucket}/a%20b"
    assert rows[2]["region"] == "us-west-2"


def test_a_refused_request_is_logged_with_its_error_code(aws: Plain, bucket: str) -> None:
    aws.delete("requests")
    with refused("NoSuchKey"):
        aws.client().get_object(Bucket=bucket, Key="none")
    with refused("ResourceNotFoundException"):
        aws.client("dynamodb").describe_table(TableName="none")
    assert [(row["status"], row["error"]) for row in aws.get("requests")] == [
        (404, "NoSuchKey"),
        (400, "ResourceNotFoundException"),
    ]


def test_requests_of_the_emulator_itself_are_not_logged_and_meet_no_faults(aws: Plain, bucket: str) -> None:
    itself = aws.client(credentials=Credentials(EMULATOR_ACCESS_KEY_ID, "x", ""))
    aws.post("faults", {"service": "s3", "operation": "*", "then": {"status": 500}})
    aws.delete("requests")
    itself.put_object(Bucket=bucket, Key="key", Body=b"x")
    aws.delete("faults")
    assert aws.get("requests") == []


def test_requests_are_logged_under_the_names_of_boto3s_operations(aws: Plain, bucket: str) -> None:
    s3, key = aws.client(), {"Bucket": bucket, "Key": "k"}
    calls: list[tuple[str, dict[str, Any]]] = [
        ("ListBuckets", {}),
        ("ListObjectsV2", {"Bucket": bucket}),
        ("GetBucketLifecycleConfiguration", {"Bucket": bucket}),
        ("ListMultipartUploads", {"Bucket": bucket}),
        ("GetObjectAttributes", {**key, "ObjectAttributes": ["ETag"]}),
        ("DeleteObjects", {"Bucket": bucket, "Delete": {"Objects": [{"Key": "k"}]}}),
        ("ListObjectAnnotations", key),
        ("AbortMultipartUpload", {**key, "UploadId": "u"}),
        ("ListParts", {**key, "UploadId": "u"}),
    ]
    aws.delete("requests")
    for operation, arguments in calls:
        with suppress(ClientError):
            getattr(s3, xform_name(operation))(**arguments)
    assert [row["operation"] for row in aws.get("requests")] == [operation for operation, _ in calls]


# Latency


def call(bucket_region: str, function_region: str = "", service: str = "s3") -> Call:
    principals = Principals()
    credentials = principals.issue("AROA1", "f", function_region)
    return Call(service, "HeadObject", bucket_region, principals.of(credentials.access_key_id))


@pytest.mark.parametrize(
    ("asked", "source", "milliseconds"),
    [
        (call("us-east-1"), None, 5),
        (call("us-east-1"), "us-east-1", 5),
        (call("us-east-1"), "us-west-2", 80),
        (call("us-east-1", function_region="us-east-1"), None, 5),
        (call("us-east-1", function_region="us-west-2"), None, 80),
        (call("us-east-1", service="dynamodb"), None, 0),
    ],
    ids=[
        "a user",
        "a copy within a Region",
        "a copy from another Region",
        "a function in the bucket's Region",
        "a function in another Region",
        "another service",
    ],
)
def test_latency_depends_on_whether_a_request_leaves_its_region(
    asked: Call, source: str | None, milliseconds: int
) -> None:
    latency = Latency(local_ms=5, cross_region_ms=80)
    assert latency.seconds(asked, asked.region, source) == milliseconds / 1000


def test_a_copy_takes_as_long_as_its_bytes_need_at_the_rate_that_is_set(aws: Plain, bucket: str) -> None:
    s3, source = aws.client(), {"Bucket": bucket, "Key": "key"}
    s3.put_object(**source, Body=b"x" * 200_000)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="copy")["UploadId"]
    part = {"Bucket": bucket, "Key": "copy", "UploadId": upload, "PartNumber": 1, "CopySource": source}
    aws.post("latency", {"copy_mb_per_s": 1})
    try:
        began = time.monotonic()
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)
        assert time.monotonic() - began >= 0.2
        began = time.monotonic()
        s3.upload_part_copy(**part, CopySourceRange="bytes=0-99999")
        assert time.monotonic() - began >= 0.1
    finally:
        aws.post("latency", {})


def test_the_quota_of_messages_in_flight_can_be_lowered_and_is_that_of_aws_again(aws: Plain) -> None:
    assert aws.post("limits", {"sqs_in_flight": 7}) == aws.get("limits") == {"sqs_in_flight": 7}
    assert aws.emulator.limits.in_flight_messages == 7
    assert aws.post("limits", {}) == {"sqs_in_flight": 120_000}


def test_a_copy_from_another_region_takes_the_cross_region_latency(
    aws: Plain, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("emulator.serving.gateway.sleep", waited.append)
    west = aws.bucket("us-west-2")
    aws.client().put_object(Bucket=bucket, Key="key", Body=b"x")
    latency = {"local_ms": 5, "cross_region_ms": 80}
    assert aws.post("latency", latency) == latency | {"copy_mb_per_s": 0.0}
    aws.client("s3", "us-west-2").copy_object(Bucket=west, Key="key", CopySource=f"{bucket}/key")
    aws.client("s3", "us-west-2").copy_object(Bucket=west, Key="copy", CopySource=f"{west}/key")
    assert waited == [0.08, 0.005]
    assert aws.post("latency", {}) == {"local_ms": 0.0, "cross_region_ms": 0.0, "copy_mb_per_s": 0.0}


# Routes


def test_an_emulator_without_work_is_idle(aws: Plain) -> None:
    assert aws.get("idle?timeout=0") == {"idle": True}


class Host(NoFunctions):
    """Functions that say a number of times that they are busy, and one that can be fired."""

    def __init__(self, busy: int = 0) -> None:
        self.busy = busy

    def idle(self) -> bool:
        self.busy -= 1
        return self.busy < 0

    def fire(self, stack: str, function: str) -> Mapping[str, Any]:
        if function != "MonitorFunction":
            raise LookupError(f"{stack} has no function {function}.")
        return {"fired": [stack, function]}


@pytest.fixture
def host(aws: Plain) -> Iterator[Host]:
    before, aws.emulator.functions = aws.emulator.functions, Host()
    yield aws.emulator.functions
    aws.emulator.functions = before


def test_idle_waits_for_functions_and_says_false_after_its_timeout(aws: Plain, host: Host) -> None:
    host.busy = 3
    assert aws.get("idle?timeout=10") == {"idle": True}
    host.busy = 10**9
    assert aws.get("idle?timeout=0.05") == {"idle": False}


def test_a_function_with_a_schedule_can_be_fired(aws: Plain, host: Host) -> None:
    answer = aws.post("fire", {"stack": "east", "function": "MonitorFunction"})
    assert answer["result"] == {"fired": ["east", "MonitorFunction"]}
    status, answer = aws.ask("POST", "fire", {"stack": "east", "function": "Other"})
    assert (status, answer["error"]) == (400, "east has no function Other.")


def test_metrics_are_returned_and_can_be_deleted(aws: Plain) -> None:
    aws.emulator.metrics.append({"_aws": {}, "ReplicationLatency": 1})
    assert aws.get("metrics") == [{"_aws": {}, "ReplicationLatency": 1}]
    assert aws.delete("metrics") == []
    assert aws.get("metrics") == []


@pytest.mark.parametrize(
    ("route", "body", "word"),
    [
        ("faults", b"{", "JSON"),
        ("delivery", {"duplicate": 2}, "duplicate"),
        ("delivery", {"shuffle": "yes"}, "shuffle"),
        ("delivery", {"seed": 0.5}, "seed"),
        ("delivery", {"unequal_sequencers": 1}, "unequal_sequencers"),
        ("delivery", {"version_ids": "no"}, "version_ids"),
        ("delivery", {"order": "lost"}, "duplicate, seed, shuffle, unequal_sequencers, version_ids"),
        ("latency", {"local_ms": -1}, "local_ms"),
        ("latency", [], "local_ms, cross_region_ms, copy_mb_per_s"),
        ("fire", {"stack": "east"}, "function"),
        ("fire", "MonitorFunction", "stack, function"),
    ],
)
def test_a_wrong_body_for_a_route_is_refused_with_the_field_that_is_wrong(
    aws: Plain, route: str, body: Any, word: str
) -> None:
    status, answer = aws.ask("POST", route, body)
    assert status == 400
    assert word in answer["error"]


def test_a_timeout_that_is_no_number_is_refused(aws: Plain) -> None:
    assert aws.ask("GET", "idle?timeout=soon")[0] == 400


def test_an_unknown_route_is_a_404_that_lists_the_routes(aws: Plain) -> None:
    status, answer = aws.ask("GET", "idel")
    assert status == 404
    assert "GET /_emulator/idle" in answer["routes"]


# The server


def test_a_connection_stays_open_for_the_next_request(aws: Plain, bucket: str) -> None:
    connection = http.client.HTTPConnection(aws.emulator.endpoint.removeprefix("http://"))
    sockets = set()
    for method, path, body in (
        ("PUT", f"/{bucket}/key", b"x" * 100_000),
        ("HEAD", f"/{bucket}/key", None),
        ("GET", f"/{bucket}/none", None),
        ("HEAD", f"/{bucket}/none", None),
        ("DELETE", f"/{bucket}/key", None),
        ("GET", f"/{bucket}", None),
    ):
        connection.request(method, path, body=body, headers=SIGNED)
        connection.getresponse().read()
        sockets.add(connection.sock)
    assert len(sockets - {None}) == len(sockets) == 1


def test_a_request_body_may_come_in_chunks(aws: Plain, bucket: str) -> None:
    connection = http.client.HTTPConnection(aws.emulator.endpoint.removeprefix("http://"))
    connection.request("PUT", f"/{bucket}/key", body=iter([b"hel", b"lo"]), headers=SIGNED, encode_chunked=True)
    assert connection.getresponse().status == 200
    assert aws.client().get_object(Bucket=bucket, Key="key")["Body"].read() == b"hello"


@pytest.mark.parametrize(
    "sent",
    [
        b"Content-Length: 10\r\n\r\nhalf",
        b"Content-Length: 10\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n4\r\nha",
    ],
    ids=["half of its body", "none of its body", "a chunk but no last one", "half of a chunk"],
)
def test_a_request_whose_sender_died_on_the_way_has_no_effect(aws: Plain, bucket: str, sent: bytes) -> None:
    host, port = aws.emulator.endpoint.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"PUT /{bucket}/key HTTP/1.1\r\nHost: {host}\r\nAuthorization: user\r\n".encode() + sent)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1000) == b""
    assert "Versions" not in aws.client().list_object_versions(Bucket=bucket)


def test_s3s_own_chunks_are_put_together_and_their_trailer_is_checked(aws: Plain, bucket: str) -> None:
    def send(checksum: str) -> int:
        body = f"5;chunk-signature=x\r\nhello\r\n0;chunk-signature=x\r\nx-amz-checksum-crc64nvme:{checksum}\r\n\r\n"
        headers = SIGNED | {
            "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            "Content-Encoding": "aws-chunked",
        }
        connection = http.client.HTTPConnection(aws.emulator.endpoint.removeprefix("http://"))
        connection.request("PUT", f"/{bucket}/key", body=body.encode(), headers=headers)
        return connection.getresponse().status

    assert send("M3eFcAZSQlc=") == 200
    got = aws.client().get_object(Bucket=bucket, Key="key")
    assert got["Body"].read() == b"hello"
    assert "ContentEncoding" not in got
    assert send("AAAAAAAAAAA=") == 400


def test_a_bucket_can_be_addressed_by_host(aws: Plain, bucket: str) -> None:
    aws.client().put_object(Bucket=bucket, Key="a/b", Body=b"hello")
    connection = http.client.HTTPConnection(aws.emulator.endpoint.removeprefix("http://"))
    for host in ("localhost", "s3.amazonaws.com", "s3.eu-west-1.amazonaws.com"):
        connection.request("GET", "/a/b", headers=SIGNED | {"Host": f"{bucket}.{host}"})
        assert connection.getresponse().read() == b"hello", host


def test_many_clients_are_served_at_the_same_time(aws: Plain, bucket: str) -> None:
    s3 = aws.client()

    def write(number: int) -> str:
        return str(s3.put_object(Bucket=bucket, Key=f"{number % 10}", Body=b"x")["VersionId"])

    with ThreadPoolExecutor(20) as pool:
        written = set(pool.map(write, range(100)))
    listed = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert {entry["VersionId"] for entry in listed} == written


def test_of_many_conditional_updates_of_one_item_exactly_one_wins(aws: Plain, monkeypatch: pytest.MonkeyPatch) -> None:
    dynamodb = aws.client("dynamodb")
    dynamodb.create_table(
        TableName="journal",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    execute = UpdateExpressionExecutor.execute

    def slow_execute(executor: Any, *arguments: Any) -> None:
        time.sleep(0.01)  # after the condition, before the change
        execute(executor, *arguments)

    monkeypatch.setattr(UpdateExpressionExecutor, "execute", slow_execute)

    def claim(number: int) -> bool:
        try:
            dynamodb.update_item(
                TableName="journal",
                Key={"id": {"S": "key"}},
                UpdateExpression="SET generation = :mine",
                ConditionExpression="attribute_not_exists(generation)",
                ExpressionAttributeValues={":mine": {"N": str(number)}},
            )
        except ClientError as error:
            return error.response["Error"]["Code"] != "ConditionalCheckFailedException"
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(8))) == 1


def test_an_operation_that_neither_moto_nor_the_emulator_has_is_refused(aws: Plain, bucket: str) -> None:
    with refused("NotImplemented", 501):
        aws.client().put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": "BucketOwner"})
    with refused("NotImplemented", 501):
        aws.client().rename_object(Bucket=bucket, Key="key", RenameSource="/other")
    with refused("NotImplemented", 501):
        aws.client("sqs").start_message_move_task(SourceArn="arn:aws:sqs:us-east-1:123456789012:queue")


def test_a_body_that_an_operation_does_not_take_is_refused(aws: Plain, bucket: str) -> None:
    connection = http.client.HTTPConnection(aws.emulator.endpoint.removeprefix("http://"))
    for body in (b"", b"garbage", b"<Other/>"):
        for what in ("lifecycle", "ownershipControls", "versioning", "notification"):
            connection.request("PUT", f"/{bucket}?{what}", body=body, headers=SIGNED)
            answer = connection.getresponse()
            assert (answer.status, b"<Code>MalformedXML</Code>" in answer.read()) == (400, True), (what, body)


def test_an_answer_to_s3_has_a_request_id(aws: Plain, bucket: str) -> None:
    assert aws.client().head_bucket(Bucket=bucket)["ResponseMetadata"]["RequestId"]


def test_a_server_ends_its_functions() -> None:
    class Stopped(NoFunctions):
        stopped = False

        def stop(self) -> None:
            self.stopped = True

    with serving() as plain:
        plain.emulator.functions = host = Stopped()
        assert plain.client(credentials=USER)
    assert host.stopped
