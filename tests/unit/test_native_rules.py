"""S3's own replication rules beside ours, as values: what differs, and what S3 does not take."""

from __future__ import annotations

import json
from typing import Any

import pytest
from replicator.core.rules.document import parse
from s3replicator.rules.native import as_native, differences, without_native
from s3replicator.stack_facts import StackFacts

STACK = "111111111111"
FACTS = StackFacts("prod", "us-east-1", STACK, "control", "https://queue", f"arn:aws:sqs:us-east-1:{STACK}:changes")
ROLE = f"arn:aws:iam::{STACK}:role/native"
RULE: dict[str, Any] = {
    "ID": "all",
    "Priority": 1,
    "Status": "Enabled",
    "Filter": {},
    "DeleteMarkerReplication": {"Status": "Disabled"},
    "Destination": {"Bucket": "arn:aws:s3:::west"},
}


def told(**fields: Any) -> str:
    document = {"Role": ROLE, "Rules": [{**RULE, **fields}]}
    rules = parse("east", document).rules
    return "\n".join(f"{each.subject}: {each.message}" for each in differences(document, rules, FACTS))


WITH_ACCOUNT = {**RULE["Destination"], "Account": "222222222222"}
MINUTES = {"Status": "Enabled", "Time": {"Minutes": 15}}
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "role": ({}, f"Role: {ROLE} is not used"),
    "tags": ({"Filter": {"Tag": {"Key": "a", "Value": "b"}}}, "rule all: its tag filter is looked at when"),
    "account": ({"Destination": WITH_ACCOUNT}, "rule all: account 222222222222 must allow copies"),
    "owner": (
        {"Destination": {**WITH_ACCOUNT, "AccessControlTranslation": {"Owner": "Destination"}}},
        "rule all: replicas belong to the destination's account if",
    ),
    "time": (
        {"Destination": {**RULE["Destination"], "ReplicationTime": MINUTES,
                         "Metrics": {"Status": "Enabled", "EventThreshold": {"Minutes": 15}}}},
        "rule all: an object counts as late after 15 minutes, in this stack's metrics",
    ),
    "replica modifications": (
        {"SourceSelectionCriteria": {"ReplicaModifications": {"Status": "Enabled"}}},
        "rule all: changes at replicas come back only if",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "text"), CASES.values(), ids=CASES)
def test_each_difference_is_told(fields: dict[str, Any], text: str) -> None:
    assert text in told(**fields)


def test_a_plain_rule_differs_in_what_all_rules_differ_in() -> None:
    assert "rule all" not in told()


def test_the_rules_to_the_destinations_that_are_taken_over_are_disabled_and_no_others() -> None:
    other = {**RULE, "ID": "other", "Destination": {"Bucket": "arn:aws:s3:::north"}}
    document = {"Role": ROLE, "Rules": [RULE, other]}
    changed = without_native(document, ["west"])
    assert [each["Status"] for each in changed["Rules"]] == ["Disabled", "Enabled"]
    assert document == {"Role": ROLE, "Rules": [RULE, other]}


def test_what_s3_does_not_take_is_dropped_with_a_word() -> None:
    rule = {
        **RULE,
        "ReplicatorOptions": {"ReplicaTag": "Disabled"},
        "ExistingObjectReplication": {"Status": "Enabled"},
        "Destination": {**RULE["Destination"], "Metrics": {"Status": "Enabled", "EventThreshold": {"Minutes": 5}}},
    }
    document, lost = as_native({"Rules": [rule]}, ROLE)
    assert document["Role"] == ROLE
    [native] = document["Rules"]
    assert set(native) == set(RULE)
    assert native["Destination"]["Metrics"]["EventThreshold"] == {"Minutes": 15}
    assert [each.message.split(" ")[0] for each in lost] == [
        "ReplicatorOptions",
        "ExistingObjectReplication",
        "Metrics",
    ]


def test_rules_that_were_native_are_exported_as_they_were() -> None:
    document = {"Role": ROLE, "Rules": [RULE]}
    assert as_native(json.loads(json.dumps({"Rules": [RULE]})), ROLE) == (document, [])
