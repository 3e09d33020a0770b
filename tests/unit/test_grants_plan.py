"""What other accounts must put in place, as values: exactly what the rules and the settings of the buckets need."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from cfnlint import core, decode
from hypothesis import given
from hypothesis import strategies as st
from replicator.core.deciding.accounts import DestinationRoles
from replicator.core.rules.document import parse
from replicator.core.rules.matching import RuleSet
from s3replicator.grants.cloudformation import is_empty, template
from s3replicator.grants.documents import compose, json_document
from s3replicator.grants.events import EventPlan
from s3replicator.grants.facts import BucketFacts, Facts, Roles
from s3replicator.grants.needs import ALL, ON_DESTINATION, ON_SOURCE
from s3replicator.grants.plan import plan
from s3replicator.grants.policy import Question, Verdict, judge, read_policy
from s3replicator.policy_patterns import as_list
from s3replicator.stack_facts import StackFacts

STACK, BACKUP, LOGS = "111111111111", "222222222222", "333333333333"
QUEUE = f"arn:aws:sqs:us-east-1:{STACK}:prod-changes"
FACTS = StackFacts("prod", "us-east-1", STACK, "control", "https://queue", QUEUE)
COPIERS = tuple(f"arn:aws:iam::{STACK}:role/prod-{name}" for name in ("replicate", "copy-parts", "batch"))
MONITOR, VERIFIER = (f"arn:aws:iam::{STACK}:role/prod-{name}" for name in ("monitor", "verify"))
ROLES = Roles(COPIERS, MONITOR, VERIFIER)
KEY = f"arn:aws:kms:us-west-2:{BACKUP}:key/replica"
SOURCE_KEY = f"arn:aws:kms:us-east-1:{STACK}:key/source"
ROLE = f"arn:aws:iam::{BACKUP}:role/replication/writer"
PLAIN = {"acls": False, "object_lock": False}
RULE: dict[str, Any] = {
    "ID": "all",
    "Priority": 1,
    "Status": "Enabled",
    "Filter": {},
    "DeleteMarkerReplication": {"Status": "Disabled"},
    "Destination": {"Bucket": "arn:aws:s3:::west", "Account": BACKUP},
}
WITH_KMS = {
    "SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}},
    "Destination": {**RULE["Destination"], "EncryptionConfiguration": {"ReplicaKmsKeyID": KEY}},
}
ALWAYS = {"FindDestination", "ReadDestinationSettings", "ReadReplicas", "WriteReplicas", "TagReplicas", "CopyInParts",
          "AnnotateReplicas", "WatchDestination"}  # fmt: skip


def rules(*documents: dict[str, Any]) -> RuleSet:
    return parse("east", {"Rules": [{**RULE, **each} for each in documents or ({},)]})


def facts(*documents: dict[str, Any], source: Any = PLAIN, west: Any = PLAIN, **more: Any) -> Facts:
    source = BucketFacts("east", STACK, "us-east-1", **source)
    given = {"stack": FACTS, "roles": ROLES, "rules": rules(*documents), "source": source, **more}
    return Facts(**{"destinations": (BucketFacts("west", BACKUP, "us-west-2", **west),), **given})


def documents_of(given: Facts, existing: Any = None) -> dict[str, Any]:
    return compose(given, plan(given), existing or {}).accounts


def policy_of(given: Facts, account: str = BACKUP, bucket: str = "west") -> dict[str, dict[str, Any]]:
    """Return the statements of a bucket's policy by Sid."""
    found = documents_of(given).get(account, {}).get("bucket_policies", {}).get(bucket, {"Statement": []})
    return {each["Sid"]: each for each in found["Statement"]}


# The destination's bucket policy


def test_a_destination_of_the_same_account_needs_nothing() -> None:
    given = facts({"Destination": {"Bucket": "arn:aws:s3:::west"}}, destinations=(BucketFacts("west", STACK),))
    assert documents_of(given) == {}


def test_a_disabled_rule_needs_nothing() -> None:
    assert documents_of(facts({"Status": "Disabled"})) == {}


def test_the_plainest_rule_needs_the_least() -> None:
    assert set(policy_of(facts())) == ALWAYS


