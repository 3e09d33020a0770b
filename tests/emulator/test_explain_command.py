"""`s3replicator explain` against a deployed stack: what people and machines read, and that it changes nothing."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from s3replicator.main import app
from typer.testing import CliRunner

from emulator.running import Running, running

RULES = {
    "Rules": [
        {
            "ID": "photos",
            "Priority": 1,
            "Status": "Enabled",
            "Filter": {"Prefix": "photos/"},
            "DeleteMarkerReplication": {"Status": "Enabled"},
            "Destination": {"Bucket": "arn:aws:s3:::west"},
        },
        {
            "ID": "gold",
            "Priority": 2,
            "Status": "Enabled",
            "Filter": {"And": {"Prefix": "", "Tags": [{"Key": "class", "Value": "gold"}]}},
            "DeleteMarkerReplication": {"Status": "Disabled"},
            "Destination": {"Bucket": "arn:aws:s3:::nowhere"},
        },
    ]
}
WORLD = {
    "buckets": [{"name": "east", "region": "us-east-1"}, {"name": "west", "region": "us-west-2"}],
    "stacks": [{"name": "prod", "region": "us-east-1", "rules": {"east": RULES}}],
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as emulator:
        yield emulator


def put(emulator: Running, key: str, **fields: Any) -> str:
    version = emulator.client("s3").put_object(Bucket="east", Key=key, Body=b"content", **fields)["VersionId"]
    assert emulator.idle()
    return str(version)


def run(emulator: Running, *arguments: str) -> Any:
    environment = {**emulator.environment("us-east-1"), "S3REPLICATOR_STACK": "prod", "COLUMNS": "60"}
    return CliRunner().invoke(app, ["explain", *arguments], env=environment)


def document(emulator: Running, *arguments: str) -> dict[str, Any]:
    done = run(emulator, *arguments, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_what_is_replicated_says_so(emulator: Running) -> None:
    version = put(emulator, "photos/ü 1+.jpg")
    done = run(emulator, "s3://east/photos/ü 1+.jpg")
    assert done.exit_code == 0
    assert f"version {version}: 7 bytes" in done.output
    assert "✓ photos -> west: matches" in done.output
    assert "· gold -> nowhere: the object lacks the tag class=gold" in done.output
    assert f"replica of east/{version}" in done.output
    assert "nothing to do" in done.output


def test_machines_read_the_same(emulator: Running) -> None:
    version = put(emulator, "photos/2.jpg", Tagging="team=blue")
    found = document(emulator, "s3://east/photos/2.jpg")
    assert (found["version_id"], found["is"], found["tags"]) == (version, "version", {"team": "blue"})
    assert [(rule["id"], rule["verdict"]) for rule in found["rules"]] == [("photos", "matches"), ("gold", "tag")]
    west = next(each for each in found["destinations"] if each["bucket"] == "west")
    assert west["actions"] == []
    assert west["destination_history"][0]["replica_of"] == f"east/{version}"
    assert west["journal"]["top"]["stands_for"] == f"east/{version}"


def test_a_failure_says_what_came_of_it_and_what_would_be_done(emulator: Running) -> None:
    denied = {"service": "s3", "operation": "CopyObject", "then": {"status": 403, "code": "AccessDenied"}}
    emulator.post("faults", [denied])
    version = put(emulator, "photos/denied.jpg")
    emulator.delete("faults")
    done = run(emulator, "s3://east/photos/denied.jpg")
    assert "FAILED DstPutObjectNotPermitted" in done.output
    assert f"copy version {version} on top of west" in done.output


def test_an_old_version_and_a_delete_marker_have_ids(emulator: Running) -> None:
    first = put(emulator, "photos/3.jpg")
    marker = emulator.client("s3").delete_object(Bucket="east", Key="photos/3.jpg")["VersionId"]
    assert emulator.idle()
    assert document(emulator, "s3://east/photos/3.jpg", "--version-id", first)["is"] == "version"
    for arguments in ((), ("--version-id", marker)):
        assert document(emulator, "s3://east/photos/3.jpg", *arguments)["is"] == "delete marker"


def test_a_replica_says_whose_it_is(emulator: Running) -> None:
    version = put(emulator, "photos/4.jpg")
    assert document(emulator, "s3://west/photos/4.jpg")["replica_of"] == f"east/{version}"


def test_a_destination_that_is_missing_is_said_beside_the_others(emulator: Running) -> None:
    put(emulator, "photos/5.jpg", Tagging="class=gold")
    done = run(emulator, "s3://east/photos/5.jpg")
    assert done.exit_code == 0
    assert "FAILED DstBucketNotFound: HeadBucket (destination): 404" in done.output
    assert "nothing to do" in done.output


def test_what_is_not_there_is_found_out(emulator: Running) -> None:
    done = run(emulator, "s3://east/photos/never")
    assert done.exit_code == 1
    assert "there is no such key" in done.output


def test_a_bucket_that_is_not_there_cannot_be_explained(emulator: Running) -> None:
    done = run(emulator, "s3://north/k")
    assert done.exit_code == 1
    assert "SrcBucketNotFound" in done.output


@pytest.mark.parametrize("uri", ["east/k", "s3://east", "s3://east/", "s3:///k", "https://east/k"])
def test_what_is_no_address_is_a_matter_of_usage(emulator: Running, uri: str) -> None:
    done = run(emulator, uri)
    assert done.exit_code == 2
    assert "s3://BUCKET/KEY" in done.stderr


def test_explaining_changes_nothing(emulator: Running) -> None:
    put(emulator, "photos/6.jpg")
    emulator.delete("requests")
    run(emulator, "s3://east/photos/6.jpg")
    made = {(row["service"], row["operation"]) for row in emulator.get("requests")}
    assert ("s3", "HeadObject") in made
    assert not [operation for _, operation in made if not operation.startswith(("Get", "Head", "List", "Describe"))]


def test_what_changed_after_the_write_is_shown_for_each_side(emulator: Running) -> None:
    version = put(emulator, "photos/later.jpg", Tagging="team=blue")
    west = emulator.client("s3", "us-west-2")
    replica = west.head_object(Bucket="west", Key="photos/later.jpg")["VersionId"]
    assert "team=blue, here and there" in run(emulator, "s3://east/photos/later.jpg").output
    changed = {"TagSet": [{"Key": "team", "Value": "red"}]}
    west.put_object_tagging(Bucket="west", Key="photos/later.jpg", VersionId=replica, Tagging=changed)
    done = run(emulator, "s3://east/photos/later.jpg").output
    assert "team=blue at the source" in done
    assert f"team=red at the replica {replica}" in " ".join(done.split())
    found = document(emulator, "s3://east/photos/later.jpg")
    at = next(each for each in found["destinations"] if each["bucket"] == "west")
    [row] = [each for each in at["after_the_write"] if each["field"] == "tags"]
    assert (row["aspect"], row["source"], row["replicas"]) == ("tags", "team=blue", {replica: "team=red"})
    assert row["writes"] == {replica: "team=blue"}, "a look without a base takes the version's value"
    assert west.get_object_tagging(Bucket="west", Key="photos/later.jpg")["TagSet"] == changed["TagSet"]
    assert found["version_id"] == version
