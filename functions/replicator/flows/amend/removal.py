"""A delete marker that was removed at a replica's side: ask the stack that wrote it which marker it stood for.

A marker can carry no mark, so only the journal of the stack that wrote it knows. Between two stacks that replicate
modifications back, the side where an entry was removed asks, and the other answers if the entry was its marker. Then
the version is put on top at the destination, as for any marker that is removed.
"""

from dataclasses import replace

from replicator.core.deciding.attempt import Attempt
from replicator.core.deciding.journal import Memory
from replicator.core.deciding.undelete import CONFIRMED, is_confirmed
from replicator.core.rules.matching import Candidate
from replicator.core.versions.change import Aspect
from replicator.flows.ports import Forwarding


def pass_on(attempt: Attempt, candidate: Candidate, memory: Memory, forwarding: Forwarding) -> bool:
    """Send a removal to the other side's stack, if that must say or hear something of it. Return whether it was sent.

    Raises Temporary or Permanent.
    """
    change = attempt.change
    asks = not change.seen_at and not memory.marker
    answers = bool(change.seen_at) and not is_confirmed(change) and memory.marker == change.version_id
    if change.aspect is not Aspect.REMOVAL or not (asks or answers) or not _both_ways(attempt, candidate):
        return False
    other = attempt.target.bucket
    queue = forwarding.queue_of(change.bucket, other)
    if queue is None:
        return False
    name = CONFIRMED if answers else change.name
    forwarding.send(queue, replace(change, bucket=other, seen_at=change.bucket, name=name, other_key=""))
    return True


def _both_ways(attempt: Attempt, candidate: Candidate) -> bool:
    """Return whether delete markers and modifications are replicated to a destination that replicates back."""
    rule = candidate.select({})
    return attempt.target.listens and rule is not None and rule.delete_markers and rule.replica_modifications
