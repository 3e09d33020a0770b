"""Tasks of S3 Batch Operations, side by side -> the version that each names -> flows.replicate -> one result each.

Separate from consuming the queue: here S3 repeats what may still succeed, and the job's completion report is where
failures lie. So nothing is put into the dead-letter queue, nothing counts as pending, and no latency is measured: an
object that existed long before says nothing about the threshold.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from replicator.core.deciding.journal import Pair
from replicator.core.outcomes.batch import Result, ResultCode, Task, UnreadableTask, sum_up
from replicator.core.outcomes.outcome import Outcome, Permanent, Reason, Status, Temporary
from replicator.core.versions.change import Change, ChangeKind
from replicator.core.versions.origin import Origin
from replicator.core.versions.version import Head, MarkerHead
from replicator.flows.change.consume import Log
from replicator.flows.change.replicate import Services, replicate
from replicator.flows.delivery import Delivery, troubled
from replicator.flows.large.tidying import tidy

NAME = "S3 Batch Operations"
CAREFUL = Delivery(redriven=True)
"""Nothing is known of when an existing version came: both histories are read, whatever the journal says."""


def process_tasks(tasks: Sequence[Task | UnreadableTask], services: Services, log: Log) -> list[Result]:
    """Return one result for each task; trouble is a result too."""
    return services.side_by_side([partial(_process, task, services, log) for task in tasks])


def _process(task: Task | UnreadableTask, services: Services, log: Log) -> Result:
    if isinstance(task, UnreadableTask):
        return Result(task.id, ResultCode.PERMANENT, f"{Status.FAILED} {Reason.MALFORMED} ({task.why})")
    change = Change(ChangeKind.CREATED, task.bucket, task.key, task.version_id, time=services.now(), name=NAME)
    try:
        outcomes = _replicate(change, services)
    except (Temporary, Permanent) as trouble:
        status = Status.PENDING if isinstance(trouble, Temporary) else Status.FAILED
        outcomes = [troubled(status, trouble, change, "")]
    except Exception as error:  # what nobody foresaw is trouble of this task alone
        log.unexpected(change, error)
        outcomes = [troubled(Status.PENDING, Temporary(Reason.UNKNOWN, type(error).__name__), change, "")]
    for outcome in outcomes:
        if outcome.status is not Status.COMPLETED:
            log.outcome(change, outcome)
    return sum_up(task.id, outcomes)


def _replicate(change: Change, services: Services) -> list[Outcome]:
    """Replicate what a task names. Raises Temporary or Permanent where the source itself cannot be asked."""
    if not change.version_id:
        current = services.buckets.source(change.bucket).top(change.key)
        if isinstance(current, MarkerHead):
            return [_marker(change, current.version_id)]
        if not isinstance(current, Head):
            raise Permanent(Reason.SRC_OBJECT_NOT_FOUND, "there is no such key")
        change = replace(change, version_id=current.version_id)
    outcomes = replicate(change, CAREFUL, services)
    if all(outcome.reason is Reason.SRC_VERSION_NOT_FOUND for outcome in outcomes) and _is_marker(change, services):
        return [_marker(change, change.version_id)]
    return [_remember(change, outcome, services) for outcome in outcomes]


def _is_marker(change: Change, services: Services) -> bool:
    entries = services.buckets.source(change.bucket).history(change.key)
    return any(entry.version_id == change.version_id and not entry.is_version for entry in entries)


def _marker(change: Change, version_id: str) -> Outcome:
    """Leave a delete marker where it is: only its event tells whether a user made it or lifecycle did."""
    origin = Origin(change.bucket, version_id, change.time // 1000)
    detail = "a delete marker; those go over with their own events only"
    return Outcome(Status.SKIPPED, Reason.MARKERS_NOT_SELECTED, detail, origin=origin)


def _remember(change: Change, outcome: Outcome, services: Services) -> Outcome:
    """Close what waited or had failed in the journal, once it is done; the job's report tells of everything else."""
    if outcome.destination and outcome.status in (Status.COMPLETED, Status.SKIPPED):
        try:
            services.journal.close(Pair(change.bucket, outcome.destination, change.key), change.item_id, services.now())
        except (Temporary, Permanent) as trouble:
            return replace(outcome, status=Status.PENDING, reason=trouble.reason, detail=trouble.detail)
    tidy(change, outcome, CAREFUL, services.multipart)
    return outcome
