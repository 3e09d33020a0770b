"""Whether changes at replicas can be replicated as the rules ask: values in, findings out.

As in S3, the rules of both directions must enable `ReplicaModifications` (S3 user guide, "Replicating metadata changes
with replica modification sync"). Separate from the checks of buckets and keys, because this is about two stacks.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from replicator.core.rules.rule import Rule

from s3replicator.findings import Finding, error, warning
from s3replicator.stack_facts import StackFacts


@dataclass(frozen=True, slots=True)
class Direction:
    """The way back from one destination of a bucket.

    `stack`: the one that replicates the destination; None if there is none, or it cannot be seen (`seen` False).
    `rules`: its enabled rules back to the bucket; None if they cannot be read.
    """

    destination: str
    stack: StackFacts | None = None
    rules: tuple[Rule, ...] | None = ()
    seen: bool = True


def check_parameters(stack: StackFacts, rules: Iterable[Rule]) -> Iterator[Finding]:
    """Yield what rules ask for and the stack's functions may not do, what they may and should not, and what is left."""
    if stack.writes_to(stack.control_bucket):
        message = "DestinationBuckets includes its control bucket, so functions may change rules; name fewer buckets"
        yield error(f"stack {stack.name}", message)
    for rule in rules:
        subject = f"rule {rule.id}"
        if not rule.enabled:
            continue
        if rule.replica_modifications and not stack.replica_modifications:
            yield error(subject, _not_deployed("ReplicaModifications", stack))
        if rule.annotation_deletions and not stack.annotation_deletions:
            yield error(subject, _not_deployed("AnnotationDeletions", stack))
        if rule.replica_modifications and rule.destination.owner_override:
            message = "replicas belong to the destination's account, so ACLs that are changed later are left alone"
            yield warning(subject, message)


def check_direction(bucket: str, rules: Iterable[Rule], back: Direction) -> Iterator[Finding]:
    """Yield what keeps changes at replicas from their source, for the enabled rules to one destination."""
    ours = [rule for rule in rules if rule.enabled and rule.destination.bucket == back.destination]
    theirs = [rule for rule in back.rules or () if rule.enabled and rule.destination.bucket == bucket]
    asking = [rule for rule in ours if rule.replica_modifications]
    if asking and (back.stack is None or back.rules is None):
        yield warning(f"bucket {back.destination}", _nobody(bucket, back))
        return
    for rule in asking:
        if not any(other.replica_modifications and _share_keys(rule, other) for other in theirs):
            yield warning(f"rule {rule.id}", _one_sided(back.destination, bucket))
    if asking and back.stack is not None and not back.stack.replica_modifications:
        yield warning(f"stack {back.stack.name} in {back.stack.region}", _not_deployed_there(back.destination))
    for other in theirs:
        if other.replica_modifications and not any(_share_keys(rule, other) for rule in asking):
            yield warning(f"rule {other.id} of {back.destination}", _one_sided(bucket, back.destination))


def _share_keys(rule: Rule, other: Rule) -> bool:
    return rule.prefix.startswith(other.prefix) or other.prefix.startswith(rule.prefix)


def _not_deployed(parameter: str, stack: StackFacts) -> str:
    return f"enables {parameter}, which the stack's functions may not do: deploy {stack.name} with {parameter}=true"


def _not_deployed_there(destination: str) -> str:
    return (
        f"may not forward changes at replicas in {destination}, nor change versions there: deploy it with "
        "ReplicaModifications=true"
    )


def _one_sided(lacking: str, other: str) -> str:
    return (
        f"enables ReplicaModifications, but no rule from {lacking} to {other} does for the same keys; as in S3, "
        "changes at replicas are replicated only if both do: enable it there too, or disable it here"
    )


def _nobody(bucket: str, back: Direction) -> str:
    if back.stack is None and back.seen:
        return (
            "no stack of this account replicates it, so nobody forwards changes at its replicas to their source: put "
            f"rules for it, to {bucket} and with ReplicaModifications, or disable ReplicaModifications"
        )
    return f"it cannot be seen whether rules from it to {bucket} enable ReplicaModifications as well, as they must"
