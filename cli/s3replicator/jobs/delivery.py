"""Was a version delivered? What a delivery of it would do now says so, at each of its destinations.

"Succeeded" means delivered: the functions may have begun to copy a large object, and a change may be parked, long after
its message was taken. Listings prove most keys; only those in doubt are asked about one by one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from replicator.core.deciding.actions import CopyVersion, Decided, Finish, MarkDeleted, Plan
from replicator.core.deciding.attempt import Attempt, Delivery
from replicator.core.outcomes.batch import ResultCode, TaskResult, sum_up
from replicator.core.outcomes.outcome import Outcome, Permanent, Reason, Status, Temporary
from replicator.core.rules.matching import Candidate
from replicator.core.verifying.listed import Span
from replicator.core.versions.change import Change, ChangeKind, Wish
from replicator.flows.change.replicate import Services, attempt_at, make_synchroniser, versions_of_source
from replicator.flows.verify.kept_reads import KeptBuckets
from replicator.flows.verify.survey import Batch

from s3replicator.jobs.completion_report import Named, Row
from s3replicator.jobs.selection import Selection

EVENT_NAME = "jobs"
ASKED = Delivery(redriven=True)
PROVED = TaskResult("", ResultCode.SUCCEEDED, str(Status.COMPLETED))
Version = tuple[str, str]
"""A key and a version id."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What became of versions of one source bucket. wish: what the job asks for.

    is_busy: the queues hold something, so that what is missing may be on its way.
    """

    bucket: str
    services: Services
    wish: Wish = Wish.EXISTING
    is_busy: Callable[[], bool] = lambda: False

    def results(self, named: Sequence[Named], candidates: Sequence[Candidate]) -> dict[Version, TaskResult]:
        """Return the result of each of some versions of one key. Trouble is a result too: it is never raised."""
        services = replace(self.services, buckets=KeptBuckets(self.services.buckets), side_by_side=_in_turn)
        return {(each.key, each.version_id): self._result(each, candidates, services) for each in named}

    def _result(self, named: Named, candidates: Sequence[Candidate], services: Services) -> TaskResult:
        kind = ChangeKind.MARKED_DELETED if named.is_marker else ChangeKind.CREATED
        change = Change(
            kind, self.bucket, named.key, named.version_id, time=services.now(), name=EVENT_NAME, wish=self.wish
        )
        return sum_up("", [self._outcome(change, candidate, services) for candidate in candidates])

    def _outcome(self, change: Change, candidate: Candidate, services: Services) -> Outcome:
        attempt = attempt_at(candidate, change, ASKED, services.threshold_ms)
        try:
            source = versions_of_source(change, services)
            synchroniser = make_synchroniser(attempt, candidate, source, services)
            _, decision = synchroniser.dry_run(services.journal.read(attempt.pair))
            outcome = self._of(decision, attempt, services)
        except Temporary as trouble:
            outcome = Outcome(Status.PENDING, trouble.reason, trouble.detail)
        except Permanent as trouble:
            outcome = Outcome(Status.FAILED, trouble.reason, trouble.detail)
        return replace(outcome, destination=candidate.destination)

    def _of(self, decision: Decided, attempt: Attempt, services: Services) -> Outcome:
        """Return COMPLETED if a delivery would not write this version; else why it is missing."""
        if isinstance(decision, Finish):
            return Outcome(decision.status, decision.reason, decision.detail)
        if not _writes(decision, attempt.change):
            return Outcome(Status.COMPLETED)
        earlier = services.journal.earlier(attempt.pair, replace(attempt.change, wish=Wish.NONE).item_id)
        if earlier and earlier.status is not Status.COMPLETED:
            return Outcome(earlier.status, earlier.reason)
        if self.is_busy():
            return Outcome(Status.PENDING, Reason.WAITED, "it may be on a queue")
        return Outcome(Status.FAILED, Reason.UNKNOWN, "it has not arrived, and is on no queue")


def _writes(decision: Decided, change: Change) -> bool:
    """Return whether a decision would write the version or delete marker of a change."""
    steps = decision.steps if isinstance(decision, Plan) else (decision.copy,)  # type: ignore[union-attr]
    if change.kind is ChangeKind.MARKED_DELETED:
        return any(isinstance(step, MarkDeleted) for step in steps)
    return any(isinstance(step, CopyVersion) and step.version_id == change.version_id for step in steps)


def _in_turn(tasks: Sequence[Callable[[], T]]) -> list[T]:
    return [task() for task in tasks]


@dataclass(slots=True)
class Undelivered:
    """The versions of a job that listings do not prove to be delivered, with their results: a consumer of a survey."""

    deliveries: Deliveries
    selection: Selection
    found: dict[Version, TaskResult] = field(default_factory=dict)

    def examine(self, batch: Batch) -> dict[Version, TaskResult]:
        """Ask about all selected versions of the keys in doubt. Called by several threads at once."""
        results: dict[Version, TaskResult] = {}
        for doubt in batch.doubts:
            named = [
                Named(doubt.key, each.entry.version_id, not each.entry.is_version)
                for each in doubt.source
                if self.selection.takes(each)
            ]
            results.update(self.deliveries.results(named, doubt.candidates))
        return results

    def keep(self, found: Mapping[Version, TaskResult], _left: Sequence[Span]) -> None:
        """Keep results."""
        self.found.update(found)

    def look_again(self, destinations: Sequence[str], among: Iterable[Version]) -> None:
        """Ask once more about versions that were on their way."""
        services = self.deliveries.services
        for key, version_id in among:
            candidates = services.rules(self.deliveries.bucket).candidates(key)
            chosen = [each for each in candidates if not destinations or each.destination in destinations]
            entries = services.buckets.source(self.deliveries.bucket).history(key)
            is_marker = any(each.version_id == version_id and not each.is_version for each in entries)
            self.found.update(self.deliveries.results([Named(key, version_id, is_marker)], chosen))

    def waiting(self, among: Iterable[Named]) -> list[Version]:
        """Return those versions that are still on their way."""
        versions = ((each.key, each.version_id) for each in among)
        return [each for each in versions if self._is_waiting(each)]

    def _is_waiting(self, version: Version) -> bool:
        result = self.found.get(version)
        return result is not None and result.code is ResultCode.TEMPORARY

    def rows(self, named: Iterable[Named]) -> Iterator[Row]:
        """Yield the rows of the report of these versions."""
        for each in named:
            result = self.found.get((each.key, each.version_id), PROVED)
            yield Row(self.deliveries.bucket, each.key, each.version_id, result)
