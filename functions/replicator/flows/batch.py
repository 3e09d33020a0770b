"""Tasks of S3 Batch Operations, side by side -> the entries that each one names -> replicate -> one result each.

Separate from consuming the queue: here S3 itself repeats what may still succeed, and failures are listed in the job's
completion report. So nothing goes to the dead-letter queue, nothing counts as pending, and no latency is measured: it
would be that of an object that existed long before. "Succeeded" means delivered: a task waits for the parts of its
object, because S3 repeats a task a few times only.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from replicator.core.deciding.attempt import Attempt, Delivery
from replicator.core.deciding.result import Result, ended, troubled
from replicator.core.deciding.target import NO_TARGET
from replicator.core.outcomes.batch import ResultCode, Task, TaskResult, UnreadableTask, sum_up
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.core.versions.change import Change, ChangeKind, Wish
from replicator.core.versions.version import Entry, Head, MarkerHead
from replicator.flows.change.conclude import Closing
from replicator.flows.change.replicate import Services
from replicator.flows.change.which_key import either_key, replicate_as_meant
from replicator.flows.ports import Journal, Log

NAME = "S3 Batch Operations"
CAREFUL = Delivery(redriven=True)
"""Where an existing version is in its history is unknown: both are read, whatever the journal says."""
FIRST_LOOK_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 15.0
"""How long a task waits before it looks whether all parts have been copied; each time twice as long, up to a limit."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long tasks wait for parts. until: epoch milliseconds. sleep: takes seconds."""

    until: int = 0
    sleep: Callable[[float], None] = lambda _seconds: None


IMPATIENT = Patience()


def process_tasks(
    tasks: Sequence[Task | UnreadableTask], services: Services, log: Log, patience: Patience = IMPATIENT
) -> list[TaskResult]:
    """Return one result for each task. Nothing is raised: trouble is a result too."""
    closing = Closing(TaskRecorder(services.journal, services.now), NoMeasures(), log, services.multipart)
    if services.gatekeeper:
        services.gatekeeper.look()
    results = services.side_by_side([partial(_process, task, services, closing, patience) for task in tasks])
    if services.gatekeeper:
        services.gatekeeper.close_batch()
    return results


def _process(task: Task | UnreadableTask, services: Services, closing: Closing, patience: Patience) -> TaskResult:
    if isinstance(task, UnreadableTask):
        return TaskResult(task.id, ResultCode.PERMANENT, f"{Status.FAILED} {Reason.MALFORMED} ({task.why})")
    change, delivery = _change_of(task, services.now()), replace(CAREFUL, asked_for=task.s3_replicas)
    replicating = _replicate_history if task.whole_history else _replicate
    try:
        results = closing.conclude(replicating(change, delivery, services, patience))
    except Exception as error:  # an unexpected error never affects other tasks
        closing.log.unexpected(change, error)
        results = [troubled(_without_target(change), Temporary(Reason.UNKNOWN, type(error).__name__))]
    closing.count(results)
    return sum_up(task.id, [result.outcome for result in results])


def _change_of(task: Task, now: int) -> Change:
    kind, other = ChangeKind.CREATED, task.other_key
    return Change(kind, task.bucket, task.key, task.version_id, time=now, name=NAME, other_key=other)


# One version


def _replicate(change: Change, delivery: Delivery, services: Services, patience: Patience) -> list[Result]:
    """Replicate the version that a task names. Trouble while finding it is a result too."""
    try:
        named = _name_version(change, services)
        if isinstance(named, Result):
            return [named]
        results = _until_delivered(named, delivery, services, patience)
        gone = all(each.outcome.reason is Reason.SRC_VERSION_NOT_FOUND for each in results)
        marked = next((each for each in either_key(named) if _is_marker(each, services)), None) if gone else None
        return results if marked is None else _until_delivered(_asked(marked, delivery), delivery, services, patience)
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
    """Skip a delete marker that the task does not name: only its event shows whether lifecycle created it."""
    why = "the current entry is a delete marker, which the manifest does not name"
    attempt = _without_target(replace(change, version_id=version_id))
    return ended(attempt, Status.SKIPPED, Reason.MARKERS_NOT_SELECTED, why)


def _asked(change: Change, delivery: Delivery) -> Change:
    """Return a delete marker as what an operator asks for: naming it says that its place shall be kept."""
    wish = Wish.REPLICAS if delivery.asked_for else Wish.EXISTING
    return replace(change, kind=ChangeKind.MARKED_DELETED, wish=wish)


# A whole history


def _replicate_history(change: Change, delivery: Delivery, services: Services, patience: Patience) -> list[Result]:
    """Replicate the entries of a key from a version on, the oldest first, each in its place.

    What may still succeed ends it: what is newer would come before. S3 repeats the task.
    """
    results: list[Result] = []
    try:
        for each in _entries(change, delivery, services):
            results += _until_delivered(each, delivery, services, patience)
            if not all(result.leaves_queue for result in results):
                break
    except (Temporary, Permanent) as trouble:
        results.append(troubled(_without_target(change), trouble))
    return results


def _entries(change: Change, delivery: Delivery, services: Services) -> Iterator[Change]:
    """Yield a change for each entry. Raises Temporary or Permanent."""
    objects = services.buckets.source(change.bucket)
    for meant in either_key(change):
        found = _from(objects.history(meant.key), change.version_id)
        for entry in found:
            asked = replace(_asked(meant, delivery), version_id=entry.version_id)
            yield replace(asked, kind=ChangeKind.CREATED) if entry.is_version else asked
        if found:
            return
    missing = Reason.SRC_VERSION_NOT_FOUND if change.version_id else Reason.SRC_OBJECT_NOT_FOUND
    raise Permanent(
        missing, "the history of the key has no such entry" if change.version_id else "there is no such key"
    )


def _from(entries: Sequence[Entry], version_id: str) -> Sequence[Entry]:
    """Return the entries from this one on, oldest first; all of them without an id, none if there is no such entry."""
    places = [place for place, entry in enumerate(entries) if version_id in {"", entry.version_id}]
    return entries[places[0] :] if places else ()


# Waiting for parts


def _until_delivered(change: Change, delivery: Delivery, services: Services, patience: Patience) -> list[Result]:
    """Replicate one entry, and wait for the parts of its copies as long as the invocation may last.

    Looking again sends no part message twice, and finds an upload that failed.
    """
    results, pause = replicate_as_meant(change, delivery, services), FIRST_LOOK_SECONDS
    while _waits_for_parts(results) and services.now() + pause * 1000 <= patience.until:
        patience.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        look = Delivery(tried=True, asked_for=delivery.asked_for)
        results = replicate_as_meant(change, look, services)
    return results


def _waits_for_parts(results: Sequence[Result]) -> bool:
    """Return whether parts are all that a change waits for: whatever else may succeed later is up to S3 to repeat."""
    waiting = [each.outcome for each in results if each.outcome.status is Status.PENDING]
    return bool(waiting) and all(each.reason is Reason.PARTS_UNDER_WAY for each in waiting)


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
