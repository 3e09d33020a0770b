"""What earlier deliveries of a message left behind, and what to think of a message whose deliveries do not end.

A function that dies (memory, time-out) takes a whole batch with it, and all its messages come back with one receive
more. The journal knows which deliveries came to an end. A message whose last one did not is suspected: it is processed
alone, after the rest of its batch, and counted beforehand. What dies alone again and again is to blame, and fails.
"""

from collections.abc import Mapping, Sequence

from replicator.core.deciding.attempt import Attempt, Delivery
from replicator.core.deciding.result import Result, ended
from replicator.core.outcomes.outcome import Permanent, Reason, Status
from replicator.core.versions.change import Aspect
from replicator.flows.ports import Earlier, Journal, Note, Waiting

DEATHS = 10
"""Deliveries that may die alone over one message. Deployments and trouble of Lambda's own end a few."""


class Suspected(Exception):
    """The last delivery of the message did not end: it must be processed alone. `begun`: how often that was tried."""

    def __init__(self, begun: int) -> None:
        super().__init__(begun)
        self.begun = begun


EarlierByDestination = Mapping[str, Earlier]
"""What the journal kept of a change, by destination."""


def look_back(attempts: Sequence[Attempt], delivery: Delivery, journal: Journal) -> EarlierByDestination:
    """Read what earlier deliveries left behind. Raises Temporary, and Suspected as long as nobody else waits."""
    if delivery.attempts < 2:
        return {}
    kept = [(each.target.bucket, journal.earlier(each.pair, each.change.item_id)) for each in attempts]
    found = {destination: earlier for destination, earlier in kept if earlier}
    if not _has_ended(found, delivery) and not delivery.alone:
        raise Suspected(max((earlier.begun for earlier in found.values()), default=0))
    return found


def reported_before(attempt: Attempt, earlier: Earlier | None) -> Result | None:
    """Return the result that an earlier delivery of this message reached, when it comes back for other reasons.

    That another message's handler completed the version is not enough: this one may have been killed in the middle of
    a plan, and must look at what it left.
    """
    delivery = attempt.delivery
    if earlier is None or earlier.status is Status.PENDING or (earlier.status is Status.FAILED and delivery.redriven):
        return None
    if earlier.status is Status.COMPLETED and (not earlier.message or earlier.message != delivery.message):
        return None
    why = "as an earlier delivery of the message found"
    result = ended(attempt, earlier.status, earlier.reason or Reason.ALREADY_THERE, why)
    reported = earlier.failed or earlier.status is Status.COMPLETED
    return result.leaving(reported=reported, dead_lettered=True)


def begin_alone(attempt: Attempt, earlier: Earlier | None, journal: Journal) -> None:
    """Count a delivery that is alone with its message. Raises Permanent once too many of them have died."""
    begun = earlier.begun if earlier else 0
    if begun >= DEATHS:
        raise Permanent(Reason.FUNCTION_DIED, f"the function died {begun} times while it worked on nothing else")
    change, receive = attempt.change, attempt.delivery.attempts
    detail = f"receive {receive}: an earlier delivery did not come to its end"
    note = Note("", change.size, change.time, receive)
    aspect = change.aspect or Aspect.CONTENT
    waiting = Waiting(Status.PENDING, Reason.FUNCTION_DIED, detail, change.item_id, note, aspect=aspect)
    journal.begin(attempt.pair, waiting)


def _has_ended(found: EarlierByDestination, delivery: Delivery) -> bool:
    """Return whether the delivery before this one ended at any destination: all are recorded after the work."""
    return any(
        earlier.finished >= delivery.attempts - 1
        or (earlier.status is Status.FAILED and not delivery.redriven)
        or (earlier.message != "" and earlier.message == delivery.message)
        for earlier in found.values()
    )
