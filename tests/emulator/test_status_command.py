"""`s3replicator status` against deployed stacks: the stack, a bucket, an object and both sides of a two-way pair."""

from collections.abc import Iterator

import pytest

from emulator.running import Running, running
from tests.emulator.watched import RULE, document, fail, put, run, start_anew, world
from tests.patience import until

BACK = {**RULE, "ID": "back", "Destination": {"Bucket": "arn:aws:s3:::east"}}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    both = world()
    both["stacks"].append({"name": "back", "region": "us-west-2", "rules": {"west": {"Rules": [BACK]}}})
    with running(both) as emulator:
        yield emulator


@pytest.fixture
def aws(emulator: Running) -> Running:
    start_anew(emulator)
    return emulator


def test_a_quiet_stack_is_fine(aws: Running) -> None:
    done = run(aws, "status")
    assert done.exit_code == 0
    assert "nothing is pending, nothing has failed" in done.stdout
    assert document(aws, "status")["fine"] is True


def test_what_was_never_verified_is_never_proven_and_who_may_not_know_sees_the_rest(aws: Running) -> None:
    assert document(aws, "status")["proofs"] == [
        {"source": "east", "destination": "west", "proven_complete_until": None, "verification": None}
    ]
    assert "east -> west: never proven complete" in run(aws, "status").stdout
    assert document(aws, "status", "s3://elsewhere")["proofs"] == []
    control = aws.outputs("rep")["ControlBucket"]
    then = {"status": 403, "code": "AccessDenied"}
    aws.post("/faults", [{"service": "s3", "operation": "*", "bucket": control, "principal": "user", "then": then}])
    found = document(aws, "status")
    assert (found["proofs"], found["fine"]) == (None, True)
    assert "cannot be read" in run(aws, "status").stdout


def test_an_object_is_completed_with_its_destination_and_both_buckets_show_it(aws: Running) -> None:
    version = put(aws, "a")["a"]
    assert aws.idle()
    found = document(aws, "status", "s3://east/a")
    [entry] = found["versions"]
    assert (found["status"], entry["version_id"]) == ("COMPLETED", version)
    [at] = entry["destinations"]
    assert (at["destination"], at["rule"], at["status"]) == ("west", "all", "COMPLETED")
    assert at["completed"]
    east, west = found["sides"]
    assert (east["origin"], west["origin"]) == (None, f"east/{version}")
    assert found["agree"]


def test_what_the_other_side_wrote_is_a_replica_here(aws: Running) -> None:
    aws.client("s3", "us-west-2").put_object(Bucket="west", Key="theirs", Body=b"1")
    assert aws.idle()
    found = document(aws, "status", "s3://east/theirs")
    assert found["status"] == "REPLICA"
    assert found["agree"]


def test_what_waits_and_what_failed_say_why_and_everything_adds_up(aws: Running) -> None:
    fail(aws, "waits", status=503, code="SlowDown")
    fail(aws, "fails", status=403, code="AccessDenied")
    put(aws, "waits", "fails")
    until(lambda: document(aws, "status")["failed"] == 1 and document(aws, "status")["pending"]["operations"] == 1)
    for key, status, reason in (("waits", "PENDING", "Throttled"), ("fails", "FAILED", "DstPutObjectNotPermitted")):
        found = document(aws, "status", f"s3://east/{key}")
        assert found["status"] == status
        assert found["versions"][0]["destinations"][0]["reason"] == reason
        assert not found["agree"]
    whole, part = document(aws, "status"), document(aws, "status", "s3://east")
    assert not whole["fine"]
    [rule] = whole["rules"]
    assert (rule["source"], rule["destination"], rule["rule"], rule["failed"]) == ("east", "west", "all", 1)
    assert whole["queues"]["dead_letters"]["visible"] == 1
    assert part["pending"]["operations"] == 1
    assert document(aws, "status", "s3://elsewhere")["pending"]["operations"] == 0
    done = run(aws, "status")
    assert done.exit_code == 1
    assert "failures list" in done.stdout


def test_once_repaired_it_is_fine_again(aws: Running) -> None:
    assert run(aws, "failures", "redrive").exit_code == 0
    assert aws.idle()
    assert document(aws, "status")["fine"] is True


def test_changes_after_the_write_are_shown_as_what_they_are(aws: Running) -> None:
    version = put(aws, "later")["later"]
    assert aws.idle()
    denied = {"status": 403, "code": "AccessDenied"}
    aws.post("/faults", [{"service": "s3", "operation": "PutObjectTagging", "bucket": "west", "then": denied}])
    tagging = {"TagSet": [{"Key": "a", "Value": "1"}]}
    aws.client("s3").put_object_tagging(Bucket="east", Key="later", VersionId=version, Tagging=tagging)
    until(lambda: document(aws, "status")["failed"] == 1)
    assert document(aws, "status")["failed_aspects"] == {"tags": 1}
    assert "changes after the write, failed: tags 1" in run(aws, "status").stdout
    found = document(aws, "status", "s3://east/later")
    [at] = found["versions"][0]["destinations"]
    [change] = at["later_changes"]
    assert (found["status"], at["status"]) == ("FAILED", "COMPLETED")
    assert (change["aspect"], change["status"], change["reason"]) == ("tags", "FAILED", "DstPutTaggingNotPermitted")
    shown = run(aws, "status", "s3://east/later")
    assert shown.exit_code == 1
    assert f"tags of version {version}, " in shown.stdout
    assert "UTC: west: FAILED DstPutTaggingNotPermitted" in " ".join(shown.stdout.split())
    aws.delete("/faults")
    assert run(aws, "failures", "redrive").exit_code == 0
    assert aws.idle()
    found = document(aws, "status", "s3://east/later")
    assert (found["status"], found["versions"][0]["destinations"][0]["later_changes"]) == ("COMPLETED", [])


def test_what_is_not_there_is_said_to_be(aws: Running) -> None:
    done = run(aws, "status", "s3://east/nothing")
    assert (done.exit_code, "no such object" in done.stdout) == (1, True)


@pytest.mark.parametrize("wrong", ["east/a", "s3://", "https://east"])
def test_a_wrong_address_ends_with_2_and_says_how_to_write_it(aws: Running, wrong: str) -> None:
    done = run(aws, "status", wrong)
    assert done.exit_code == 2
    assert "s3://BUCKET" in done.output
