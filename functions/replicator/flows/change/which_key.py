"""A key that can be read in two ways -> the one under which the source has the version -> replicate.

Separate from replicating, because most senders leave no doubt about a key. EventBridge's events and the manifests of
S3 Batch Operations do: `a+b` may be encoded or not. A wrong reading looks as if the version were deleted, or as if no
rule named it, so the other reading is looked at before either is concluded.
"""

from dataclasses import replace

from replicator.core.deciding.attempt import Attempt, Delivery
from replicator.core.deciding.result import Result, troubled
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Permanent, Reason, Temporary
from replicator.core.versions.change import Aspect, Change
from replicator.core.versions.version import Head
from replicator.flows.change.replicate import Services, replicate

IN_DOUBT = frozenset({Reason.SRC_VERSION_NOT_FOUND, Reason.NO_RULE})
"""What becomes of a change whose key was read in the wrong way."""


def either_key(change: Change) -> tuple[Change, ...]:
    """Return the change under each key that it may mean, the likelier one first."""
    keys = (change.key, change.other_key) if change.other_key else (change.key,)
    return tuple(replace(change, key=key, other_key="") for key in keys)


def replicate_as_meant(change: Change, delivery: Delivery, services: Services, only: str = "") -> list[Result]:
    """Replicate a change whose key may be in doubt. Costs nothing as long as the likelier reading is right.

    A repeated delivery asks first: what the journal keeps of earlier ones is kept under one of the keys. Raises
    Suspected, as `replicate` does.
    """
    if not change.other_key or not change.is_replicated:
        return replicate(change, delivery, services, only)
    likely, other = either_key(change)
    try:
        if delivery.repeated:
            meant = other if _is_meant(other, services) and not _exists(likely, services) else likely
            return replicate(meant, delivery, services, only)
        results = replicate(likely, delivery, services, only)
        in_doubt = all(each.outcome.reason in IN_DOUBT for each in results)
        return replicate(other, delivery, services, only) if in_doubt and _is_meant(other, services) else results
    except (Temporary, Permanent) as trouble:
        return [troubled(Attempt(change, delivery, Target(only)), trouble)]


def _is_meant(other: Change, services: Services) -> bool:
    """Return whether some rule names the other key, and the source has the version there."""
    return bool(services.rules(other.bucket).candidates(other.key)) and _exists(other, services)


def _exists(change: Change, services: Services) -> bool:
    objects = services.buckets.source(change.bucket)
    if change.aspect is Aspect.CONTENT:
        return isinstance(objects.head(change.key, change.version_id), Head)
    return objects.exists(change.key, change.version_id)
