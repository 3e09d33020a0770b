"""Reason codes of missing permissions: each taken away by a policy, named by the advice, and cured by what that says.

`tests/template/test_denied_actions.py` takes away every action of every role. Here it is one action for each code, as
S3 explains a denial within an account, and the redrive that follows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from s3replicator.advice import advice

from emulator.iam.principals import ACCOUNT
from emulator.running import Running, running
from tests.emulator.failures import take_failures
from tests.emulator.large import workers_paused
from tests.emulator.reasons import logged, reasons, redrive
from tests.emulator.worlds import bucket, rule
from tests.patience import until

EVERYTHING = {"ownership": "ObjectWriter", "object_lock": True}
SOURCE_KEYS = {name: f"arn:aws:kms:us-east-1:{ACCOUNT}:key/00000000-0000-0000-0000-00000000000{number}"
               for number, name in enumerate(("keyed-east", "encrypted-east"), 1)}  # fmt: skip
REPLICA_KEYS = {name: key.replace("us-east-1", "us-west-2").replace("-0000-", "-0001-")
                for name, key in SOURCE_KEYS.items()}  # fmt: skip
LARGE = 5 * 1024**2 + 1
UNTIL = "2040-01-01T00:00:00Z"


@dataclass(frozen=True)
class Case:
    """An action that is denied on a bucket or on the objects of it, and what is written then."""

    action: str
    on: str = "west"
    source: str = "east"
    fields: Mapping[str, Any] | None = None
    annotated: bool = False
    onto: bool = False
    size: int = 1

    def statement(self, key: str) -> dict[str, Any]:
        """Return the Deny, for the key only where the bucket is not the case's own."""
        arn = self.on if self.on.startswith("arn:") else f"arn:aws:s3:::{self.on}"
        whole = self.on not in ("east", "west")
        on = [arn, f"{arn}/*"] if whole and self.on != arn else [arn if whole else f"{arn}/{key}"]
        return {"Effect": "Deny", "Action": self.action, "Resource": on}


LOCK = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": UNTIL}
HOLD = {"ObjectLockLegalHoldStatus": "ON"}
CASES: dict[str, Case] = {
    "SrcBucketNotPermitted": Case("s3:ListBucketVersions", "listed-east", "listed-east", onto=True),
    "SrcHeadObjectNotPermitted": Case("s3:GetObjectVersion", "east"),
    "SrcGetObjectNotPermitted": Case("s3:GetObject", "east"),
    "SrcGetTaggingNotPermitted": Case("s3:GetObjectVersionTagging", "tagged-east", "tagged-east",
                                      fields={"Tagging": "a=b"}),
    "SrcGetAclNotPermitted": Case("s3:GetObjectVersionAcl", "east", fields={"ACL": "public-read"}),
    "SrcGetRetentionNotPermitted": Case("s3:GetObjectRetention", "retained-east", "retained-east", fields=LOCK),
    "SrcGetLegalHoldNotPermitted": Case("s3:GetObjectLegalHold", "held-east", "held-east", fields=HOLD),
    "SrcKmsKeyNotPermitted": Case("kms:Decrypt", SOURCE_KEYS["keyed-east"], "keyed-east"),
    "DstBucketNotPermitted": Case("s3:GetBucketVersioning", "seen-west", "seen-east"),
    "DstGetObjectNotPermitted": Case("s3:GetObject", onto=True),
    "DstKmsKeyNotPermitted": Case("kms:GenerateDataKey", REPLICA_KEYS["encrypted-east"], "encrypted-east"),
    "DstPutObjectNotPermitted": Case("s3:PutObject"),
    "DstMultipartInitNotPermitted": Case("s3:PutObject", size=LARGE),
    "DstPutTaggingNotPermitted": Case("s3:PutObjectTagging", fields={"Tagging": "a=b"}),
    "DstPutAclNotPermitted": Case("s3:PutObjectAcl", fields={"ACL": "public-read"}),
    "DstPutRetentionNotPermitted": Case("s3:PutObjectRetention", fields=LOCK),
    "DstPutLegalHoldNotPermitted": Case("s3:PutObjectLegalHold", fields=HOLD),
    "DstDelObjNotPermitted": Case("s3:DeleteObject"),
}  # fmt: skip
LEFT_OUT: dict[str, Case] = {
    "SrcGetAnnotationNotPermitted": Case("s3:GetObjectAnnotation", "east", annotated=True, size=LARGE),
    "DstPutAnnotationNotPermitted": Case("s3:PutObjectAnnotation", annotated=True, size=LARGE),
}
"""What fails no change. The reason is in the log if the annotations are copied one by one, as for a large object."""
SOURCES = sorted({case.source for case in CASES.values()} - {"east", "seen-east"})


def keyed(source: str) -> dict[str, Any]:
    """Return a rule for objects that are encrypted with KMS keys."""
    return rule(
        source,
        "west",
        SourceSelectionCriteria={"SseKmsEncryptedObjects": {"Status": "Enabled"}},
        Destination={"EncryptionConfiguration": {"ReplicaKmsKeyID": REPLICA_KEYS[source]}},
    )


WORLD: dict[str, Any] = {
    "buckets": [
        *(bucket(name, **EVERYTHING) for name in ("east", "west", "seen-east", "seen-west")),
        *(bucket(name, **EVERYTHING) for name in SOURCES),
    ],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "parameters": {"MultipartThreshold": str(5 * 1024**2), "PartSize": str(5 * 1024**2),
                           "SourceKmsKeys": ",".join(SOURCE_KEYS.values()),
                           "DestinationKmsKeys": ",".join(REPLICA_KEYS.values())},
            "rules": {
                "east": {"Rules": [rule("east", "west", DeleteMarkerReplication={"Status": "Enabled"})]},
                "seen-east": {"Rules": [rule("seen-east", "seen-west")]},
                **{name: {"Rules": [keyed(name) if name in SOURCE_KEYS else rule(name, "west")]} for name in SOURCES},
            },
        }
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as emulator:
        yield emulator


