"""Under default deny, only what `grants` prints is put in place: everything replicates, and each statement is needed.

One world for all: a source bucket with a destination of another account for each statement that is taken away, because
containers remember what they have read of a bucket.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from s3replicator.grants.needs import ALL, ON_DESTINATION

from emulator.running import Running, running
from tests.emulator.failures import take_failures
from tests.emulator.granted import account_profiles
from tests.emulator.reasons import command
from tests.emulator.worlds import rule

BACKUP = "222222222222"
MIB = 1024**2
SETTINGS = {"ownership": "ObjectWriter", "object_lock": True}
KEY = f"arn:aws:kms:us-west-2:{BACKUP}:key/11111111-2222-3333-4444-555555555555"
COMPLETE = "complete"
WITH_PARTS = (COMPLETE, "without-copyinparts", "without-writereplicas")
SIDS = [need.sid for need in ON_DESTINATION if need.sid not in ("VerifyReplicas", "DeleteReplicaAnnotations")]
LACKING = {f"without-{sid.lower()}": sid for sid in SIDS}
NO_WORD = ("ReadDestinationSettings", "WatchDestination")
"""What is seen without these is no reason code of a change of a plain object."""
CODES = {
    sid: set(re.findall(r"`((?:Dst|Src)\w+NotPermitted)`", need.without))
    for need in ALL
    if (sid := need.sid) in SIDS and sid not in NO_WORD
}


def to(number: int, name: str) -> dict[str, Any]:
    """Return a rule whose prefix is the name of its destination."""
    return rule(
        "east",
        name,
        ID=name,
        Priority=number,
        Filter={"Prefix": f"{name}/"},
        DeleteMarkerReplication={"Status": "Enabled"},
        SourceSelectionCriteria={"SseKmsEncryptedObjects": {"Status": "Enabled"}},
        Destination={"Account": BACKUP, "EncryptionConfiguration": {"ReplicaKmsKeyID": KEY}},
    )


NAMES = (COMPLETE, *LACKING)
WORLD: dict[str, Any] = {
    "buckets": [
        {"name": "east", "region": "us-east-1", **SETTINGS},
        *({"name": name, "region": "us-west-2", "account": BACKUP, **SETTINGS} for name in NAMES),
    ],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "rules": {"east": {"Rules": [to(number, name) for number, name in enumerate(NAMES, 1)]}},
            "parameters": {"MultipartThreshold": 5 * MIB, "PartSize": 5 * MIB, "SpreadThreshold": 10 * MIB},
        }
    ],
}


@pytest.fixture(scope="module")
def aws() -> Iterator[Running]:
    with running(WORLD) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def printed(aws: Running) -> Mapping[str, Any]:
    """Put in place what is printed, without the statement that a bucket's name says; return what was printed."""
    done = command(aws, "grants", "east", "--format", "json")
    assert done.exit_code == 0, done.output
    found: Mapping[str, Any] = json.loads(done.stdout)["accounts"]
    s3, kms = aws.client("s3", "us-west-2", BACKUP), aws.client("kms", "us-west-2", BACKUP)
    for bucket, policy in found[BACKUP]["bucket_policies"].items():
        kept = [each for each in policy["Statement"] if each["Sid"] != LACKING.get(bucket)]
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({**policy, "Statement": kept}))
    for key, statements in found[BACKUP]["key_policies"].items():
        policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
        policy["Statement"] += statements
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    return found


@pytest.fixture(scope="module")
def failed(aws: Running, printed: Mapping[str, Any]) -> Mapping[str, set[str]]:
    """Write objects of every kind for each destination; return the reasons of failures, by destination."""
    s3 = aws.client("s3")
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": "2040-01-01T00:00:00Z"}
    for name in NAMES:
        for body in (b"1", b"2"):
            s3.put_object(Bucket="east", Key=f"{name}/twice", Body=body, Tagging="a=b", ACL="public-read")
        s3.put_object(Bucket="east", Key=f"{name}/encrypted", Body=b"1", ServerSideEncryption="aws:kms")
        s3.put_object(Bucket="east", Key=f"{name}/locked", Body=b"1", **lock)
        s3.put_object(Bucket="east", Key=f"{name}/deleted", Body=b"1")
        s3.put_object(Bucket="east", Key=f"{name}/held", Body=b"1", ObjectLockLegalHoldStatus="ON")
        if name in WITH_PARTS:
            s3.put_object(Bucket="east", Key=f"{name}/large", Body=bytes(12 * MIB))
        version = s3.put_object(Bucket="east", Key=f"{name}/annotated", Body=b"1")["VersionId"]
        note = {"AnnotationName": "n", "AnnotationPayload": b"{}"}
        s3.put_object_annotation(Bucket="east", Key=f"{name}/annotated", VersionId=version, **note)
    assert aws.idle()
    for name in NAMES:
        s3.delete_object(Bucket="east", Key=f"{name}/deleted")
    assert aws.idle()
    found: dict[str, set[str]] = {name: set() for name in NAMES}
    for failure in take_failures(aws):
        found[str(failure.s3_object["key"]).partition("/")[0]].add(failure.attributes["Reason"])
    return found


