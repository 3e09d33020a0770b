"""Tasks of S3 Batch Operations, side by side -> the version that each names -> replicate -> one result each.

Separate from consuming the queue: here S3 repeats what may still succeed, and the job's completion report is where
failures are listed. So nothing is put into the dead-letter queue, nothing counts as pending, and no latency is
measured: an object that existed long before says nothing about the threshold.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from replicator.core.deciding.attempt import Attempt, Delivery
from replicator.core.deciding.result import Result, ended, troubled
from replicator.core.deciding.target import Target
from replicator.core.outcomes.batch import ResultCode, Task, TaskResult, UnreadableTask, sum_up
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.core.versions.change import Change, ChangeKind
from replicator.core.versions.version import Head, MarkerHead
from replicator.flows.change.conclude import Closing
from replicator.flows.change.replicate import Services, replicate
from replicator.flows.ports import Journal, Log

NAME = "S3 Batch Operations"
CAREFUL = Delivery(redriven=True)
"""Nothing is known of when an existing version came: both histories are read, whatever the journal says."""


@dataclass(frozen=True, slots=True)
class TaskRecords:
    """Where the results of tasks are written down: the journal forgets what waited; the job's report says the rest."""

    journal: Journal
    now: Callable[[], int]

    def record(self, result: Result) -> Result:
        """Close what waited or had failed in the journal, once it is done."""
        outcome, attempt = result.outcome, result.attempt
        if outcome.destination and outcome.status in (Status.COMPLETED, Status.SKIPPED):
            try:
                self.journal.close(attempt.pair, attempt.change.item_id, self.now())
            except (Temporary, Permanent) as trouble:
                return result.but(status=Status.PENDING, reason=trouble.reason, detail=trouble.detail)
        return result

    def note_completed(self, results: Sequence[Result]) -> None:
        """Do nothing: a task that comes back is looked at again in any case."""


class Uncounted:
    """The measures of tasks: none."""

    def record(self, result: Result) -> None:
        """Count nothing."""

    def flush(self) -> None:
        """Publish nothing."""


def process_tasks(tasks: Sequence[Task | UnreadableTask], services: Services, log: Log) -> list[TaskResult]:
    """Return one result for each task; trouble is a result too."""
    closing = Closing(TaskRecords(services.journal, services.now), Uncounted(), log, services.multipart)
    return services.side_by_side([partial(_process, task, services, closing) for task in tasks])


def _process(task: Task | UnreadableTask, services: Services, closing: Closing) -> TaskResult:
    if isinstance(task, UnreadableTask):
        return TaskResult(task.id, ResultCode.PERMANENT, f"{Status.FAILED} {Reason.MALFORMED} ({task.why})")
    change = Change(ChangeKind.CREATED, task.bucket, task.key, task.version_id, time=services.now(), name=NAME)
    try:
        results = closing.conclude(_replicate(change, services))
    except Exception as error:  # an unexpected error is trouble of this task alone
        closing.log.unexpected(change, error)
        results = [troubled(_nowhere(change), Temporary(Reason.UNKNOWN, type(error).__name__))]
    closing.count(results)
    return sum_up(task.id, [result.outcome for result in results])


def _replicate(change: Change, services: Services) -> list[Result]:
    """Replicate what a task names. Trouble with asking the source itself is a result too."""
    try:
        found = _find(change, services)
        if isinstance(found, Result):
            return [found]
        results = replicate(found, CAREFUL, services)
        gone = all(each.outcome.reason is Reason.SRC_VERSION_NOT_FOUND for each in results)
        return [_marker(found, found.version_id)] if gone and _is_marker(found, services) else results
    except (Temporary, Permanent) as trouble:
        return [troubled(_nowhere(change), trouble)]


def _find(change: Change, services: Services) -> Change | Result:
    """Name the version that is current, where the task names none; a marker there is left alone."""
    if change.version_id:
        return change
    current = services.buckets.source(change.bucket).top(change.key)
    if isinstance(current, MarkerHead):
        return _marker(change, current.version_id)
    if not isinstance(current, Head):
        raise Permanent(Reason.SRC_OBJECT_NOT_FOUND, "there is no such key")
    return replace(change, version_id=current.version_id)


def _is_marker(change: Change, services: Services) -> bool:
    entries = services.buckets.source(change.bucket).history(change.key)
    return any(entry.version_id == change.version_id and not entry.is_version for entry in entries)


def _marker(change: Change, version_id: str) -> Result:
    """Leave a delete marker where it is: only its event tells whether a user made it or lifecycle did."""
    why = "a delete marker; those are replicated by their own events only"
    return ended(_nowhere(replace(change, version_id=version_id)), Status.SKIPPED, Reason.MARKERS_NOT_SELECTED, why)


def _nowhere(change: Change) -> Attempt:
    return Attempt(change, CAREFUL, Target(""))