def role(emulator: Running) -> str:
    """Return the name of the role of the function that replicates."""
    resource = emulator.client("cloudformation").describe_stack_resource(
        StackName="prod", LogicalResourceId="ReplicateRole"
    )
    return str(resource["StackResourceDetail"]["PhysicalResourceId"])


def deny(emulator: Running, cases: Mapping[str, Case], *more: dict[str, Any]) -> None:
    statements = [*more, *(case.statement(code) for code, case in cases.items())]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    emulator.client("iam").put_role_policy(RoleName=role(emulator), PolicyName="deny", PolicyDocument=document)


def allow(emulator: Running) -> None:
    emulator.client("iam").delete_role_policy(RoleName=role(emulator), PolicyName="deny")


def write(emulator: Running, code: str, case: Case) -> None:
    """Write what needs the action, under a key that is the code."""
    client, fields = emulator.client("s3"), dict(case.fields or {})
    if case.source in SOURCE_KEYS:
        fields |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": SOURCE_KEYS[case.source]}
    if case.onto:
        emulator.client("s3", "us-west-2").put_object(Bucket="west", Key=code, Body=b"a user's own")
    client.put_object(Bucket=case.source, Key=code, Body=bytes(case.size), **fields)
    if case.action == "s3:DeleteObject":
        client.delete_object(Bucket=case.source, Key=code)
    if case.annotated:
        client.put_object_annotation(Bucket=case.source, Key=code, AnnotationName="n", AnnotationPayload=b"{}")


def write_paused(emulator: Running, cases: Mapping[str, Case]) -> None:
    """Write all of it before anything is replicated, then let it be."""
    with workers_paused(emulator, function="ReplicateFunction"):
        for code, case in cases.items():
            write(emulator, code, case)
    assert emulator.idle()


def play(emulator: Running, cases: Mapping[str, Case], *more: dict[str, Any]) -> None:
    """Deny, write, see the codes; do what the advice says, redrive, and see replicas."""
    deny(emulator, cases, *more)
    write_paused(emulator, cases)
    failures = take_failures(emulator)
    assert reasons(failures) == {code: code for code in cases}
    assert {(code, f"FAILED {code}") for code in cases} - logged(emulator) == set()
    allow(emulator)
    assert redrive(emulator, failures) == {}
    west = emulator.client("s3", "us-west-2")
    history = west.list_object_versions(Bucket="west")
    marked = {each["Key"] for each in history.get("DeleteMarkers", [])}
    heads = {each["Key"]: west.head_object(Bucket="west", Key=each["Key"], VersionId=each["VersionId"])
             for each in reversed(history["Versions"]) if each["Key"] in cases}  # fmt: skip
    done = {key for key, head in heads.items() if "replication-origin" in head["Metadata"]}
    seen = {each["Key"] for each in west.list_objects_v2(Bucket="seen-west").get("Contents", [])}
    assert set(cases) - done - seen == set()
    assert marked == ({"DstDelObjNotPermitted"} if "DstDelObjNotPermitted" in cases else marked)


def test_the_advice_names_the_action_and_the_side() -> None:
    sides = {"Src": "source", "Dst": "destination"}
    wrong = {code: advice(code) for code, case in {**CASES, **LEFT_OUT}.items()
             if case.action not in advice(code) or sides[code[:3]].lower() not in advice(code).lower()}  # fmt: skip
    assert wrong == {}


def test_a_missing_permission_has_its_code_and_a_redrive_cures_once_it_is_there(emulator: Running) -> None:
    play(emulator, CASES)


def test_annotations_without_permission_are_left_out_and_the_log_says_why(emulator: Running) -> None:
    deny(emulator, LEFT_OUT)
    write_paused(emulator, LEFT_OUT)
    lines = [message for _, message in logged(emulator) if message.startswith("annotations left out of ")]
    assert {(line.split()[4], line.split(": ")[1]) for line in lines} == {(code, code) for code in LEFT_OUT}
    allow(emulator)
    write_paused(emulator, LEFT_OUT)
    west = emulator.client("s3", "us-west-2")
    for code in LEFT_OUT:
        assert west.get_object_annotation(Bucket="west", Key=code, AnnotationName="n")["AnnotationPayload"].read()
    assert take_failures(emulator) == []


def test_annotations_are_not_blamed_for_what_fails_without_them(emulator: Running) -> None:
    """S3 tells another account's caller no action: the function finds out which was denied."""
    code = "DstPutTaggingNotPermitted"
    tagged, emulator.emulator.explains_denials = CASES[code], False
    annotations = Case("s3:*Annotation*", "east").statement(code)
    try:
        play(emulator, {code: replace(tagged, annotated=True)}, annotations)
    finally:
        emulator.emulator.explains_denials = True


JOURNAL = {"Effect": "Deny", "Action": "dynamodb:UpdateItem", "Resource": "*"}


def test_a_journal_that_may_not_be_written_keeps_changes_waiting(emulator: Running) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": [JOURNAL]})
    emulator.client("iam").put_role_policy(RoleName=role(emulator), PolicyName="deny", PolicyDocument=document)
    emulator.client("s3").put_object(Bucket="east", Key="JournalNotPermitted", Body=b"1")
    until(lambda: ("JournalNotPermitted", "PENDING JournalNotPermitted") in logged(emulator))
    allow(emulator)
    assert emulator.idle()
    assert emulator.client("s3", "us-west-2").head_object(Bucket="west", Key="JournalNotPermitted")
    assert take_failures(emulator) == []
