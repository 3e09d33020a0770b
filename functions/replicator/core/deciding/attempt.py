"""An attempt: one change, one delivery of it, one destination, as one value that is passed from step to step.

Separate from the facts, which grow while the attempt is decided: an attempt is known before anything is read. How it
ended is in result.py.
"""

from dataclasses import dataclass, field

from replicator.core.deciding.journal import Pair
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Reason, Temporary
from replicator.core.rules.rule import Rule
from replicator.core.versions.change import Change
from replicator.core.versions.origin import Origin


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a change arrived with a message.

    receive_count: how often SQS has delivered its message, this time included. redriven: the message comes from the
    dead-letter queue. message: its id. alone: nothing else is processed at the same time. from_part_queue: it is a part
    message. body: a message that contains just this change. part_receives: how often SQS delivered its part message.
    asked_for: whoever sent it asks for the version even if it is a replica. parked: how often the change
    was parked before it was sent in this message. tried: it was processed before that. nowhere: it was parked before
    its destinations were known. probe: it tries a destination whose gate is shut. needs_new_chain: what is written now
    would inherit a long chain of invocations that is not the message's own. until: when its message goes back to the
    queue whatever has become of it, epoch milliseconds; 0 if it does not.
    """

    receive_count: int = 1
    redriven: bool = False
    message: str = ""
    alone: bool = False
    from_part_queue: bool = False
    body: str = field(default="", repr=False)
    part_receives: int = 0
    asked_for: bool = False
    parked: int = 0
    tried: bool = False
    nowhere: bool = False
    probe: bool = False
    needs_new_chain: bool = False
    until: int = 0

    def is_over(self, now: int) -> bool:
        """Return whether its message is with another handler by now, so that nothing may be begun for it any more."""
        return 0 < self.until <= now

    @property
    def attempts(self) -> int:
        """How often the change was tried, as people are told: receives of this message, and one for each parking."""
        return self.receive_count + self.parked

    @property
    def repeated(self) -> bool:
        """Return whether some of the work on the change may have been done before."""
        return self.came_back or self.from_part_queue

    @property
    def copies_replicas(self) -> bool:
        """Return whether its version is replicated even if it is a replica.

        Parts are sent only of a version that was going to be copied.
        """
        return self.asked_for or self.from_part_queue

    @property
    def came_back(self) -> bool:
        """Return whether the change was processed before, and possibly left in the middle of a plan."""
        return self.receive_count > 1 or self.redriven or self.tried

    @property
    def is_first(self) -> bool:
        """Return whether no other delivery of the message was before it, nor any of a part of its version."""
        return self.receive_count == 1 and not (self.tried or self.parked or self.from_part_queue)

    @property
    def has_entry(self) -> bool:
        """Return whether the journal may hold an entry of the change that must be closed."""
        return self.repeated or self.parked > 0


UNLIMITED_MS = 100 * 365 * 86_400_000
"""A threshold that nothing misses, milliseconds."""


def check_may_write(delivery: Delivery, now: int) -> None:
    """Raise Temporary if nothing may be written now for this delivery.

    Past its time, nobody would look at what it writes (see deadline.py). In a long chain of invocations that is not its
    own, what it writes would carry that chain on (see chain.py).
    """
    if delivery.is_over(now):
        raise Temporary(Reason.TIMED_OUT, "there was no time left to write")
    if delivery.needs_new_chain:
        raise Temporary(Reason.NEW_CHAIN, "messages of the same batch belong to a long chain of invocations")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One change at one destination; with NO_TARGET if the attempt ended before its destination was known.

    threshold_ms: the stack's own threshold, for rules that name none.
    """

    change: Change
    delivery: Delivery
    target: Target
    threshold_ms: int = 0

    @property
    def repeated(self) -> bool:
        """Return whether some of the work on the change may have been done before.

        What an operator asks for counts as repeated: events may have asked for it before. Not what comes for the first
        time, where a listing has just shown that nothing was done: a copy onto nothing is refused if that has changed.
        What must be restored is always looked at, whatever the journal says of it.
        """
        change, delivery = self.change, self.delivery
        return delivery.repeated and not (change.lone and delivery.is_first and not change.wish.restores)

    @property
    def pair(self) -> Pair:
        """The pair whose journal entry it concerns."""
        return Pair(self.change.bucket, self.target.bucket, self.change.key)

    @property
    def origin(self) -> Origin:
        """The version as the event names it. Its time is the event's; HEAD may return another one."""
        return Origin(self.change.bucket, self.change.version_id, self.change.time // 1000)

    def threshold_under(self, rule: Rule | None) -> int:
        """Return how long the change may take under a rule, milliseconds: what the rule says, else the stack's own.

        What an operator asks for is never late: S3's own threshold leaves existing objects out, too (user guide,
        "Replicating existing objects with S3 Batch Replication").
        """
        if self.change.wish:
            return UNLIMITED_MS
        minutes = rule.threshold_minutes if rule else None
        return max(1, round(minutes * 60_000)) if minutes else self.threshold_ms
