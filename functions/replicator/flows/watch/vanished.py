"""A message that SQS gave up -> its changes -> entries that fail, with an event and a reason.

Separate from the monitor, which only finds such messages. The usual failure is put into the dead-letter queue by the
function itself, with all that explains it; what SQS moved there died without a word, and its entry would wait for ever.
"""

from collections.abc import Callable, Iterator

from replicator.core.deciding.journal import Pair
from replicator.core.outcomes.outcome import Outcome, Permanent, Reason, Status, Temporary
from replicator.core.rules.matching import Candidate, RuleSet
from replicator.core.versions.change import Change
from replicator.core.versions.events import Record, parse
from replicator.flows.change.record import Recorder, record_outcome
from replicator.flows.change.synchronise import Delivery


def fail_given_up(body: str, rules: Callable[[str], RuleSet], recorder: Recorder) -> Iterator[tuple[Change, Outcome]]:
    """Write down what became of a message's changes, and return what was not known before. Raises Temporary."""
    for record in parse(body):
        if isinstance(record, Record):
            for candidate in _candidates(record.change, rules):
                if outcome := _outcome(record.change, candidate, recorder):
                    yield record.change, record_outcome(record.change, record.body, outcome, Delivery(), recorder)


def _candidates(change: Change, rules: Callable[[str], RuleSet]) -> tuple[Candidate, ...]:
    try:
        return rules(change.bucket).candidates(change.key)
    except (Temporary, Permanent):
        return ()  # nobody can say now where it should have gone


def _outcome(change: Change, candidate: Candidate, recorder: Recorder) -> Outcome | None:
    """Return the failure, with the reason of the last trouble if one was noted; None if there is nothing to tell."""
    pair = Pair(change.bucket, candidate.destination, change.key)
    earlier = recorder.journal.earlier(pair, change.item_id)
    if earlier and (earlier.status is Status.COMPLETED or earlier.failed):
        return None
    if recorder.journal.read(pair).has_settled(change):
        return None
    rule = candidate.select({})
    return Outcome(
        Status.FAILED,
        (earlier.reason if earlier else None) or Reason.FUNCTION_DIED,
        "SQS gave the message up after too many receives",
        rule_id=rule.id if rule else "",
        destination=candidate.destination,
        size=change.size,
        buried=True,
    )
