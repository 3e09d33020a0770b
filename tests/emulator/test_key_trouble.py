"""KMS keys that cannot be used, at either side, before a copy, between its HEAD and itself, and in the middle of one.

The reason says whose key it is, although S3's error does not.
"""

import json
import threading
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from moto.kms.models import kms_backends

from emulator import s3
from emulator.calls.answers import Answer
from emulator.iam.principals import ACCOUNT
from emulator.running import Running, running
from emulator.s3.copies import copy_object
from emulator.s3.requests import Request
from tests.emulator.failures import take_failures
from tests.emulator.large import body, workers_paused
from tests.emulator.likeness import Comparison, Side
from tests.emulator.worlds import bucket, fault, rule
from tests.patience import until

MIB = 1024**2
STATES = ("disabled", "to be deleted", "denied")
WHEN = ("before", "between", "amid")
_numbers = count(1)


def key_in(region: str) -> str:
    return f"arn:aws:kms:{region}:{ACCOUNT}:key/00000000-0000-0000-0000-{next(_numbers):012d}"


SOURCE_KEYS = {f"{when} {state}": key_in("us-east-1") for when in WHEN for state in STATES}
FINE_KEY = key_in("us-east-1")
DESTINATION_KEYS = {f"{when} {state}": key_in("us-west-2") for when in WHEN for state in STATES}
ODD_KEYS = {
    "unknown": (key_in("us-west-2"), "DstKmsKeyNotFound"),
    "elsewhere": (key_in("eu-west-1"), "DstKmsKeyNotFound"),
    "not listed": (key_in("us-west-2"), "DstKmsKeyNotPermitted"),
    "fine": (key_in("us-west-2"), ""),
}
SOURCES = {name: f"{name.replace(' ', '-')}-east" for name in (*DESTINATION_KEYS, *ODD_KEYS)}
"""What is wrong with the key of its rule -> the source bucket."""
OF_SOURCE = {"denied": "SrcKmsKeyNotPermitted"}
OF_DESTINATION = {
    ("denied", "amid"): "DstKmsKeyNotPermitted",
    ("denied", "before"): "DstKmsKeyNotPermitted",
    ("denied", "between"): "DstKmsKeyNotPermitted",
}


def with_key(source: str, key: str) -> dict[str, Any]:
    return rule(
        source,
        "west",
        SourceSelectionCriteria={"SseKmsEncryptedObjects": {"Status": "Enabled"}},
        Destination={"EncryptionConfiguration": {"ReplicaKmsKeyID": key}},
    )


def listed(keys: dict[str, str], *others: str) -> str:
    return ",".join([*keys.values(), *others])


RULES = {SOURCES[name]: key for name, key in {**DESTINATION_KEYS, **{n: k for n, (k, _) in ODD_KEYS.items()}}.items()}
WORLD: dict[str, Any] = {
    "buckets": [
        *(bucket(name) for name in SOURCES.values()),
        bucket("west"),
    ],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "parameters": {
                "SourceKmsKeys": listed(SOURCE_KEYS, FINE_KEY),
                "DestinationKmsKeys": listed(DESTINATION_KEYS, ODD_KEYS["unknown"][0], ODD_KEYS["elsewhere"][0],
                                             ODD_KEYS["fine"][0]),
                "DestinationBuckets": "west",
                "MultipartThreshold": str(5 * MIB), "SpreadThreshold": str(6 * MIB), "PartSize": str(5 * MIB),
            },
            "rules": {source: {"Rules": [with_key(source, key)]} for source, key in RULES.items()},
        }
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as emulator:
        unknown = ODD_KEYS["unknown"][0]
        del kms_backends[ACCOUNT]["us-west-2"].keys[unknown.rpartition("/")[2]]
        yield emulator


@pytest.fixture(autouse=True)
def clean(emulator: Running) -> Iterator[None]:
    emulator.delete("requests")
    yield
    emulator.delete("faults")
    take_failures(emulator)


def put(emulator: Running, key: str, source: str, kms_key: str, size: int = 7) -> None:
    emulator.client("s3").put_object(
        Bucket=source, Key=key, Body=body(size), ServerSideEncryption="aws:kms", SSEKMSKeyId=kms_key
    )


def spoil(emulator: Running, kms_key: str, state: str) -> None:
    kms = emulator.client("kms", kms_key.split(":")[3])
    if state == "disabled":
        kms.disable_key(KeyId=kms_key)
    elif state == "denied":
        kms.put_key_policy(KeyId=kms_key, PolicyName="default", Policy=json.dumps({"Statement": []}))
    else:
        kms.schedule_key_deletion(KeyId=kms_key)


def reasons(emulator: Running) -> dict[str, str]:
    """Wait until nothing is under way; return the reason of each failure, by the object's key."""
    assert emulator.idle(120)
    return {str(failure.s3_object["key"]).replace("+", " "): failure.attributes["Reason"]
            for failure in take_failures(emulator)}  # fmt: skip


def put_all(emulator: Running, when: str, size: int) -> list[str]:
    """Write an object for each state and side; return their keys."""
    written = []
    for state in STATES:
        for side, source, kms_key in (
            ("source", SOURCES["fine"], SOURCE_KEYS[f"{when} {state}"]),
            ("destination", SOURCES[f"{when} {state}"], FINE_KEY),
        ):
            written.append(f"{side} {when} {state}")
            put(emulator, written[-1], source, kms_key, size)
    return written


