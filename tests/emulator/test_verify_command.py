"""`s3replicator verify` against a deployed stack: it names every damage, has it mended, and goes on where it was."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.resyncing import put_rules
from tests.emulator.watched import RULE, put, run, start_anew, versions, world
from tests.emulator.worlds import rule

SOURCE_KEY = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-00000000000a"
OLD_KEY, NEW_KEY = (f"arn:aws:kms:us-west-2:123456789012:key/00000000-0000-0000-0000-00000000000{n}" for n in "bc")


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    described = world(SourceKmsKeys=SOURCE_KEY, DestinationKmsKeys=f"{OLD_KEY},{NEW_KEY}")
    for bucket in described["buckets"]:
        bucket |= {"ownership": "ObjectWriter", "object_lock": True}
    with running(described) as emulator:
        yield emulator


@pytest.fixture
def aws(emulator: Running, monkeypatch: pytest.MonkeyPatch) -> Running:
    start_anew(emulator)
    for name in ("MOMENT_MS", "EVENT_MS"):
        monkeypatch.setattr(f"replicator.flows.verify.verifying.{name}", 0)
    monkeypatch.setattr("s3replicator.verify.mending.PATIENCE_MS", 3_000)
    return emulator


def verified(aws: Running, *arguments: str, status: int | None = None) -> dict[str, Any]:
    done = run(aws, "verify", "east", "--json", *arguments)
    assert done.exit_code in ({0, 1} if status is None else {status}), done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def at_west(aws: Running, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = verified(aws, *arguments)["destinations"]["west"]
    return found


def damage(aws: Running, prefix: str) -> dict[str, str]:
    """Write objects that are replicated, damage each, and return the kind of difference by key."""
    names = {
        "deleted": "deleted-there", "overwritten": "wrong-current", "hidden": "wrong-current", "old": "wrong-current",
        "tags": "tags", "acl": "acl", "hold": "lock", "retention": "lock", "metadata": "wrong-current",
        "marker": "delete-marker-missing", "event": "missing",
    }  # fmt: skip
    east, west = aws.client("s3", "us-east-1"), aws.client("s3", "us-west-2")
    keys = {name: f"{prefix}{name}" for name in names}
    ids = put(aws, *(key for name, key in keys.items() if name != "event"))
    assert aws.idle()
    put(aws, keys["old"], body=b"newer")
    assert aws.idle()
    replica = {name: versions(aws, "west", key)[0]["VersionId"] for name, key in keys.items() if name != "event"}
    west.delete_object(Bucket="west", Key=keys["deleted"], VersionId=replica["deleted"])
    west.put_object(Bucket="west", Key=keys["overwritten"], Body=b"theirs")
    west.delete_object(Bucket="west", Key=keys["hidden"])
    older = versions(aws, "west", keys["old"])[1]["VersionId"]
    source = {"Bucket": "west", "Key": keys["old"], "VersionId": older}
    west.copy_object(Bucket="west", Key=keys["old"], CopySource=source)
    tagging = {"TagSet": [{"Key": "team", "Value": "red"}]}
    west.put_object_tagging(Bucket="west", Key=keys["tags"], VersionId=replica["tags"], Tagging=tagging)
    west.put_object_acl(Bucket="west", Key=keys["acl"], VersionId=replica["acl"], ACL="public-read")
    hold = {"Status": "ON"}
    east.put_object_legal_hold(Bucket="east", Key=keys["hold"], VersionId=ids[keys["hold"]], LegalHold=hold)
    changed = {"Bucket": "west", "Key": keys["metadata"], "VersionId": replica["metadata"]}
    west.copy_object(
        Bucket="west", Key=keys["metadata"], CopySource=changed, MetadataDirective="REPLACE", Metadata={"a": "b"}
    )
    _without_events(aws, keys, ids)
    assert aws.idle()
    return {keys[name]: kind for name, kind in names.items()}


def _without_events(aws: Running, keys: dict[str, str], ids: dict[str, str]) -> None:
    """Do what nobody tells the stack of: the bucket's notification is removed meanwhile."""
    east = aws.client("s3", "us-east-1")
    kept = east.get_bucket_notification_configuration(Bucket="east")
    east.put_bucket_notification_configuration(Bucket="east", NotificationConfiguration={})
    put(aws, keys["event"])
    east.delete_object(Bucket="east", Key=keys["marker"])
    until = datetime.now(UTC) + timedelta(days=30)
    east.put_object_retention(
        Bucket="east",
        Key=keys["retention"],
        VersionId=ids[keys["retention"]],
        Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until},
    )
    notified = verified(aws, "--prefix", "no such key")
    assert ["rules check" in note for note in notified["notes"]] == [True]
    kept.pop("ResponseMetadata")
    east.put_bucket_notification_configuration(Bucket="east", NotificationConfiguration=kept)


def test_every_damage_has_its_name_a_repair_mends_it_and_then_nothing_differs(aws: Running, tmp_path: Path) -> None:
    wanted = damage(aws, "all/")
    sheet, page = tmp_path / "differences.csv", tmp_path / "page.html"
    done = run(aws, "verify", "east", "--deep", "--prefix", "all/", "--csv", str(sheet), "--html", str(page))
    assert done.exit_code == 1, done.output
    with sheet.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["Key"]: row["Kind"] for row in rows} == wanted
    assert len(rows) == len(wanted)
    for kind in wanted.values():
        assert f"1 {kind}" in done.stdout or f"{list(wanted.values()).count(kind)} {kind}" in done.stdout
    assert "to do: verify --repair" in done.stdout
    assert all(key in page.read_text() for key in wanted)
    found = at_west(aws, "--deep", "--prefix", "all/", "--repair")
    assert (found["differences"], found["pending"]) == ({}, 0), found
    assert sum(found["repaired"].values()) == len(wanted)
    again = verified(aws, "--deep", "--prefix", "all/", status=0)
    assert again["equal"]
    assert again["destinations"]["west"]["equal"] == again["destinations"]["west"]["checked"]