def test_a_statement_names_who_may_do_what_and_where() -> None:
    statements = policy_of(facts())
    assert statements["WriteReplicas"] == {
        "Sid": "WriteReplicas",
        "Effect": "Allow",
        "Principal": {"AWS": list(COPIERS)},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::west/*",
    }
    assert statements["CopyInParts"]["Resource"] == ["arn:aws:s3:::west", "arn:aws:s3:::west/*"]
    assert statements["WatchDestination"]["Principal"] == {"AWS": MONITOR}


OPTIONS = {"Status": "Enabled"}
CASES: dict[str, tuple[Any, set[str]]] = {
    "delete markers": (facts({"DeleteMarkerReplication": OPTIONS}), {"PutDeleteMarkers"}),
    "ACLs at both": (facts(source={"acls": True}, west={"acls": True, "object_lock": False}), {"SetReplicaAcls"}),
    "ACLs at the source only": (facts(source={"acls": True, "object_lock": False}), set()),
    "ACLs at the destination only": (facts(west={"acls": True, "object_lock": False}), set()),
    "the owner is translated": (
        facts(
            {"Destination": {**RULE["Destination"], "AccessControlTranslation": {"Owner": "Destination"}}},
            west={"acls": True, "object_lock": False},
        ),
        {"SetReplicaAcls"},
    ),
    "locks at both": (
        facts(source={"acls": False, "object_lock": True}, west={"acls": False, "object_lock": True}),
        {"LockReplicas"},
    ),
    "locks at the destination only": (facts(west={"acls": False, "object_lock": True}), set()),
    "nothing of the destination is known": (
        facts(source={"acls": True, "object_lock": True}, west={}),
        {"SetReplicaAcls", "LockReplicas"},
    ),
    "annotations are deleted": (
        facts(
            {"ReplicatorOptions": {"AnnotationDeletions": "Enabled"}}, stack=replace(FACTS, annotation_deletions=True)
        ),
        {"DeleteReplicaAnnotations"},
    ),
    "annotations would be deleted": (facts({"ReplicatorOptions": {"AnnotationDeletions": "Enabled"}}), set()),
    "a schedule": (facts(verifies=True), {"VerifyReplicas"}),
}


@pytest.mark.parametrize(("given", "more"), CASES.values(), ids=CASES)
def test_what_rules_and_buckets_ask_for_is_allowed_and_nothing_else(given: Facts, more: set[str]) -> None:
    assert set(policy_of(given)) - ALWAYS == more


def test_two_rules_to_one_bucket_have_one_policy_for_both() -> None:
    given = facts({}, {"ID": "b", "Priority": 2, "DeleteMarkerReplication": OPTIONS})
    assert set(policy_of(given)) == ALWAYS | {"PutDeleteMarkers"}


# Keys


def test_a_key_of_another_account_admits_the_roles_through_s3_for_the_bucket_only() -> None:
    [statement] = documents_of(facts(WITH_KMS))[BACKUP]["key_policies"][KEY]
    assert statement == {
        "Sid": "EncryptReplicas",
        "Effect": "Allow",
        "Principal": {"AWS": list(COPIERS)},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
        "Condition": {
            "StringEquals": {"kms:ViaService": "s3.us-west-2.amazonaws.com"},
            "StringLike": {"kms:EncryptionContext:aws:s3:arn": ["arn:aws:s3:::west", "arn:aws:s3:::west/*"]},
        },
    }


def test_the_default_key_of_a_destination_admits_the_roles_too() -> None:
    assert set(documents_of(facts(west={**PLAIN, "kms_key": KEY}))[BACKUP]["key_policies"]) == {KEY}


def test_a_key_that_two_destinations_use_has_one_statement_for_both() -> None:
    second = {**WITH_KMS["Destination"], "Bucket": "arn:aws:s3:::north"}
    given = facts(WITH_KMS, {**WITH_KMS, "ID": "b", "Priority": 2, "Destination": second})
    given = replace(given, destinations=(*given.destinations, BucketFacts("north", BACKUP, "us-west-2")))
    [statement] = documents_of(given)[BACKUP]["key_policies"][KEY]
    contexts = statement["Condition"]["StringLike"]["kms:EncryptionContext:aws:s3:arn"]
    assert contexts == [f"arn:aws:s3:::{name}" for name in ("west", "west/*", "north", "north/*")]


def test_a_key_of_the_stacks_account_needs_no_statement_for_its_roles() -> None:
    given = facts(WITH_KMS, source_keys=(SOURCE_KEY,))
    assert STACK not in documents_of(given)


# A role of the destination's account


def by_role(*documents: dict[str, Any], **more: Any) -> Facts:
    given = facts(*documents, source_keys=(SOURCE_KEY,), **more)
    return replace(given, destination_roles=DestinationRoles({BACKUP: ROLE}), external_id="secret-handshake")


def test_a_role_trusts_the_stacks_roles_with_the_external_id() -> None:
    role = documents_of(by_role())[BACKUP]["roles"]["writer"]
    [statement] = role["trust"]["Statement"]
    assert role["arn"] == ROLE
    assert statement["Principal"] == {"AWS": [*COPIERS, MONITOR]}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "secret-handshake"}}


def test_a_role_may_do_what_a_bucket_policy_would_admit_and_read_what_it_copies() -> None:
    accounts = documents_of(by_role())
    sids = {each["Sid"] for each in accounts[BACKUP]["roles"]["writer"]["policy"]["Statement"]}
    assert sids == ALWAYS - {"WatchDestination"} | {"LetDestinationCopy", "LetDestinationCopyAnnotations"}
    assert accounts[BACKUP]["bucket_policies"] == {}


def test_the_source_admits_a_destinations_role() -> None:
    statements = policy_of(by_role(), STACK, "east")
    assert set(statements) == {"LetDestinationCopy", "LetDestinationCopyAnnotations"}
    assert {each["Principal"]["AWS"] for each in statements.values()} == {ROLE}


def test_tags_are_read_by_a_destinations_role_only_if_they_are_copied_as_they_are() -> None:
    given = by_role({"ReplicatorOptions": {"ReplicaTag": "Disabled"}})
    assert "LetDestinationCopyTags" in policy_of(given, STACK, "east")


def test_the_sources_key_admits_a_destinations_role() -> None:
    accounts = documents_of(by_role(WITH_KMS))
    assert [each["Sid"] for each in accounts[STACK]["key_policies"][SOURCE_KEY]] == ["LetDestinationDecrypt"]
    statements = accounts[BACKUP]["roles"]["writer"]["policy"]["Statement"]
    assert {each["Resource"] for each in statements if "kms:Decrypt" in as_list(each["Action"])} == {KEY, SOURCE_KEY}


def test_a_buckets_role_wins_over_its_accounts() -> None:
    own = ROLE.replace("writer", "own")
    given = replace(facts(), destination_roles=DestinationRoles({BACKUP: ROLE, "we*": own}))
    assert set(documents_of(given)[BACKUP]["roles"]) == {"own"}


# A source of another account


ELSEWHERE = BucketFacts("east", LOGS, "us-east-1", acls=False, object_lock=False)
READING = {"FindSource", "ReadSourceObjects", "ReadSourceTags", "ReadSourceLocks", "ReadSourceAnnotations"}


def other_source(*documents: dict[str, Any], **more: Any) -> Facts:
    return replace(facts(*documents, **more), source=ELSEWHERE)


def test_a_source_of_another_account_admits_the_stacks_roles_to_read_it() -> None:
    assert set(policy_of(other_source(), LOGS, "east")) == READING


def test_changes_at_replicas_need_more_at_the_source() -> None:
    rule = {"SourceSelectionCriteria": {"ReplicaModifications": OPTIONS}}
    given = other_source(rule, stack=replace(FACTS, replica_modifications=True))
    assert set(policy_of(given, LOGS, "east")) == READING | {"ModifySources"}
    assert set(policy_of(other_source(status_tag=True), LOGS, "east")) == READING | {"TagSources"}


def test_the_account_of_a_source_sends_its_events() -> None:
    found = EventPlan(LOGS, "east", FACTS)
    [queue] = found.documents()["notifications"]["east"]["QueueConfigurations"]
    assert queue["QueueArn"] == QUEUE
    assert found.roles() == {}


def test_events_of_eventbridge_are_forwarded_by_a_rule_of_the_sources_account() -> None:
    found = EventPlan(LOGS, "east", replace(FACTS, event_bridge=True))
    [rule], [role] = found.documents()["event_rules"].values(), found.roles().values()
    bus = f"arn:aws:events:us-east-1:{STACK}:event-bus/default"
    assert rule["targets"] == [{"Id": "replicator", "Arn": bus, "RoleArn": role["arn"]}]
    assert role["policy"]["Statement"][0]["Resource"] == bus
    assert "EventBridgeConfiguration" in found.documents()["notifications"]["east"]


# What is there already


OTHERS = {"Sid": "DenyPlainText", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}


def sids_with(*existing: dict[str, Any]) -> list[str]:
    policy = documents_of(facts(), {"west": existing})[BACKUP]["bucket_policies"]["west"]
    return [each["Sid"] for each in policy["Statement"]]


def test_what_others_put_into_a_policy_is_kept() -> None:
    assert sids_with(OTHERS)[0] == "DenyPlainText"


def test_a_policy_of_this_stack_is_replaced_and_not_repeated() -> None:
    policy = documents_of(facts(verifies=True))[BACKUP]["bucket_policies"]["west"]
    assert sids_with(*policy["Statement"]) == sids_with()


def test_a_role_that_was_deleted_is_named_no_more() -> None:
    gone = {**policy_of(facts())["WriteReplicas"], "Principal": {"AWS": ["AROAGONE", COPIERS[0]]}}
    assert sids_with(gone) == sids_with()


def test_the_statements_of_another_stack_are_kept_beside_ours() -> None:
    other = {**policy_of(facts())["WriteReplicas"], "Principal": {"AWS": f"arn:aws:iam::{LOGS}:role/dev-replicate"}}
    assert {"WriteReplicas", "WriteReplicas2"} <= set(sids_with(other))
    assert len(set(sids_with(other))) == len(sids_with(other))


def test_a_policy_that_is_larger_than_s3_takes_is_told() -> None:
    given = facts()
    many = [{**OTHERS, "Sid": f"Statement{number}"} for number in range(250)]
    found = compose(given, plan(given), {"west": many})
    assert not found.fits
    assert "the policy of west has" in found.notes[-1]
    assert compose(given, plan(given), {}).fits


# Properties


IGNORED = ["W3037"]
"""Its list of actions is older than annotations."""
SWITCH = st.sampled_from([None, False, True])
BUCKETS = st.fixed_dictionaries({"acls": SWITCH, "object_lock": SWITCH})
DOCUMENTS = st.fixed_dictionaries(
    {
        "DeleteMarkerReplication": st.sampled_from([OPTIONS, {"Status": "Disabled"}]),
        "SourceSelectionCriteria": st.sampled_from(
            [{"ReplicaModifications": OPTIONS}, {"SseKmsEncryptedObjects": {"Status": "Disabled"}}]
        ),
        "ReplicatorOptions": st.sampled_from([{}, {"AnnotationDeletions": "Enabled"}, {"ReplicaTag": "Disabled"}]),
    }
)
ANY = st.builds(
    lambda document, source, west, kms, role, on: replace(
        facts({**document, **(WITH_KMS if kms else {})}, source=source, west=west),
        source_keys=(SOURCE_KEY,),
        destination_roles=DestinationRoles({BACKUP: ROLE} if role else {}),
        stack=replace(FACTS, replica_modifications=on, annotation_deletions=on),
        verifies=on,
    ),
    DOCUMENTS,
    BUCKETS,
    BUCKETS,
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


@given(ANY, st.booleans())
def test_every_policy_allows_what_it_is_for_and_fits(given: Facts, elsewhere: bool) -> None:
    given = replace(given, source=ELSEWHERE) if elsewhere else given
    planned = plan(given)
    documents = compose(given, planned, {})
    assert documents.fits
    for grant in planned.grants:
        assert grant.resource.account not in {each.split(":")[4] for each in grant.principals}
        if not grant.resource.is_key:
            policy = documents.accounts[grant.resource.account]["bucket_policies"][grant.resource.name]
            statements = read_policy(json.dumps(policy))
            for action in (*grant.need.bucket_actions, *grant.need.object_actions):
                where = grant.resource.arn + ("" if action in grant.need.bucket_actions else "/any/key")
                asked = Question(frozenset(grant.principals[:1]), STACK, f"s3:{action}", where)
                assert judge(statements, asked).verdict is Verdict.ALLOWED


@given(ANY)
def test_no_policy_lets_anything_be_destroyed_or_anybody_else_in(given: Facts) -> None:
    text = json.dumps(documents_of(given))
    for action in ('DeleteObjectVersion"', "Bypass", "PutBucket", "PutLifecycle", "s3:*", "kms:*", '"AWS": "*"'):
        assert action not in text


# The output


def test_json_says_of_each_statement_what_it_is_for() -> None:
    given = facts()
    planned = plan(given)
    found = json_document("east", compose(given, planned, {}), planned)
    assert {each["sid"] for each in found["statements"]} == ALWAYS
    assert all(each["why"] and each["without"] for each in found["statements"])


def test_no_two_statements_have_the_same_sid() -> None:
    assert len({need.sid for need in ALL}) == len(ALL) > len(ON_DESTINATION) + len(ON_SOURCE)


@pytest.mark.parametrize(
    "given",
    [facts(WITH_KMS, verifies=True), by_role(WITH_KMS), other_source(stack=replace(FACTS, event_bridge=True))],
    ids=["bucket policy", "role", "source"],
)
def test_cfn_lint_accepts_every_template(given: Facts) -> None:
    planned = plan(given)
    events = None if given.source.account == STACK else EventPlan(LOGS, "east", given.stack)
    for content in compose(given, planned, {}, events).accounts.values():
        if not is_empty(content):
            text = json.dumps(template(content, "For a test"))
            parsed, _ = decode.decode_str(text)
            matches = core.run_checks("t.json", parsed, core.get_rules([], IGNORED, []), ["us-east-1"])
            assert [str(each) for each in matches] == []
