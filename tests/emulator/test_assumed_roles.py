"""Destinations that the functions reach by a role of the destination's account, under default deny.

What `s3replicator grants` prints is put in place first; then roles and policies are changed, and what is seen is
compared with the reason codes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.accounts import OTHERS, OURS, THEIRS
from tests.emulator.failures import FailedMessage, take_failures
from tests.emulator.granted import account_profiles, printed, put_in_place
from tests.emulator.reasons import command, reasons, redrive
from tests.emulator.worlds import rule

MIB = 1024**2
SETTINGS = {"ownership": "ObjectWriter", "object_lock": True}
KEY = f"arn:aws:kms:us-west-2:{THEIRS}:key/11111111-2222-3333-4444-555555555555"
SOURCE_KEY = f"arn:aws:kms:us-east-1:{OURS}:key/11111111-2222-3333-4444-666666666666"
WRITER = f"arn:aws:iam::{THEIRS}:role/replica-writer"
OTHER = f"arn:aws:iam::{OTHERS}:role/service/other-writer"
EXTERNAL_ID = "an-id"
DESTINATIONS = {"vault": THEIRS, "enforced": THEIRS, "other": OTHERS}


def to(number: int, name: str) -> dict[str, Any]:
    """Return a rule whose prefix is the name of its destination."""
    encryption = {} if name == "other" else {"EncryptionConfiguration": {"ReplicaKmsKeyID": KEY}}
    selected = {"SseKmsEncryptedObjects": {"Status": "Enabled"}} if encryption else {}
    return rule(
        "east",
        name,
        ID=name,
        Priority=number,
        Filter={"Prefix": f"{name}/"},
        DeleteMarkerReplication={"Status": "Enabled"},
        **({"SourceSelectionCriteria": selected} if selected else {}),
        Destination={"Account": DESTINATIONS[name], **encryption},
    )


WORLD: dict[str, Any] = {
    "buckets": [
        {"name": "east", "region": "us-east-1", **SETTINGS},
        {"name": "vault", "region": "us-west-2", "account": THEIRS, **SETTINGS},
        {"name": "enforced", "region": "us-west-2", "account": THEIRS},
        {"name": "other", "region": "us-west-2", "account": OTHERS},
    ],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "rules": {"east": {"Rules": [to(number, name) for number, name in enumerate(DESTINATIONS, 1)]}},
            "parameters": {
                "DestinationRoles": f"{THEIRS}={WRITER},oth*={OTHER}",
                "DestinationExternalId": EXTERNAL_ID,
                "SourceKmsKeys": SOURCE_KEY,
                "MultipartThreshold": 5 * MIB,
                "PartSize": 5 * MIB,
                "SpreadThreshold": 10 * MIB,
            },
        }
    ],
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    """Put in place what is printed for all accounts."""
    with running(WORLD) as emulator:
        put_in_place(emulator, printed(emulator, "east"))
        yield emulator


def change_trust(emulator: Running, account: str, name: str, **condition: str) -> None:
    """Let a role ask for another external id."""
    iam = emulator.client("iam", account=account)
    document = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    document["Statement"][0]["Condition"] = {"StringEquals": condition}
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(document))


def take_away(emulator: Running, account: str, sid: str) -> None:
    """Take a statement from the policy of the source bucket, or from that of a role."""
    if account == OURS:
        s3 = emulator.client("s3")
        policy = json.loads(s3.get_bucket_policy(Bucket="east")["Policy"])
        s3.put_bucket_policy(Bucket="east", Policy=json.dumps(without(policy, sid)))
    else:
        iam, named = emulator.client("iam", account=account), {"RoleName": "replica-writer", "PolicyName": "replicate"}
        policy = iam.get_role_policy(**named)["PolicyDocument"]
        iam.put_role_policy(**named, PolicyDocument=json.dumps(without(policy, sid)))


def without(policy: Mapping[str, Any], sid: str) -> dict[str, Any]:
    return {**policy, "Statement": [each for each in policy["Statement"] if each["Sid"] != sid]}


def failed(emulator: Running) -> tuple[dict[str, str], list[FailedMessage]]:
    """Return the reason of each failure by its key, and the failures."""
    assert emulator.idle()
    failures = take_failures(emulator)
    return reasons(failures), failures


def restore(emulator: Running, account: str, documents: Mapping[str, Any]) -> None:
    """Put the policies in place again."""
    if account == OURS:
        emulator.client("s3").put_bucket_policy(
            Bucket="east", Policy=json.dumps(documents[OURS]["bucket_policies"]["east"])
        )
    else:
        policy = documents[THEIRS]["roles"]["replica-writer"]["policy"]
        emulator.client("iam", account=THEIRS).put_role_policy(
            RoleName="replica-writer", PolicyName="replicate", PolicyDocument=json.dumps(policy)
        )


def test_everything_replicates_through_a_role_that_is_admitted_at_both_sides(emulator: Running) -> None:
    s3 = emulator.client("s3")
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": "2040-01-01T00:00:00Z"}
    kms = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": SOURCE_KEY}
    for body in (b"1", b"2"):
        s3.put_object(Bucket="east", Key="vault/twice", Body=body, Tagging="a=b", ACL="public-read")
    s3.put_object(Bucket="east", Key="vault/locked", Body=b"1", **lock)
    for name in ("vault", "enforced"):
        s3.put_object(Bucket="east", Key=f"{name}/encrypted", Body=b"1", **kms)
        s3.put_object(Bucket="east", Key=f"{name}/with-bucket-key", Body=b"1", **kms, BucketKeyEnabled=True)
    s3.put_object(Bucket="east", Key="vault/large", Body=bytes(12 * MIB))
    s3.put_object(Bucket="east", Key="vault/large-and-encrypted", Body=bytes(7 * MIB), **kms)
    version = s3.put_object(Bucket="east", Key="vault/changed", Body=b"1")["VersionId"]
    assert failed(emulator)[0] == {}
    s3.put_object_tagging(Bucket="east", Key="vault/changed", VersionId=version, Tagging={"TagSet": []})
    s3.put_object_legal_hold(Bucket="east", Key="vault/changed", VersionId=version, LegalHold={"Status": "ON"})
    s3.delete_object(Bucket="east", Key="vault/twice")
    assert failed(emulator)[0] == {}
    theirs = emulator.client("s3", "us-west-2", THEIRS)
    listed = theirs.list_object_versions(Bucket="vault")
    assert [each["Key"] for each in listed["Versions"]] == [
        *("vault/changed", "vault/encrypted", "vault/large", "vault/large-and-encrypted", "vault/locked"),
        *("vault/twice", "vault/twice", "vault/with-bucket-key"),
    ]
    assert [each["Key"] for each in listed["DeleteMarkers"]] == ["vault/twice"]
    assert theirs.head_object(Bucket="vault", Key="vault/encrypted")["SSEKMSKeyId"] == KEY


def test_rules_check_finds_what_a_role_lacks_in_its_policies_and_in_its_trust(
    emulator: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiles = account_profiles(emulator, tmp_path, monkeypatch)

    def missing() -> list[tuple[str, str]]:
        found = json.loads(command(emulator, "rules", "check", "east", "--json", *profiles).stdout)["findings"]
        return [(each["subject"], each["message"]) for each in found if "Without it" in each["message"]]

    documents = printed(emulator, "east")
    assert missing() == []
    take_away(emulator, THEIRS, "TagReplicas")
    assert {subject for subject, message in missing() if "statement TagReplicas of" in message} == {f"role {WRITER}"}
    restore(emulator, THEIRS, documents)
    change_trust(emulator, OTHERS, "other-writer", **{"sts:ExternalId": "another-id"})
    assert {subject for subject, message in missing() if "its trust policy" in message} == {f"role {OTHER}"}
    change_trust(emulator, OTHERS, "other-writer", **{"sts:ExternalId": EXTERNAL_ID})


def test_replicas_belong_to_the_account_of_the_role_where_writers_own_their_objects(emulator: Running) -> None:
    emulator.client("s3").put_object(Bucket="east", Key="vault/owned", Body=b"1")
    assert failed(emulator)[0] == {}
    theirs = emulator.client("s3", "us-west-2", THEIRS)
    owner = theirs.list_buckets()["Owner"]["ID"]
    acl = theirs.get_object_acl(Bucket="vault", Key="vault/owned")
    assert acl["Owner"]["ID"] == owner != emulator.client("s3").list_buckets()["Owner"]["ID"]
    assert [(each["Grantee"]["ID"], each["Permission"]) for each in acl["Grants"]] == [(owner, "FULL_CONTROL")]


TROUBLE = {
    "vault/not-read": (OURS, "LetDestinationCopy", "SrcGetObjectNotPermitted"),
    "vault/not-written": (THEIRS, "WriteReplicas", "DstPutObjectNotPermitted"),
}


@pytest.mark.parametrize(("key", "trouble"), TROUBLE.items(), ids=TROUBLE)
def test_a_statement_that_the_role_lacks_at_either_side_is_named_with_its_side(
    emulator: Running, key: str, trouble: tuple[str, str, str]
) -> None:
    account, sid, reason = trouble
    documents = printed(emulator, "east")
    take_away(emulator, account, sid)
    emulator.client("s3").put_object(Bucket="east", Key=key, Body=b"1")
    found, failures = failed(emulator)
    assert found == {key: reason}
    restore(emulator, account, documents)
    assert redrive(emulator, failures) == {}


def test_a_role_that_may_not_be_assumed_fails_changes_with_that_reason(emulator: Running) -> None:
    """Nothing was written there before: a function that has a session goes on with it for up to an hour."""
    change_trust(emulator, OTHERS, "other-writer", **{"sts:ExternalId": "another-id"})
    emulator.client("s3").put_object(Bucket="east", Key="other/k", Body=b"1")
    found, failures = failed(emulator)
    assert found == {"other/k": "AssumeRoleNotPermitted"}
    detail = failures[0].attributes["Detail"]
    assert f"either {OTHER} does not exist, or its trust policy does not admit" in detail
    assert f"with external id '{EXTERNAL_ID}'" in detail
    change_trust(emulator, OTHERS, "other-writer", **{"sts:ExternalId": EXTERNAL_ID})
    assert redrive(emulator, failures) == {}
    emulator.client("s3").put_object(Bucket="east", Key="other/large", Body=bytes(12 * MIB))
    assert failed(emulator)[0] == {}
    listed = emulator.client("s3", "us-west-2", OTHERS).list_objects_v2(Bucket="other")["Contents"]
    assert [each["Key"] for each in listed] == ["other/k", "other/large"]


# Operators


@pytest.fixture
def admitted(emulator: Running) -> None:
    """Let operators assume the roles, too."""
    user = f"arn:aws:iam::{OURS}:user/emulator"
    for account, name in ((THEIRS, "replica-writer"), (OTHERS, "other-writer")):
        iam = emulator.client("iam", account=account)
        document = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        document["Statement"][0]["Principal"]["AWS"].append(user)
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(document))


def test_an_operator_who_may_not_assume_a_role_is_told_so(emulator: Running) -> None:
    emulator.client("s3").put_object(Bucket="east", Key="enforced/seen", Body=b"1")
    assert emulator.idle()
    explained = command(emulator, "explain", "s3://east/enforced/seen")
    assert "AssumeRoleNotPermitted" in explained.output
    checked = command(emulator, "rules", "check", "east", "--json")
    told = [each["message"] for each in json.loads(checked.stdout)["findings"] if each["subject"] == "bucket enforced"]
    assert any("sts:AssumeRole failed with AssumeRoleNotPermitted" in each and WRITER in each for each in told)
    verified = command(emulator, "verify", "east")
    assert (verified.exit_code, "AssumeRoleNotPermitted" in verified.output) == (1, True)


@pytest.mark.usefixtures("admitted")
def test_an_operator_who_may_assume_a_role_sees_what_the_functions_see(emulator: Running) -> None:
    explained = command(emulator, "explain", "s3://east/enforced/seen")
    assert "AssumeRoleNotPermitted" not in explained.output
    assert explained.exit_code == 0
    checked = command(emulator, "rules", "check", "east", "--json")
    assert "AssumeRole" not in checked.stdout
    verified = command(emulator, "verify", "east")
    assert verified.exit_code == 0, verified.output