def test_replicas_that_are_not_encrypted_or_stored_as_their_rule_says_by_now_are_named_and_mended(aws: Running) -> None:
    encrypted = {"SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}}}
    old, new = ({"EncryptionConfiguration": {"ReplicaKmsKeyID": key}} for key in (OLD_KEY, NEW_KEY))
    put_rules(aws, rule("east", "west", **encrypted, Destination=old))
    try:
        named = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": SOURCE_KEY}
        for key in ("rule/a", "rule/b"):
            aws.client("s3").put_object(Bucket="east", Key=key, Body=b"secret", **named)
        assert aws.idle()
        put_rules(aws, rule("east", "west", **encrypted, Destination={**new, "StorageClass": "STANDARD_IA"}))
        found = at_west(aws, "--deep", "--prefix", "rule/")
        assert found["differences"] == {"encryption": 2, "storage-class": 2}
        assert at_west(aws, "--deep", "--prefix", "rule/", "--repair")["differences"] == {}
        assert verified(aws, "--deep", "--prefix", "rule/", status=0)["equal"]
        shown = aws.client("s3", "us-west-2").head_object(Bucket="west", Key="rule/a")
        assert (shown["SSEKMSKeyId"], shown["StorageClass"]) == (NEW_KEY, "STANDARD_IA")
    finally:
        put_rules(aws, RULE)


def test_equal_buckets_are_proved_by_their_listings_alone(aws: Running) -> None:
    put(aws, "few/a", "few/b", "few/c")
    assert aws.idle()
    aws.delete("/requests")
    found = verified(aws, "--prefix", "few/", status=0)
    assert found["destinations"]["west"]["checked"] == 3
    asked = [each for each in aws.get("/requests") if each["service"] == "s3" and each["bucket"] in {"east", "west"}]
    assert {each["operation"] for each in asked} <= {
        "HeadBucket", "ListObjectVersions", "GetBucketNotificationConfiguration",
    }  # fmt: skip


def test_what_a_destination_alone_has_is_no_difference_and_stays(aws: Running) -> None:
    aws.client("s3", "us-west-2").put_object(Bucket="west", Key="theirs/a", Body=b"1")
    found = at_west(aws, "--prefix", "theirs/", "--repair")
    assert (found["differences"], found["only_there"]) == ({}, 1)
    assert len(versions(aws, "west", "theirs/a")) == 1


def test_an_unknown_destination_or_a_bucket_without_rules_is_a_mistake(aws: Running) -> None:
    assert run(aws, "verify", "east", "--destination", "north").exit_code == 2
    assert run(aws, "verify", "west").exit_code == 2


def test_an_interrupted_verification_goes_on_where_it_was(aws: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    put(aws, *(f"long/{number:03}" for number in range(30)))
    assert aws.idle()
    examine, batches = _patched(monkeypatch)

    def interrupted(*arguments: Any) -> Any:
        batches.append(arguments)
        if len(batches) == 3:
            raise KeyboardInterrupt
        return examine(*arguments)

    monkeypatch.setattr("replicator.flows.verify.verifying.Verifier.examine", interrupted)
    done = run(aws, "verify", "east", "--prefix", "long/", "--workers", "1")
    assert done.exit_code == 130
    assert "run the same command again" in done.output
    monkeypatch.setattr("replicator.flows.verify.verifying.Verifier.examine", examine)
    again = run(aws, "verify", "east", "--prefix", "long/", "--workers", "1")
    assert again.exit_code == 0
    assert "going on with the verification" in again.output
    assert "20 keys are verified" in again.output
    assert at_west(aws, "--prefix", "long/")["checked"] == 30


def _patched(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, list[Any]]:
    from replicator.flows.verify.verifying import Verifier  # noqa: PLC0415 - as it is before it is patched

    monkeypatch.setattr("replicator.flows.verify.survey.MOST_ROWS", 10)
    return Verifier.examine, []


def test_a_second_run_at_the_same_time_says_so_and_disturbs_nothing(aws: Running) -> None:
    put(aws, "two/a")
    assert aws.idle()
    control = aws.outputs("rep")["ControlBucket"]
    s3 = aws.client("s3", "us-east-1")
    assert run(aws, "verify", "east", "--prefix", "two/").exit_code == 0
    state = json.loads(s3.get_object(Bucket=control, Key="verify/east.json")["Body"].read())
    theirs = state | {"done": False, "owner": "ann@elsewhere, process 1", "lease": 2**45}
    s3.put_object(Bucket=control, Key="verify/east.json", Body=json.dumps(theirs))
    done = run(aws, "verify", "east", "--prefix", "two/")
    assert done.exit_code == 0
    assert "ann@elsewhere, process 1 verifies this bucket" in " ".join(done.output.split())
    assert json.loads(s3.get_object(Bucket=control, Key="verify/east.json")["Body"].read()) == theirs


def test_what_cannot_be_listed_ends_the_command_and_proves_nothing(aws: Running) -> None:
    then = {"status": 403, "code": "AccessDenied"}
    aws.post("/faults", [{"service": "s3", "operation": "ListObjectVersions", "bucket": "west", "then": then}])
    done = run(aws, "verify", "east")
    assert done.exit_code == 1
    assert "DstBucketNotPermitted" in done.output
    assert "every destination has" not in done.output
