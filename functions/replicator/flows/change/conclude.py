"""How every attempt ends: record (dead-letter queue, journal, events) -> clean up -> tag -> count -> log.

One closing sequence for all flows: change queue, part queue, monitor and S3 Batch Operations. It has two halves:
`conclude` runs side by side with other changes; `count` runs once for a batch, in one thread.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from replicator.core.deciding.result import Result
from replicator.core.outcomes.backoff import UNREADABLE_RECEIVES
from replicator.core.outcomes.outcome import Reason, Status
from replicator.flows.change.status_tag import StatusTags
from replicator.flows.large.cleanup import clean_up
from replicator.flows.large.ports import Multipart
from replicator.flows.ports import Log, Measures


class ResultRecorder(Protocol):
    """Records results."""

    def record(self, result: Result) -> Result:
        """Record a result and return it with how it counts; PENDING if recording fails."""

    def note_completed(self, results: Sequence[Result]) -> None:
        """Note the completed destinations of a change that will come back because of others."""


@dataclass(frozen=True, slots=True)
class Closing:
    """The closing sequence. Without `multipart` there are no uploads, without `status_tags` no tags.

    last_receive: the receive count after which SQS moves a message to the dead-letter queue; 0 if unknown.
    """

    recorder: ResultRecorder
    measures: Measures
    log: Log
    multipart: Multipart | None = None
    status_tags: StatusTags | None = None
    last_receive: int = 0

    def conclude(self, results: Sequence[Result]) -> list[Result]:
        """Record the results of one change at all destinations, remove its uploads, and tag its version."""
        concluded = [self._conclude(self.give_up(result)) for result in results]
        if not all(result.outcome.is_final for result in concluded):
            self.recorder.note_completed(concluded)
        if self.status_tags and concluded:
            self.status_tags.update(concluded)
        return concluded

    def give_up(self, result: Result) -> Result:
        """Return FAILED for a change that SQS would give up at its next receive, so that its failure is explained.

        A change whose answers cannot be read fails after a few receives: time does not make them readable.
        """
        receives = result.attempt.delivery.receive_count
        is_hopeless = result.outcome.reason is Reason.UNREADABLE and receives >= UNREADABLE_RECEIVES
        if result.outcome.is_final or not (is_hopeless or 0 < self.last_receive <= receives):
            return result
        return result.with_outcome(
            status=Status.FAILED, detail=f"{result.outcome.detail}; given up after {receives} attempts"
        )

    def _conclude(self, result: Result) -> Result:
        recorded = self.recorder.record(result)
        return recorded if clean_up(recorded, self.multipart) else recorded.with_trail(needs_cleanup=True)

    def count(self, results: Sequence[Result]) -> None:
        """Count every result that was not reported before, and log those that are not COMPLETED."""
        for result in results:
            for each in (result, *result.companions):
                if not each.trail.reported:
                    self.measures.record(each)
            if result.outcome.status is not Status.COMPLETED:
                self.log.outcome(result.attempt.change, result.outcome)
