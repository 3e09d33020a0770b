"""Tasks of S3 Batch Operations, side by side -> the version that each one names -> replicate -> one result each.

Separate from consuming the queue: here S3 itself repeats what may still succeed, and failures are listed in the job's
completion report. So nothing goes to the dead-letter queue, nothing counts as pending, and no latency is measured: it
would be that of an object that existed long before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from replicator.core.deciding.attempt import Attempt, Delivery
from replicator.core.deciding.result import Result, ended, troubled
from replicator.core.deciding.target import NO_TARGET
from replicator.core.outcomes.batch import ResultCode, Task, TaskResult, UnreadableTask, sum_up
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.core.versions.change import Change, ChangeKind
from replicator.core.versions.version import Head, MarkerHead
from replicator.flows.change.conclude import Closing
from replicator.flows.change.replicate import Services
from replicator.flows.change.which_key import either_key, replicate_as_meant
from replicator.flows.ports import Journal, Log

NAME = "S3 Batch Operations"
CAREFUL = Delivery(redriven=True)
"""Where an existing version is in its history is unknown: both are read, whatever the journal says."""


def process_tasks(tasks: Sequence[Task | UnreadableTask], services: Services, log: Log) -> list[TaskResult]:
    """Return one result for each task. Nothing is raised: trouble is a result too."""
    closing = Closing(TaskRecorder(services.journal, services.now), NoMeasures(), log, services.multipart)
    if services.gatekeeper:
        services.gatekeeper.look()
    results = services.side_by_side([partial(_process, task, services, closing) for task in tasks])
    if services.gatekeeper:
        services.gatekeeper.close_batch()
    return results


def _process(task: Task | UnreadableTask, services: Services, closing: Closing) -> TaskResult:
    if isinstance(task, UnreadableTask):
        return TaskResult(task.id, ResultCode.PERMANENT, f"{Status.FAILED} {Reason.MALFORMED} ({task.why})")
    change = _change_of(task, services.now())
    try:
        results = closing.conclude(_replicate(change, replace(CAREFUL, asked_for=task.s3_replicas), services))
    except Exception as error:  # an unexpected error never affects other tasks
        closing.log.unexpected(change, error)
        results = [troubled(_without_target(change), Temporary(Reason.UNKNOWN, type(error).__name__))]
    closing.count(results)
    return sum_up(task.id, [result.outcome for result in results])


def _change_of(task: Task, now: int) -> Change:
    kind, other = ChangeKind.CREATED, task.other_key
    return Change(kind, task.bucket, task.key, task.version_id, time=now, name=NAME, other_key=other)


def _replicate(change: Change, delivery: Delivery, services: Services) -> list[Result]:
    """Replicate the version that a task names. Trouble while finding it is a result too."""
    try:
        named = _name_version(change, services)
        if isinstance(named, Result):
            return [named]
        results = replicate_as_meant(named, delivery, services)
        gone = all(each.outcome.reason is Reason.SRC_VERSION_NOT_FOUND for each in results)
        is_marker = gone and any(_is_marker(each, services) for each in either_key(named))
        return [_skip_marker(named, named.version_id)] if is_marker else results
    except (Temporary, Permanent) as trouble:
        return [troubled(_without_target(change), trouble)]


def _name_version(change: Change, services: Services) -> Change | Result:
    """Return the change, with the current version if the task names none; a delete marker is skipped."""
    if change.version_id:
        return change
    objects, marked = services.buckets.source(change.bucket), None
    for each in either_key(change):
        current = objects.top(each.key)
        if isinstance(current, Head):
            return replace(each, version_id=current.version_id)
        if isinstance(current, MarkerHead):
            marked = marked or _skip_marker(each, current.version_id)
    if marked is None:
        raise Permanent(Reason.SRC_OBJECT_NOT_FOUND, "there is no such key")
    return marked


def _is_marker(change: Change, services: Services) -> bool:
    entries = services.buckets.source(change.bucket).history(change.key)
    return any(entry.version_id == change.version_id and not entry.is_version for entry in entries)


def _skip_marker(change: Change, version_id: str) -> Result:
    """Skip a delete marker: only its event shows whether a user or lifecycle created it."""
    why = "a delete marker; those are replicated by their own events only"
    attempt = _without_target(replace(change, version_id=version_id))
    return ended(attempt, Status.SKIPPED, Reason.MARKERS_NOT_SELECTED, why)


def _without_target(change: Change) -> Attempt:
    return Attempt(change, CAREFUL, NO_TARGET)


@dataclass(frozen=True, slots=True)
class TaskRecorder:
    """Records the results of tasks: the journal closes what waited, everything else is in the job's report."""

    journal: Journal
    now: Callable[[], int]

    def record(self, result: Result) -> Result:
        """Close what waited or had failed in the journal, if it is done now."""
        outcome, attempt = result.outcome, result.attempt
        if outcome.destination and outcome.status in (Status.COMPLETED, Status.SKIPPED):
            try:
                self.journal.close(attempt.pair, attempt.change.item_id, self.now())
            except (Temporary, Permanent) as trouble:
                return result.with_outcome(status=Status.PENDING, reason=trouble.reason, detail=trouble.detail)
        return result

    def close_nowhere(self, results: Sequence[Result]) -> list[Result]:
        """Do nothing: no task was ever parked."""
        return list(results)

    def note_completed(self, results: Sequence[Result]) -> None:
        """Do nothing: a repeated task is decided again in any case."""


class NoMeasures:
    """Metrics of tasks: there are none."""

    def record(self, result: Result) -> None:
        """Count nothing."""

    def flush(self) -> None:
        """Publish nothing."""
