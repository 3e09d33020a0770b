"""How every attempt ends: record (dead-letter queue, journal, events) -> tidy -> tag -> count -> log.

The closing sequence, once for all flows: the change queue, the part queue, the monitor and S3 Batch Operations. It has
two halves, because the first one runs side by side with other changes, and counts and log lines of a batch are written
by one thread.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from replicator.core.deciding.result import Result
from replicator.core.outcomes.outcome import Status
from replicator.flows.change.status_tag import StatusTags
from replicator.flows.large.ports import Multipart
from replicator.flows.large.tidying import tidy
from replicator.flows.ports import Log, Measures


class Records(Protocol):
    """Where results are written down."""

    def record(self, result: Result) -> Result:
        """Write a result down, and say how it counts; if that does not work, it becomes PENDING."""

    def note_completed(self, results: Sequence[Result]) -> None:
        """Remember what is completed of a change that comes back for the sake of other destinations."""


@dataclass(frozen=True, slots=True)
class Closing:
    """What the closing sequence needs. Without `multipart` there are no uploads, without `status_tags` no tags.

    `last_receive`: the receive after which SQS itself moves a message to the dead-letter queue, 0 if that is not known.
    """

    records: Records
    measures: Measures
    log: Log
    multipart: Multipart | None = None
    status_tags: StatusTags | None = None
    last_receive: int = 0

    def conclude(self, results: Sequence[Result]) -> list[Result]:
        """Record what one change came to at each destination, clear its uploads away, and tag its version."""
        concluded = [self._conclude(self.give_up(result)) for result in results]
        if not all(result.outcome.is_final for result in concluded):
            self.records.note_completed(concluded)
        if self.status_tags and concluded:
            self.status_tags.update(concluded)
        return concluded

    def give_up(self, result: Result) -> Result:
        """Let a change fail that SQS would give up at its next receive: here with all that explains it."""
        attempts = result.attempt.delivery.attempts
        if result.outcome.is_final or not 0 < self.last_receive <= attempts:
            return result
        return result.but(status=Status.FAILED, detail=f"{result.outcome.detail}; given up after {attempts} attempts")

    def _conclude(self, result: Result) -> Result:
        recorded = self.records.record(result)
        return recorded if tidy(recorded, self.multipart) else recorded.leaving(untidy=True)

    def count(self, results: Sequence[Result]) -> None:
        """Count every result that nobody reported before, and log those that are not COMPLETED."""
        for result in results:
            for each in (result, *result.companions):
                if not each.trail.reported:
                    self.measures.record(each)
            if result.outcome.status is not Status.COMPLETED:
                self.log.outcome(result.attempt.change, result.outcome)
