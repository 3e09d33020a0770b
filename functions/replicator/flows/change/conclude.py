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

    def close_nowhere(self, results: Sequence[Result]) -> list[Result]:
        """Close what was parked before its destinations were known, now that every destination has its own result."""

    def note_completed(self, results: Sequence[Result]) -> None:
        """Note the completed destinations of a change that will come back because of others."""


@dataclass(frozen=True, slots=True)
class Closing:
    """The closing sequence. Without `multipart` there are no uploads, without `status_tags` no tags."""

    recorder: ResultRecorder
    measures: Measures
    log: Log
    multipart: Multipart | None = None
    status_tags: StatusTags | None = None

    def conclude(self, results: Sequence[Result]) -> list[Result]:
        """Record the results of one change at all destinations, remove its uploads, and tag its version."""
        concluded = [self._conclude(self.give_up(result)) for result in results]
        if not all(result.leaves_queue for result in concluded):
            self.recorder.note_completed(concluded)
        elif concluded and concluded[0].attempt.delivery.nowhere:
            concluded = self.recorder.close_nowhere(concluded)
        if self.status_tags and concluded:
            self.status_tags.update(concluded)
        return concluded

    def give_up(self, result: Result) -> Result:
        """Return FAILED for a change whose answers cannot be read: time does not make them readable.

        Any other temporary trouble is retried for as long as it lasts.
        """
        outcome, delivery = result.outcome, result.attempt.delivery
        tried_enough = delivery.receive_count >= UNREADABLE_RECEIVES or delivery.parked > 0
        if outcome.status is not Status.PENDING or outcome.reason is not Reason.UNREADABLE or not tried_enough:
            return result
        detail = f"{outcome.detail}; given up after {delivery.attempts} attempts"
        return result.with_outcome(status=Status.FAILED, detail=detail)

    def _conclude(self, result: Result) -> Result:
        recorded = self.recorder.record(result)
        return recorded if clean_up(recorded, self.multipart) else recorded.with_trail(needs_cleanup=True)

    def count(self, results: Sequence[Result]) -> None:
        """Count every result that was not reported before, and log those that are not COMPLETED.

        What an operator asked for is not counted: its latency would be that of an object that existed long before.
        """
        for result in results:
            for each in (result, *result.companions):
                if not (each.trail.reported or each.attempt.change.wish):
                    self.measures.record(each)
            if result.outcome.status is not Status.COMPLETED and not result.trail.held:  # those are logged together
                self.log.outcome(result.attempt.change, result.outcome)
