"""What earlier deliveries of a message left behind, and how to treat a message whose deliveries do not end.

A function that crashes (memory, timeout) takes a whole batch with it, and all its messages come back with a higher
receive count. The journal records which deliveries ended. A message whose last delivery did not is suspected: it is
processed alone, after the rest of its batch, and counted beforehand. If it crashes alone again and again, it fails.
"""

from collections.abc import Mapping, Sequence

from replicator.core.deciding.attempt import Attempt, Delivery
from replicator.core.deciding.result import Result, ended
from replicator.core.outcomes.outcome import Permanent, Reason, Status
from replicator.core.versions.change import Aspect
from replicator.flows.ports import Earlier, Journal, Note, Waiting

MOST_CRASHES = 10
"""Crashes that a message may cause alone before it fails. Deployments and Lambda's own trouble cause a few."""


class Suspected(Exception):
    """The last delivery of the message did not end: it must be processed alone. tried_alone: how often it was."""

    def __init__(self, tried_alone: int) -> None:
        super().__init__(tried_alone)
        self.tried_alone = tried_alone


EarlierByDestination = Mapping[str, Earlier]
"""What the journal recorded about a change, by destination."""


def read_earlier(attempts: Sequence[Attempt], delivery: Delivery, journal: Journal) -> EarlierByDestination:
    """Read what earlier deliveries recorded. Raises Temporary, and Suspected if it must be processed alone."""
    if delivery.receive_count < 2:
        return {}
    kept = [(each.target.bucket, journal.earlier(each.pair, each.change.item_id)) for each in attempts]
    found = {destination: earlier for destination, earlier in kept if earlier}
    if not _has_ended(found, delivery) and not delivery.alone:
        raise Suspected(max((earlier.tried_alone for earlier in found.values()), default=0))
    return found


def reported_before(attempt: Attempt, earlier: Earlier | None) -> Result | None:
    """Return the result that an earlier delivery of this message recorded; None if the change must be decided again.

    It must be even if the handler of another message completed it: the handler of this one may have been killed in the
    middle of a plan, and what it left must be checked.
    """
    delivery = attempt.delivery
    if earlier is None or earlier.status is Status.PENDING or (earlier.status is Status.FAILED and delivery.redriven):
        return None
    if earlier.status is Status.COMPLETED and (not earlier.message or earlier.message != delivery.message):
        return None
    why = "as in an earlier delivery of its message"
    result = ended(attempt, earlier.status, earlier.reason, why)
    reported = earlier.failure_reported or earlier.status is Status.COMPLETED
    return result.with_trail(reported=reported, dead_lettered=True)


def begin_alone(attempt: Attempt, earlier: Earlier | None, journal: Journal) -> None:
    """Count a delivery that processes its message alone. Raises Permanent after too many crashes."""
    if earlier and earlier.status is Status.COMPLETED:
        return  # by another handler: only what this message may have left behind is looked at
    crashes = earlier.tried_alone if earlier else 0
    if crashes >= MOST_CRASHES:
        raise Permanent(Reason.FUNCTION_DIED, f"the function crashed {crashes} times while it processed nothing else")
    change, receive = attempt.change, attempt.delivery.receive_count
    detail = f"receive {receive}: an earlier delivery did not end"
    note = Note("", change.size, change.time, receive)
    aspect = change.aspect or Aspect.CONTENT
    waiting = Waiting(Status.PENDING, Reason.FUNCTION_DIED, detail, change.item_id, note, aspect=aspect)
    journal.begin(attempt.pair, waiting)


def _has_ended(found: EarlierByDestination, delivery: Delivery) -> bool:
    """Return whether the delivery before this one ended at any destination: they are recorded together at its end."""
    return any(
        earlier.finished >= delivery.receive_count - 1
        or (earlier.status is Status.FAILED and not delivery.redriven)
        or (earlier.message != "" and earlier.message == delivery.message)
        for earlier in found.values()
    )
