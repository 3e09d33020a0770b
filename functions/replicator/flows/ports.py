"""The ports of the flows: what they need from the services, and nothing more.

Each method is one request (or a cached answer), may raise Temporary or Permanent, and is a point where a function may
be killed. The adapters in `aws` fulfil them; so do the in-memory ones of the tests, and one contract suite holds both
to the same promises.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from replicator.core.deciding.attempt import Attempt
from replicator.core.deciding.copy import Copy, Guard, Written
from replicator.core.deciding.facts import Absent, Top
from replicator.core.deciding.journal import Memory, Pair
from replicator.core.deciding.result import Result
from replicator.core.deciding.target import Target
from replicator.core.outcomes.backoff import OVERDUE_MS, PARTS_OVERDUE_MS
from replicator.core.outcomes.outcome import Outcome, Reason, Status
from replicator.core.versions.change import Aspect, Change
from replicator.core.versions.version import Grant, Head, History

T = TypeVar("T")


class Objects(Protocol):
    """One bucket, to read from."""

    def head(self, key: str, version_id: str) -> Head | Absent:
        """Read one version; absent too if the id is that of a delete marker."""

    def top(self, key: str) -> Top:
        """Read what a key shows now."""

    def history(self, key: str) -> History:
        """List all entries of exactly this key, oldest to newest."""

    def tags(self, key: str, version_id: str) -> Mapping[str, str]:
        """Read the tags of one version."""

    def grants(self, key: str, version_id: str) -> tuple[Grant, ...]:
        """Read the ACL of one version; empty if it grants nothing beyond its owner's own full control."""


class Replicas(Objects, Protocol):
    """One bucket, to write to. Nothing here can delete a version."""

    def copy(self, copy: Copy, guard: Guard) -> Written:
        """Write one replica; Conflict if the guard does not hold. Never repeats by itself: an answer may be lost."""

    def mark_deleted(self, key: str, guard: Guard) -> None:
        """Write a delete marker; Conflict if the guard does not hold."""


class Buckets(Protocol):
    """The buckets, and what is the same for all their keys."""

    def source(self, bucket: str) -> Objects:
        """Return a bucket whose trouble is the source's."""

    def source_has_acls(self, bucket: str) -> bool:
        """Return whether objects of a source bucket have ACLs of their own; read once per container."""

    def replicas(self, target: Target) -> Replicas:
        """Return a bucket whose trouble is the destination's; the target's account, if any, must own it."""

    def describe(self, target: Target) -> Target:
        """Return a destination with its Region and capabilities; read once per container."""


@dataclass(frozen=True, slots=True)
class Note:
    """What an entry tells people and the monitor beside the memory. Times are epoch milliseconds, size is bytes."""

    rule_id: str
    size: int
    first_seen: int
    attempts: int
    completed: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A version that did not get through yet (PENDING) or did not at all (FAILED).

    `threshold_ms`: how long after `note.first_seen` it may take, 0 if the stack's own threshold counts. `due`: when its
    message must have come back at the latest, epoch milliseconds. `aspect`: what of the version the change concerns.
    """

    status: Status
    reason: Reason
    detail: str
    version_id: str
    note: Note
    threshold_ms: int = 0
    due: int = 0
    aspect: Aspect = Aspect.CONTENT


def waiting(attempt: Attempt, outcome: Outcome, now: int) -> Waiting:
    """Say what the journal keeps of a change that waits or failed. `now`: epoch milliseconds."""
    change = attempt.change
    return Waiting(
        status=outcome.status,
        reason=outcome.reason or Reason.UNKNOWN,
        detail=outcome.detail,
        version_id=change.item_id,
        note=Note(outcome.rule_id, outcome.size, change.time, attempt.delivery.attempts),
        threshold_ms=outcome.threshold_ms,
        due=now + (PARTS_OVERDUE_MS if outcome.reason is Reason.PARTS_UNDER_WAY else OVERDUE_MS),
        aspect=change.aspect or Aspect.CONTENT,
    )


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the journal kept of a version that did not get through at once. `reason`: of its last trouble.

    `message`: the id of the message whose handler completed it, if that was remembered. `finished`: the receive count
    of the last delivery that came to an end, 0 if none did; `begun`: how many began to work on it alone since then.
    `against`: it was counted as not within the threshold. `missed`, `failed`: an event told of that.
    """

    status: Status
    reason: Reason | None = None
    message: str = ""
    finished: int = 0
    begun: int = 0
    against: bool = False
    missed: bool = False
    failed: bool = False


class Reported(StrEnum):
    """What an event can have told of a version that waits or failed."""

    MISSED = "missed"
    FAILED = "failed"


class Journal(Protocol):
    """The memory, one entry per pair, and the versions that wait."""

    def read(self, pair: Pair) -> Memory:
        """Read an entry, consistently."""

    def settle(self, pair: Pair, before: Memory, after: Memory, note: Note) -> bool:
        """Replace an entry if its generation still is that of `before`; False if somebody settled meanwhile."""

    def wait(self, pair: Pair, waiting: Waiting) -> Earlier | None:
        """Remember a version that waits or failed, never over a completed one; return what was remembered before."""

    def begin(self, pair: Pair, waiting: Waiting) -> None:
        """Remember that a delivery begins to work on a version alone, and count it; never over a completed one."""

    def earlier(self, pair: Pair, version_id: str) -> Earlier | None:
        """Tell what earlier deliveries of a version left behind; None if it never waited."""

    def claim_missed(self, pair: Pair, version_id: str, now: int, claimant: str) -> bool:
        """Claim to tell that a version missed its threshold; False if that is somebody else's to tell, or was told.

        A claim is good for CLAIM_MS: who died in between is followed by another, and at once by itself. `tell` ends it
        for good. A version that failed before is never late: its failure was told instead.
        """

    def claim_failure(self, pair: Pair, version_id: str, now: int, claimant: str) -> Earlier | None:
        """Claim to tell that a version failed; None if that was granted, else what was remembered instead.

        It is refused once the version is completed, once its failure was told, and while another message is at it:
        that one comes back until it is done. A claim is good for as long as a message may stay away.
        """

    def note_reported(self, pair: Pair, version_id: str, told: Reported) -> None:
        """Remember that an event was sent."""

    def note_completed(self, pair: Pair, version_id: str, message: str, completed: int) -> None:
        """Remember that the handler of this very message completed a version, since the message must come back."""

    def close(self, pair: Pair, version_id: str, completed: int) -> Earlier | None:
        """Forget that a version waited, and return what was remembered; nothing happens if it never did."""


CLAIM_MS = 60_000
"""More than the monitor's time-out: whoever claimed earlier than that is not at work any more."""


class Measures(Protocol):
    """Counts and latencies of a batch."""

    def record(self, result: Result) -> None:
        """Add one result."""

    def flush(self) -> None:
        """Publish what was added, at once."""


class Log(Protocol):
    """What people read when something is wrong: one line per outcome that is not COMPLETED."""

    def outcome(self, change: Change, outcome: Outcome) -> None:
        """Log one outcome."""

    def unexpected(self, change: Change, error: Exception) -> None:
        """Log an error that has no place in the error table, with its stack trace."""

    def incomplete(self, what: str) -> None:
        """Log what had to be left out."""


class SideBySide(Protocol):
    """Runs tasks at the same time."""

    def __call__(self, tasks: Sequence[Callable[[], T]], /) -> list[T]:
        """Return the results in the order of the tasks; what a task raises is raised once all have ended."""