def put_all_and_spoil(emulator: Running, when: str, size: int, meanwhile: Callable[[list[str]], object]) -> None:
    """Write an object for each state and side, then spoil the keys once `meanwhile` returns."""
    meanwhile(put_all(emulator, when, size))
    for state in STATES:
        spoil(emulator, SOURCE_KEYS[f"{when} {state}"], state)
        spoil(emulator, DESTINATION_KEYS[f"{when} {state}"], state)


def expected(when: str) -> dict[str, str]:
    ours = {f"source {when} {state}": OF_SOURCE.get(state, "SrcKmsKeyInvalidState") for state in STATES}
    theirs = {f"destination {when} {state}": OF_DESTINATION.get((state, when), "DstKmsKeyInvalidState")
              for state in STATES}  # fmt: skip
    return ours | theirs


def requests(emulator: Running, operation: str) -> list[str]:
    return [row["key"] for row in emulator.get("requests")
            if row["operation"] == operation and row["principal"] == "replicator"]  # fmt: skip


def test_a_key_that_cannot_be_used_before_the_copy_is_named_with_its_side(emulator: Running) -> None:
    with workers_paused(emulator, function="ReplicateFunction"):
        put_all_and_spoil(emulator, "before", 7, lambda _: None)
    assert reasons(emulator) == expected("before")
    heads = requests(emulator, "HeadObject")
    assert max(heads.count(key) for key in expected("before")) <= 4, "bounded; botocore repeats a HEAD that is 400"


def test_a_key_that_cannot_be_used_any_more_between_the_head_and_the_copy_is_named_with_its_side(
    emulator: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt, one_by_one = set[str](), threading.Lock()

    def spoil_and_copy(request: Request) -> Answer:
        side, _, state = request.key.split(" ", 2)
        with one_by_one:
            if request.key not in spoilt:
                spoil(emulator, (SOURCE_KEYS if side == "source" else DESTINATION_KEYS)[f"between {state}"], state)
            spoilt.add(request.key)
        return copy_object(request)

    monkeypatch.setitem(s3._OPERATIONS, "CopyObject", spoil_and_copy)
    put_all(emulator, "between", 7)
    assert reasons(emulator) == expected("between")
    assert spoilt == set(expected("between"))


def test_a_key_that_cannot_be_used_any_more_amid_a_large_copy_is_named_with_its_side(emulator: Running) -> None:
    def sent(keys: list[str]) -> None:
        until(lambda: set(keys) <= set(requests(emulator, "CreateMultipartUpload")))
        until(lambda: emulator.client("sqs").get_queue_attributes(
            QueueUrl=emulator.outputs("prod")["PartQueue"], AttributeNames=["ApproximateNumberOfMessages"]
        )["Attributes"]["ApproximateNumberOfMessages"] >= str(len(keys)))  # fmt: skip

    with workers_paused(emulator):
        put_all_and_spoil(emulator, "amid", 6 * MIB + 1, sent)
    assert reasons(emulator) == expected("amid")


@pytest.mark.parametrize("case", ODD_KEYS)
def test_a_key_that_a_rule_names_wrongly_is_the_destinations(emulator: Running, case: str) -> None:
    put(emulator, case, SOURCES[case], FINE_KEY)
    reason = ODD_KEYS[case][1]
    assert reasons(emulator) == ({case: reason} if reason else {})


def test_a_source_key_that_the_stack_was_not_told_of_is_denied(emulator: Running) -> None:
    other = emulator.client("kms").create_key()["KeyMetadata"]["Arn"]
    put(emulator, "not told of", SOURCES["fine"], other)
    assert reasons(emulator) == {"not told of": "SrcKmsKeyNotPermitted"}


def test_old_credentials_are_not_taken_for_a_bad_key(emulator: Running) -> None:
    """A HEAD that they sign is 400 as well, and botocore repeats it once."""
    emulator.post("faults", [fault("HeadObject", {"status": 400, "code": "ExpiredToken"}, key="old", times=2)])
    put(emulator, "old", SOURCES["fine"], FINE_KEY)
    assert reasons(emulator) == {}
    assert Comparison(Side.of(emulator, SOURCES["fine"]), Side.of(emulator, "west")).differences({"old"}) == []


def test_an_object_whose_key_is_enabled_again_is_replicated_when_its_message_is_sent_again(emulator: Running) -> None:
    kms, kms_key = emulator.client("kms"), FINE_KEY
    with workers_paused(emulator, function="ReplicateFunction"):
        put(emulator, "mended", SOURCES["fine"], kms_key)
        kms.disable_key(KeyId=kms_key)
    assert emulator.idle()
    [failure] = take_failures(emulator)
    assert failure.attributes["Reason"] == "SrcKmsKeyInvalidState"
    kms.enable_key(KeyId=kms_key)
    emulator.client("sqs").send_message(
        QueueUrl=emulator.outputs("prod")["ChangeQueue"],
        MessageBody=failure.body,
        MessageAttributes={"Redriven": {"DataType": "String", "StringValue": "true"}},
    )
    assert reasons(emulator) == {}
    assert Side.of(emulator, "west").versions("mended")
