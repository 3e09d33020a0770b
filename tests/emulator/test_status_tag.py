"""SourceStatusTag: the source version shows its status in a tag, keeps its own tags, and triggers nothing."""

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.watched import fail, put, run, start_anew, versions, world
from tests.patience import until


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(world(SourceStatusTag="true")) as emulator:
        yield emulator


@pytest.fixture
def aws(emulator: Running) -> Running:
    start_anew(emulator)
    return emulator


def tags(aws: Running, key: str, bucket: str = "east") -> dict[str, str]:
    client = aws.client("s3", {"east": "us-east-1", "west": "us-west-2"}[bucket])
    answer = client.get_object_tagging(Bucket=bucket, Key=key)
    return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}


def test_a_replicated_version_is_tagged_completed_beside_its_own_tags(aws: Running) -> None:
    aws.client("s3").put_object(Bucket="east", Key="a", Body=b"1", Tagging="team=red")
    assert aws.idle()
    assert tags(aws, "a") == {"team": "red", "replication-status": "COMPLETED"}
    assert tags(aws, "a", "west") == {"team": "red", "replication-status": "REPLICA"}


def test_a_version_that_waits_or_failed_is_tagged_so_until_it_is_replicated(aws: Running) -> None:
    fail(aws, "slow", status=503, code="SlowDown")
    fail(aws, "denied", status=403, code="AccessDenied")
    put(aws, "slow", "denied")
    until(lambda: tags(aws, "slow").get("replication-status") == "PENDING")
    until(lambda: tags(aws, "denied").get("replication-status") == "FAILED")
    aws.delete("/faults")
    assert run(aws, "failures", "redrive").exit_code == 0
    assert aws.idle()
    for key in ("slow", "denied"):
        assert tags(aws, key) == {"replication-status": "COMPLETED"}
        assert tags(aws, key, "west") == {"replication-status": "REPLICA"}


def test_the_status_tag_triggers_no_replication(aws: Running) -> None:
    put(aws, "once")
    assert aws.idle()
    asked: list[dict[str, Any]] = aws.get("/requests")
    assert [each["operation"] for each in asked].count("PutObjectTagging") == 1
    assert len(versions(aws, "west", "once")) == 1
    assert len(versions(aws, "east", "once")) == 1


def test_a_version_with_ten_tags_gets_no_status_tag(aws: Running) -> None:
    full = "&".join(f"t{number}=1" for number in range(10))
    aws.client("s3").put_object(Bucket="east", Key="full", Body=b"1", Tagging=full)
    assert aws.idle()
    assert set(tags(aws, "full")) == {f"t{number}" for number in range(10)}


def test_a_version_that_may_not_be_tagged_is_replicated_all_the_same(aws: Running) -> None:
    aws.post(
        "/faults", [{"service": "s3", "operation": "PutObjectTagging", "then": {"status": 403, "code": "AccessDenied"}}]
    )
    put(aws, "untagged")
    assert aws.idle()
    assert tags(aws, "untagged") == {}
    assert len(versions(aws, "west", "untagged")) == 1


def test_a_later_change_that_waits_or_failed_makes_its_version_pending_or_failed(aws: Running) -> None:
    ids = put(aws, "waits later", "fails later")
    assert aws.idle()
    for key, code, answer in (("waits later", "SlowDown", 503), ("fails later", "AccessDenied", 403)):
        then = {"status": answer, "code": code}
        fault = {"service": "s3", "operation": "PutObjectTagging", "bucket": "west", "key": key, "then": then}
        aws.post("/faults", [fault])
        tag_set = [{"Key": "a", "Value": "1"}, {"Key": "replication-status", "Value": "COMPLETED"}]
        aws.client("s3").put_object_tagging(Bucket="east", Key=key, VersionId=ids[key], Tagging={"TagSet": tag_set})
    until(lambda: tags(aws, "waits later")["replication-status"] == "PENDING")
    until(lambda: tags(aws, "fails later")["replication-status"] == "FAILED")
    aws.delete("/faults")
    assert run(aws, "failures", "redrive").exit_code == 0
    assert aws.idle()
    for key in ids:
        assert tags(aws, key) == {"a": "1", "replication-status": "COMPLETED"}
        assert tags(aws, key, "west") == {"a": "1", "replication-status": "REPLICA"}


def test_a_later_change_that_succeeds_at_once_reads_and_writes_no_status_tag(aws: Running) -> None:
    version = put(aws, "smooth")["smooth"]
    assert aws.idle()
    aws.delete("/requests")
    tag_set = [{"Key": "a", "Value": "1"}, {"Key": "replication-status", "Value": "COMPLETED"}]
    aws.client("s3").put_object_tagging(Bucket="east", Key="smooth", VersionId=version, Tagging={"TagSet": tag_set})
    assert aws.idle()
    asked = [each for each in aws.get("/requests") if each["principal"] == "replicator" and each["service"] == "s3"]
    made = sorted((each["operation"], each["bucket"]) for each in asked if each["key"] == "smooth")
    assert made == [("GetObjectTagging", "east"), ("PutObjectTagging", "west")]
    assert tags(aws, "smooth")["replication-status"] == "COMPLETED"


def test_tags_that_a_user_sets_later_stay_as_they_are(aws: Running) -> None:
    version = put(aws, "tagged by hand")["tagged by hand"]
    assert aws.idle()
    tagging = {"TagSet": [{"Key": "scanned", "Value": "clean"}]}
    aws.client("s3").put_object_tagging(Bucket="east", Key="tagged by hand", VersionId=version, Tagging=tagging)
    assert aws.idle()
    assert tags(aws, "tagged by hand") == {"scanned": "clean"}
