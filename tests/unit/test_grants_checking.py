"""What `rules check` says of the policies of other accounts, as values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from replicator.core.deciding.accounts import DestinationRoles
from replicator.core.rules.document import parse
from s3replicator.findings import Finding, Severity
from s3replicator.grants.checking import RoleView, check
from s3replicator.grants.documents import compose
from s3replicator.grants.facts import BucketFacts, Facts, Roles
from s3replicator.grants.plan import plan
from s3replicator.grants.policy import Statement, read_policy
from s3replicator.stack_facts import StackFacts

STACK, BACKUP = "111111111111", "222222222222"
KEY = f"arn:aws:kms:us-west-2:{BACKUP}:key/replica"
COPIERS = tuple(f"arn:aws:iam::{STACK}:role/prod-{name}" for name in ("replicate", "copy-parts", "batch"))
RULE: dict[str, Any] = {
    "ID": "all",
    "Priority": 1,
    "Status": "Enabled",
    "Filter": {"Prefix": "photos/"},
    "DeleteMarkerReplication": {"Status": "Enabled"},
    "SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}},
    "Destination": {
        "Bucket": "arn:aws:s3:::west",
        "Account": BACKUP,
        "EncryptionConfiguration": {"ReplicaKmsKeyID": KEY},
    },
}
FACTS = Facts(
    StackFacts("prod", "us-east-1", STACK, "control", "https://queue", f"arn:aws:sqs:us-east-1:{STACK}:changes"),
    Roles(COPIERS, f"arn:aws:iam::{STACK}:role/prod-monitor"),
    parse("east", {"Rules": [RULE]}),
    BucketFacts("east", STACK, "us-east-1", acls=False, object_lock=False),
    (BucketFacts("west", BACKUP, "us-west-2", acls=False, object_lock=False),),
)
NATIVE = {
    "Sid": "Native",
    "Effect": "Allow",
    "Principal": {"AWS": COPIERS[0]},
    "Action": ["s3:ReplicateObject", "s3:ReplicateDelete"],
    "Resource": "arn:aws:s3:::west/*",
}


def printed() -> tuple[Statement, ...]:
    documents = compose(FACTS, plan(FACTS), {}).accounts[BACKUP]
    return read_policy(json.dumps(documents["bucket_policies"]["west"]))


def key_statements() -> tuple[Statement, ...]:
    return tuple(compose(FACTS, plan(FACTS), {}).accounts[BACKUP]["key_policies"][KEY])


def found(
    bucket: Sequence[Statement] | None = (), key: Sequence[Statement] | None = None, facts: Facts = FACTS
) -> list[Finding]:
    planned = plan(facts)
    given = key_statements() if key is None else key
    policies = {each.resource: given if each.resource.is_key else bucket for each in planned.grants}
    return list(check(facts, planned, policies))


def about(findings: list[Finding], sid: str) -> list[Finding]:
    return [each for each in findings if f"statement {sid} of" in each.message]


def test_what_grants_prints_lacks_nothing() -> None:
    assert found(printed()) == []


@pytest.mark.parametrize("sid", [each["Sid"] for each in printed()])
def test_a_statement_that_is_missing_is_named_and_no_other(sid: str) -> None:
    [finding] = found([each for each in printed() if each["Sid"] != sid])
    assert finding.subject == "bucket west"
    assert f"statement {sid} of `s3replicator grants east`" in finding.message


def test_an_action_that_is_missing_for_one_role_is_named_with_it() -> None:
    statements = [
        {**each, "Principal": {"AWS": list(COPIERS[:2])}} if each["Sid"] == "WriteReplicas" else each
        for each in printed()
    ]
    [finding] = found(statements)
    assert f"does not allow s3:PutObject for {COPIERS[2]}: statement WriteReplicas" in finding.message
    assert "Without it: FAILED DstPutObjectNotPermitted" in finding.message
    assert finding.severity is Severity.ERROR


def test_what_only_leaves_something_out_is_a_warning() -> None:
    [finding] = found([each for each in printed() if each["Sid"] != "AnnotateReplicas"])
    assert finding.severity is Severity.WARNING


def test_a_deny_is_named() -> None:
    deny = {**NATIVE, "Sid": "Never", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject"}
    [finding] = found([*printed(), deny])
    assert "denies, by Never, s3:DeleteObject" in finding.message


def test_what_depends_on_an_address_is_a_warning() -> None:
    deny = {**NATIVE, "Sid": "Office", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject"}
    [finding] = found([*printed(), {**deny, "Condition": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}])
    assert "makes it depend on aws:SourceIp, by Office, whether it allows s3:DeleteObject" in finding.message
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    "condition",
    [
        {"Bool": {"aws:SecureTransport": "false"}},
        {"StringNotEquals": {"aws:PrincipalAccount": STACK}},
        {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{STACK}:role/prod-*"}},
        {"Bool": {"aws:PrincipalIsAWSService": "true"}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:cloudtrail:*"}},
    ],
    ids=str,
)
def test_a_deny_that_no_request_of_a_function_meets_is_no_finding(condition: dict[str, Any]) -> None:
    deny = {"Sid": "Usual", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    assert found([*printed(), {**deny, "Condition": condition}]) == []


def test_a_policy_for_the_prefix_of_the_rules_is_enough() -> None:
    narrow = json.loads(json.dumps(printed()).replace("west/*", "west/photos/*"))
    assert found(narrow) == []
    other = json.loads(json.dumps(printed()).replace("west/*", "west/videos/*"))
    assert about(found(other), "WriteReplicas")


def test_an_account_as_principal_is_as_good_as_its_roles() -> None:
    assert found([{**each, "Principal": {"AWS": STACK}} for each in printed()]) == []


def test_a_policy_for_s3_replication_is_recognised_and_does_not_allow_copies() -> None:
    first, *rest = found([NATIVE])
    assert "is written for S3 Replication itself: s3:ReplicateObject, s3:ReplicateDelete" in first.message
    assert about(rest, "WriteReplicas")
    assert found([NATIVE, *printed()]) == []


def test_a_bucket_without_a_policy_lacks_every_statement() -> None:
    assert len(found([])) == len(printed())


def test_a_policy_that_cannot_be_read_is_no_silence() -> None:
    [finding] = found(None)
    assert (finding.severity, finding.subject) == (Severity.WARNING, "bucket west")
    assert "it cannot be seen whether its policy has what `s3replicator grants east` prints for it" in finding.message


def test_a_key_that_admits_only_objects_without_a_bucket_key_is_found() -> None:
    [statement] = key_statements()
    arn = {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::west/*"}
    narrow = {**statement, "Condition": {**statement["Condition"], "StringLike": arn}}
    [finding] = found(printed(), [narrow])
    assert finding.subject == f"key {KEY}"
    assert about([finding], "EncryptReplicas")


def test_a_key_without_the_statement_is_found() -> None:
    [finding] = found(printed(), [])
    assert "does not allow kms:Decrypt, kms:GenerateDataKey for" in finding.message


ROLE = f"arn:aws:iam::{BACKUP}:role/replication/writer"
BY_ROLE = replace(FACTS, destination_roles=DestinationRoles({BACKUP: ROLE}), external_id="an-id")


def role_view(facts: Facts = BY_ROLE) -> RoleView:
    [role] = plan(facts).roles
    return RoleView(read_policy(json.dumps(role.trust())), read_policy(json.dumps(role.policy())))


def found_of_role(view: RoleView | None) -> list[Finding]:
    planned = plan(BY_ROLE)
    bucket = compose(BY_ROLE, planned, {}).accounts[STACK]["bucket_policies"]["east"]
    policies = {each.resource: read_policy(json.dumps(bucket)) for each in planned.grants}
    return list(check(BY_ROLE, planned, policies, {ROLE: view}))


def test_a_role_of_another_account_is_no_silence() -> None:
    [finding] = found_of_role(None)
    assert (finding.severity, finding.subject) == (Severity.WARNING, f"role {ROLE}")


def test_a_role_as_it_is_printed_lacks_nothing() -> None:
    assert found_of_role(role_view()) == []


def test_a_role_that_asks_for_another_external_id_is_found() -> None:
    other = role_view(replace(BY_ROLE, external_id="another-id"))
    findings = found_of_role(replace(role_view(), trust=other.trust))
    assert [each.severity for each in findings] == [Severity.ERROR] * 4
    assert f"does not allow sts:AssumeRole for {COPIERS[0]} with external id 'an-id'" in findings[0].message


def test_a_statement_that_a_role_lacks_is_named() -> None:
    policies = [each for each in role_view().policies if each["Sid"] != "WriteReplicas"]
    [finding] = found_of_role(replace(role_view(), policies=policies))
    assert finding.subject == f"role {ROLE}"
    assert about([finding], "WriteReplicas")
