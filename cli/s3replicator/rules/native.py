"""S3's own replication configuration beside ours: what differs when rules are taken over, and what S3 takes of ours.

Pure. Rules have S3's own form here, so almost nothing is converted; what must be told is what they do differently.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketReplication.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
"""

import copy
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from replicator.core.rules.rule import Rule

from s3replicator.findings import Finding, warning
from s3replicator.stack_facts import StackFacts

EXTENSION = "ReplicatorOptions"
MINUTES = 15
"""The only number that S3 takes."""
_NO_TAG = 'ReplicatorOptions {"ReplicaTag": "Disabled"}'


def differences(document: Mapping[str, Any], rules: Sequence[Rule], stack: StackFacts) -> Iterator[Finding]:
    """Yield what rules of S3 Replication do differently once they are this stack's."""
    if document.get("Role"):
        yield warning("Role", f"{document['Role']} is not used: the stack's functions have roles of their own")
    yield warning(
        "replicas",
        "have version ids of their own, and the tag replication-status=REPLICA, which later lifecycle rules and "
        f"conditions may see; {_NO_TAG} in a rule leaves the tag out",
    )
    yield warning(
        "source versions",
        "have no x-amz-replication-status any more; s3replicator status tells it, and the parameter SourceStatusTag "
        "writes it as a tag",
    )
    for rule in rules:
        if rule.enabled:
            yield from _of_rule(rule, stack)


def _of_rule(rule: Rule, stack: StackFacts) -> Iterator[Finding]:
    subject, destination = f"rule {rule.id}", rule.destination
    if rule.tags:
        yield warning(
            subject, "its tag filter is looked at when a change is processed: a version that gets the tag later follows"
        )
    if rule.threshold_minutes is not None:
        yield warning(
            subject,
            f"an object counts as late after {rule.threshold_minutes:g} minutes, in this stack's metrics, not in S3's; "
            "there is no service credit",
        )
    if rule.version == 1:
        yield warning(subject, "has Prefix instead of Filter, and replicates delete markers of users, as S3 does")
    if destination.account not in (None, stack.account):
        yield warning(
            subject,
            f"account {destination.account} must allow copies: what it allowed S3 is not enough. s3replicator grants "
            "prints it",
        )
    if destination.owner_override:
        yield warning(
            subject,
            "replicas belong to the destination's account if its bucket enforces that, or by a role of its account "
            "(DestinationRoles); else they have the ACL bucket-owner-full-control",
        )
    if rule.kms_selected:
        yield warning(subject, "the stack uses keys that SourceKmsKeys and DestinationKmsKeys name, and no others")
    if rule.replica_modifications:
        yield warning(subject, "changes at replicas come back only if a stack replicates the destination, too")


def without_native(document: Mapping[str, Any], bucket_of_rules: Sequence[str]) -> dict[str, Any]:
    """Return S3's configuration with its rules to these destinations disabled."""
    changed = copy.deepcopy(dict(document))
    for rule in changed.get("Rules", []):
        if str(rule.get("Destination", {}).get("Bucket", "")).rpartition(":")[2] in bucket_of_rules:
            rule["Status"] = "Disabled"
    return changed


def as_native(document: Mapping[str, Any], role: str) -> tuple[dict[str, Any], list[Finding]]:
    """Return rules as S3 takes them, and what they lose."""
    lost: list[Finding] = []
    changed = copy.deepcopy(dict(document))
    for rule in changed.get("Rules", []):
        lost += _strip(rule)
    return {**changed, "Role": role}, lost


def _strip(rule: dict[str, Any]) -> Iterator[Finding]:
    subject = f"rule {rule.get('ID', 'without an id')}"
    if (options := rule.pop(EXTENSION, None)) is not None:
        names = ", ".join(f"{name}={value}" for name, value in options.items())
        yield warning(subject, f"{EXTENSION} is dropped, which S3 does not know: {names}")
    if rule.pop("ExistingObjectReplication", None) is not None:
        yield warning(subject, "ExistingObjectReplication is dropped, which S3 refuses; it has Batch Replication")
    destination = rule.get("Destination", {})
    for name, member in (("ReplicationTime", "Time"), ("Metrics", "EventThreshold")):
        given = destination.get(name, {}).get(member, {})
        if given.get("Minutes", MINUTES) != MINUTES:
            yield warning(subject, f"{name} has {given['Minutes']} minutes, and S3 takes {MINUTES} only")
            given["Minutes"] = MINUTES
    if "Filter" in rule:
        rule.setdefault("Priority", 0)
        rule.setdefault("DeleteMarkerReplication", {"Status": "Disabled"})


def look_steps(bucket: str) -> list[str]:
    """Return what to do after a look, as sentences and commands."""
    name = shlex.quote(bucket)
    return [
        "Remove what is an error above, then switch over:",
        f"  s3replicator rules import {name} --switch",
    ]


def switched_steps(bucket: str) -> list[str]:
    """Return what to do after the switch, as sentences and commands."""
    name = shlex.quote(bucket)
    return [
        "New versions are replicated by this stack from now on. Then, so that nothing is missing or old:",
        "1. Wait until S3 has finished what it began: its metric OperationsPendingReplication is 0, or 15 minutes",
        "2. Bring over what was written in between; what S3 replicated is recognised, and not copied again:",
        f"     s3replicator resync {name}",
        "3. Prove that every destination has everything, and that its current versions are right:",
        f"     s3replicator verify {name} --repair",
        "4. Remove S3's configuration, whose rules are disabled:",
        f"     aws s3api delete-bucket-replication --bucket {name}",
        "To go back before that: s3replicator rules delete, and enable its rules again",
    ]
