"""A message that SQS gave up -> its changes -> failures, with the reason of their last trouble.

Separate from the monitor, which only finds such messages. Usually the function itself sends a failure to the
dead-letter queue, with its explanation. If SQS moved a message there, the function had stopped without reporting, and
the change would wait in the journal forever.
"""

from collections.abc import Callable, Iterator

from replicator.core.deciding.attempt import Attempt, Delivery
from replicator.core.deciding.result import Result, ended
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.core.rules.matching import Candidate, RuleSet
from replicator.core.versions.change import Change
from replicator.core.versions.events import Record, parse
from replicator.flows.change.replicate import attempt_at
from replicator.flows.ports import Journal


def failures(body: str, rules: Callable[[str], RuleSet], journal: Journal, threshold_ms: int) -> Iterator[Result]:
    """Yield a failure for each change and destination of a message that has none yet. Raises Temporary."""
    for record in parse(body):
        if isinstance(record, Record):
            for candidate in _candidates(record.change, rules):
                attempt = attempt_at(candidate, record.change, Delivery(body=record.body), threshold_ms)
                if failure := _failure(attempt, candidate, journal):
                    yield failure


def _candidates(change: Change, rules: Callable[[str], RuleSet]) -> tuple[Candidate, ...]:
    try:
        return rules(change.bucket).candidates(change.key)
    except (Temporary, Permanent):
        return ()  # its destinations are unknown now


def _failure(attempt: Attempt, candidate: Candidate, journal: Journal) -> Result | None:
    """Return the failure, with the reason of its last trouble if there was one; None if there is nothing to report."""
    earlier = journal.earlier(attempt.pair, attempt.change.item_id)
    if earlier and (earlier.status is Status.COMPLETED or earlier.failure_reported):
        return None
    if journal.read(attempt.pair).has_settled(attempt.change):
        return None
    rule = candidate.select({})
    reason = (earlier.reason if earlier else None) or Reason.FUNCTION_DIED
    failure = ended(attempt, Status.FAILED, reason, "SQS gave the message up after too many receives")
    return failure.with_outcome(rule_id=rule.id if rule else "").with_trail(dead_lettered=True)