def test_a_policy_is_printed_for_each_destination_and_its_key(printed: Mapping[str, Any]) -> None:
    assert set(printed) == {BACKUP}
    assert set(printed[BACKUP]["bucket_policies"]) == set(NAMES)
    assert set(printed[BACKUP]["key_policies"]) == {KEY}
    assert {each["Sid"] for each in printed[BACKUP]["bucket_policies"][COMPLETE]["Statement"]} == set(SIDS)


def test_everything_replicates_with_what_is_printed(aws: Running, failed: Mapping[str, set[str]]) -> None:
    assert failed[COMPLETE] == set()
    theirs = aws.client("s3", "us-west-2", BACKUP)
    listed = theirs.list_object_versions(Bucket=COMPLETE)
    assert sorted(each["Key"].partition("/")[2] for each in listed["Versions"]) == [
        *("annotated", "deleted", "encrypted", "held", "large", "locked", "twice", "twice"),
    ]
    assert [each["Key"] for each in listed["DeleteMarkers"]] == [f"{COMPLETE}/deleted"]


def test_each_statement_taken_away_breaks_what_the_page_says_and_nothing_else(failed: Mapping[str, set[str]]) -> None:
    seen = {sid: failed[name] for name, sid in LACKING.items()}
    assert {sid: reasons for sid, reasons in seen.items() if reasons != CODES.get(sid, set())} == {}


def test_annotations_that_may_not_be_written_are_left_out_with_a_word(
    aws: Running, failed: Mapping[str, set[str]]
) -> None:
    left_out = {key.partition("/")[0] for key in annotations_left_out(aws)}
    assert left_out == {"without-annotatereplicas"}


def annotations_left_out(aws: Running) -> set[str]:
    lines = [json.loads(line) for line in aws.logs("prod", "ReplicateFunction") if line.startswith("{")]
    told = (re.search(r"annotations left out of (\S+)", str(line.get("message", ""))) for line in lines)
    return {each[1] for each in told if each}


def test_a_key_that_admits_nobody_any_more_fails_what_is_encrypted(
    aws: Running, failed: Mapping[str, set[str]]
) -> None:
    kms = aws.client("kms", "us-west-2", BACKUP)
    policy = json.loads(kms.get_key_policy(KeyId=KEY, PolicyName="default")["Policy"])
    policy["Statement"] = [each for each in policy["Statement"] if each["Sid"] != "EncryptReplicas"]
    kms.put_key_policy(KeyId=KEY, PolicyName="default", Policy=json.dumps(policy))
    aws.client("s3").put_object(Bucket="east", Key=f"{COMPLETE}/k", Body=b"1", ServerSideEncryption="aws:kms")
    assert aws.idle()
    assert {failure.attributes["Reason"] for failure in take_failures(aws)} == {"DstKmsKeyNotPermitted"}


# What `rules check` finds of it


def checked(aws: Running, *arguments: str) -> list[dict[str, str]]:
    """Return what is found, but for the settings of buckets that nobody of the stack's account may read."""
    found = json.loads(command(aws, "rules", "check", "east", "--json", *arguments).stdout)["findings"]
    return [each for each in found if "cannot be checked completely" not in each["message"]]


@pytest.fixture
def profiles(aws: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return account_profiles(aws, tmp_path, monkeypatch)


def test_rules_check_names_each_statement_that_is_missing(
    aws: Running, failed: Mapping[str, set[str]], profiles: list[str]
) -> None:
    found = {
        (
            each["subject"].removeprefix("bucket "),
            *re.findall(r"statement (\w+) of `s3replicator grants", each["message"]),
        )
        for each in checked(aws, *profiles)
    }
    assert set(LACKING.items()) <= found
    assert {each for each in found if len(each) > 1 and not each[0].startswith("key ")} == set(LACKING.items())


def test_rules_check_says_what_it_cannot_see(aws: Running, failed: Mapping[str, set[str]]) -> None:
    unseen = [each["subject"] for each in checked(aws) if "it cannot be seen whether its policy" in each["message"]]
    assert sorted(unseen) == sorted([*(f"bucket {name}" for name in NAMES), f"key {KEY}"])


def test_rules_check_recognises_a_policy_for_s3_replication(
    aws: Running, failed: Mapping[str, set[str]], profiles: list[str]
) -> None:
    native = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"],
        "Resource": f"arn:aws:s3:::{COMPLETE}/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [native]})
    aws.client("s3", "us-west-2", BACKUP).put_bucket_policy(Bucket=COMPLETE, Policy=policy)
    [about] = [each for each in checked(aws, *profiles) if "written for S3 Replication itself" in each["message"]]
    assert about["subject"] == f"bucket {COMPLETE}"
