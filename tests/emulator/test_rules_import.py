"""Taking rules over from S3 Replication while somebody goes on writing: nothing is missing, and nothing twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from s3replicator.rules.native_configuration import AwsNativeConfigurations

from emulator.running import Running, running
from tests.emulator.reasons import command
from tests.emulator.worlds import bucket, fault, rule

ROLE = "arn:aws:iam::123456789012:role/replication"
MARKERS = {"DeleteMarkerReplication": {"Status": "Enabled"}}
NAMES = ("switched", "looked", "denied")
WORLD: dict[str, Any] = {
    "buckets": [*(bucket(f"{name}-{side}") for name in NAMES for side in ("east", "west")), bucket("idle-west")],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "parameters": {
                "SourceBuckets": ",".join(f"{name}-east" for name in NAMES),
                "DestinationBuckets": ",".join(f"{name}-west" for name in NAMES),
            },
        }
    ],
}


@pytest.fixture(scope="module")
def aws() -> Iterator[Running]:
    with running(WORLD) as emulator:
        for name in NAMES:
            native(emulator, f"{name}-east", f"{name}-west")
        yield emulator


def native(aws: Running, source: str, destination: str) -> None:
    rules = [rule(source, destination, **MARKERS)]
    aws.client("s3").put_bucket_replication(Bucket=source, ReplicationConfiguration={"Role": ROLE, "Rules": rules})


def statuses(aws: Running, source: str) -> list[str]:
    found = aws.client("s3").get_bucket_replication(Bucket=source)["ReplicationConfiguration"]
    return [each["Status"] for each in found["Rules"]]


def stored(aws: Running, source: str) -> Any:
    done = command(aws, "rules", "get", source)
    return json.loads(done.stdout) if done.exit_code == 0 else None


def write(aws: Running, source: str, moment: str) -> None:
    s3 = aws.client("s3")
    for number in range(3):
        s3.put_object(Bucket=source, Key=f"overwritten-{number}", Body=moment.encode())
        s3.put_object(Bucket=source, Key=f"{moment}-{number}", Body=moment.encode())
    s3.delete_object(Bucket=source, Key=f"{moment}-0")


def versions(aws: Running, name: str) -> dict[str, list[str]]:
    """Return the bodies of each key's versions, oldest first."""
    s3 = aws.client("s3")
    found: dict[str, list[str]] = {}
    listed = s3.list_object_versions(Bucket=name)
    for each in reversed(listed["Versions"]):
        body = s3.get_object(Bucket=name, Key=each["Key"], VersionId=each["VersionId"])["Body"].read().decode()
        found.setdefault(each["Key"], []).append(body)
    for each in listed.get("DeleteMarkers", []):
        found.setdefault(each["Key"], []).append("marker")
    return {key: sorted(bodies) for key, bodies in found.items()}


def current(aws: Running, name: str) -> dict[str, str]:
    s3 = aws.client("s3")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=name).get("Contents", [])]
    return {key: s3.get_object(Bucket=name, Key=key)["Body"].read().decode() for key in keys}


def test_after_the_switch_no_version_is_missing_and_none_was_copied_twice(
    aws: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(aws, "switched-east", "before")
    slip_in_writes(aws, monkeypatch)
    done = command(aws, "rules", "import", "switched-east", "--switch")
    assert done.exit_code == 0, done.output
    assert "s3replicator resync switched-east" in done.stdout
    assert statuses(aws, "switched-east") == ["Disabled"]
    write(aws, "switched-east", "after")
    assert aws.idle()
    lacking = set(versions(aws, "switched-east")) - set(versions(aws, "switched-west"))
    assert "between-1" in lacking
    assert command(aws, "resync", "switched-east", "--yes").exit_code == 0
    assert command(aws, "verify", "switched-east", "--repair").exit_code == 0
    assert versions(aws, "switched-west") == versions(aws, "switched-east")
    assert current(aws, "switched-west") == current(aws, "switched-east")
    assert command(aws, "rules", "check", "switched-east").exit_code == 0


def slip_in_writes(aws: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write between the moment when S3's rules are disabled and that when events arrive here."""
    disable = AwsNativeConfigurations.write

    def then_write(self: AwsNativeConfigurations, source: str, configuration: Any) -> None:
        disable(self, source, configuration)
        write(aws, source, "between")

    monkeypatch.setattr(AwsNativeConfigurations, "write", then_write)


def test_a_look_tells_what_differs_and_changes_nothing(aws: Running) -> None:
    done = command(aws, "rules", "import", "looked-east")
    assert done.exit_code == 0, done.output
    assert f"differs  Role: {ROLE} is not used" in done.stdout
    assert "s3replicator rules import looked-east --switch" in done.stdout
    assert (statuses(aws, "looked-east"), stored(aws, "looked-east")) == (["Enabled"], None)


def test_a_switch_that_fails_leaves_all_as_it_was(aws: Running) -> None:
    refused = {"status": 403, "code": "AccessDenied"}
    aws.post("/faults", [{**fault("PutBucketNotificationConfiguration", refused), "principal": "user"}])
    done = command(aws, "rules", "import", "denied-east", "--switch")
    aws.delete("/faults")
    assert done.exit_code == 1
    assert "went back: the rules of S3 Replication are enabled again" in done.stdout
    assert (statuses(aws, "denied-east"), stored(aws, "denied-east")) == (["Enabled"], None)


def test_a_switch_that_may_not_disable_the_rules_of_s3_leaves_all_as_it_was(aws: Running) -> None:
    refused = {"status": 403, "code": "AccessDenied"}
    aws.post("/faults", [{**fault("PutBucketReplication", refused), "principal": "user"}])
    done = command(aws, "rules", "import", "denied-east", "--switch")
    aws.delete("/faults")
    assert done.exit_code == 1
    assert "allow your credentials s3:PutReplicationConfiguration" in done.stderr
    assert (statuses(aws, "denied-east"), stored(aws, "denied-east")) == (["Enabled"], None)


def test_what_is_exported_is_taken_by_s3(aws: Running) -> None:
    done = command(aws, "rules", "export", "switched-east", "--role", ROLE)
    document = json.loads(done.stdout)
    assert document["Role"] == ROLE
    aws.client("s3").put_bucket_replication(
        Bucket="looked-west", ReplicationConfiguration=as_of(document, "looked-east")
    )
    assert statuses(aws, "looked-west") == ["Enabled"]
    aws.client("s3").delete_bucket_replication(Bucket="looked-west")


def as_of(document: dict[str, Any], destination: str) -> dict[str, Any]:
    """Return the same rules to another destination."""
    arn = {"Bucket": f"arn:aws:s3:::{destination}"}
    return {
        **document,
        "Rules": [{**each, "Destination": {**each["Destination"], **arn}} for each in document["Rules"]],
    }


def test_a_second_import_says_that_rules_are_here(aws: Running) -> None:
    done = command(aws, "rules", "import", "switched-east")
    assert done.exit_code == 1
    assert "has no enabled rules for switched-east; rules are stored here" in done.stderr
