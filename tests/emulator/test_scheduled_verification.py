"""Verification by a schedule on the deployed stack: it names damage, publishes and notes it, and survives a kill."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from replicator.aws.control_documents import ControlDocuments

from emulator.running import Running, running
from tests.emulator.watched import STACK, document, look, measured, put, run, versions, world

DONE = {"completed": {"east": True}}


@pytest.fixture
def aws() -> Iterator[Running]:
    with running(world(VerifySchedule="rate(1 day)")) as emulator:
        put(emulator, "a", "b", "c")
        assert emulator.idle()
        yield emulator


def fire(aws: Running) -> Any:
    """Let the schedule begin verifications."""
    return aws.post("/fire", {"stack": STACK, "function": "VerifyFunction"})["result"]


def tick(aws: Running) -> Any:
    """Let the other schedule go on with them."""
    return aws.host.invoke(STACK, "VerifyFunction", {"continue": True}, 60)


def completed(aws: Running) -> list[dict[str, Any]]:
    """Return what the events of completed verifications say."""
    return [each["detail"] for each in aws.get("/events") if each["detail-type"] == "VerificationCompleted"]


def control(aws: Running, key: str) -> Any:
    named = {"Bucket": aws.outputs(STACK)["ControlBucket"], "Key": key}
    return json.loads(aws.client("s3").get_object(**named)["Body"].read())


def damage(aws: Running) -> None:
    [replica] = versions(aws, "west", "b")
    aws.client("s3", "us-west-2").delete_object(Bucket="west", Key="b", VersionId=replica["VersionId"])


def test_what_is_complete_is_proven_and_what_was_damaged_afterwards_is_found(aws: Running) -> None:
    assert fire(aws) == DONE
    assert tick(aws) == {"completed": {}}
    [proven] = completed(aws)
    assert (proven["bucket"], proven["equal"]) == ({"name": "east"}, True)
    assert proven["destinations"]["west"]["proven_complete_until"] == proven["begun"]
    assert control(aws, "coverage/east.json")["destinations"]["west"]["verified"] == proven["begun"]
    [shown] = document(aws, "status")["proofs"]
    assert (shown["source"], shown["destination"], shown["proven_complete_until"]) == ("east", "west", proven["begun"])
    assert shown["verification"]["checked"] == 3
    damage(aws)
    assert fire(aws) == DONE
    assert "1 deleted-there; see s3replicator verify east" in " ".join(run(aws, "status").stdout.split())
    [_, found] = completed(aws)
    assert (found["equal"], found["destinations"]["west"]["differences"]) == (False, {"deleted-there": 1})
    look(aws)
    assert measured(aws, "DifferencesFound", Stack=STACK) == [1]
    assert measured(aws, "DifferencesFound", SourceBucket="east", DestinationBucket="west") == [1]
    assert [0 <= age < 3600 for age in measured(aws, "LastProofAge", Stack=STACK)] == [True]
    answer = json.loads(run(aws, "failover", "check", "east", "west", "--json").stdout)
    assert (answer["answer"], answer["unverified"]) == ("UNKNOWN", True)


def test_an_invocation_that_is_killed_is_gone_on_with_by_a_later_one(aws: Running) -> None:
    aws.post("/faults", [{"service": "s3", "operation": "PutObject", "key": "coverage/east.json", "times": 1,
                          "principal": "replicator", "then": {"kill": "before"}}])  # fmt: skip
    assert "errorMessage" in fire(aws)
    assert tick(aws) == {"completed": {}}, "nobody knows that it was killed until its time is over"
    state = control(aws, "assurance/east.json")
    assert not state["done"]
    aws.client("s3").put_object(
        Bucket=aws.outputs(STACK)["ControlBucket"],
        Key="assurance/east.json",
        Body=json.dumps(state | {"lease": 0}),
    )
    assert tick(aws) == DONE
    [proven] = completed(aws)
    assert (proven["equal"], proven["destinations"]["west"]["checked"]) == (True, 3)


def test_a_document_is_replaced_only_as_it_was_read(aws: Running) -> None:
    documents = ControlDocuments(aws.client("s3"), aws.outputs(STACK)["ControlBucket"])
    assert documents.get("assurance/k.json") is None
    first = documents.put("assurance/k.json", b"1", "")
    assert first
    assert documents.get("assurance/k.json") == (b"1", first)
    assert documents.put("assurance/k.json", b"2", "") is None
    second = documents.put("assurance/k.json", b"3", first)
    assert second
    assert documents.put("assurance/k.json", b"4", first) is None
    assert documents.get("assurance/k.json") == (b"3", second)


def test_it_only_reads_and_every_request_is_allowed(aws: Running) -> None:
    assert fire(aws) == DONE
    mine = [each for each in aws.get("/authorizations") if "VerifyRole" in each["role"]]
    assert mine
    assert [each for each in mine if not each["allowed"]] == []
    writes = {each["action"] for each in mine if "Put" in each["action"] or "Delete" in each["action"]}
    assert writes == {"s3:PutObject", "events:PutEvents"}
    written = {
        each["resource"].rpartition(":::")[2].partition("/")[0] for each in mine if each["action"] == "s3:PutObject"
    }
    assert written == {aws.outputs(STACK)["ControlBucket"]}
