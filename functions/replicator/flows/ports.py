"""The ports of the flows: what they need from AWS, and nothing more.

Each method is one request (or a cached response), may raise Temporary or Permanent, and is a point where a function may
be killed. The adapters in aws/ implement them, and so do the in-memory fakes of the tests; one contract suite runs
against both.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from replicator.core.aspects.base import Agreement
from replicator.core.deciding.attempt import Attempt
from replicator.core.deciding.copy import Copy, Guard, Written
from replicator.core.deciding.facts import Absent, Top
from replicator.core.deciding.journal import Memory, Pair
from replicator.core.deciding.result import Result
from replicator.core.deciding.target import Target
from replicator.core.outcomes.backoff import OVERDUE_MS, PARTS_OVERDUE_MS
from replicator.core.outcomes.gate import Gate
from replicator.core.outcomes.outcome import Outcome, Reason, Side, Status
from replicator.core.outcomes.parking import Parked
from replicator.core.versions.change import Aspect, Change
from replicator.core.versions.version import Grant, Head, History, Lock

T = TypeVar("T")


class Objects(Protocol):
    """One bucket, for reading."""

    def head(self, key: str, version_id: str) -> Head | Absent:
        """Read one version. Absent also if the id is that of a delete marker."""

    def exists(self, key: str, version_id: str) -> bool:
        """Return whether there is a version or a delete marker with this id, by HEAD."""

    def top(self, key: str) -> Top:
        """Read the current object of a key, or its delete marker."""

    def history(self, key: str) -> History:
        """List all entries of exactly this key, oldest to newest."""

    def tags(self, key: str, version_id: str) -> Mapping[str, str]:
        """Read the tags of one version."""

    def grants(self, key: str, version_id: str) -> tuple[Grant, ...]:
        """Read the ACL of one version; empty if it grants nothing beyond its owner's own full control."""


class Amendable(Objects, Protocol):
    """One bucket, for changing what may change of a version after it was written. S3 guards none of these requests.

    Raises Permanent SRC_VERSION_NOT_FOUND or DST_VERSION_NOT_FOUND if the version does not exist.
    """

    def annotations(self, key: str, version_id: str) -> Mapping[str, str] | None:
        """Return the ETags of a version's annotations by name; None if the bucket does not support them."""

    def annotation(self, key: str, version_id: str, name: str, etag: str) -> bytes | None:
        """Read one annotation; None if it was deleted or overwritten since it had this ETag."""

    def put_tags(self, key: str, version_id: str, tags: Mapping[str, str]) -> None:
        """Replace the tags of one version."""

    def put_grants(self, key: str, version_id: str, grants: tuple[Grant, ...]) -> None:
        """Replace the ACL of one version; where public grants are blocked, without them, with a warning."""

    def put_retention(self, key: str, version_id: str, lock: Lock, *, releases: bool = False) -> None:
        """Set retention and event hold of one version. Never bypasses governance mode.

        releases: end its event hold. The bucket then computes by itself until when the version is retained.
        """

    def put_legal_hold(self, key: str, version_id: str, *, on: bool) -> None:
        """Set or lift the legal hold of one version."""

    def annotate(self, key: str, version_id: str, name: str, payload: bytes) -> None:
        """Put one annotation on a version, only if `annotations` showed that the bucket supports them."""

    def remove_annotation(self, key: str, version_id: str, name: str) -> None:
        """Delete one annotation. Nothing happens if it does not exist any more."""


class Replicas(Objects, Protocol):
    """One bucket, for writing. Nothing here can delete a version."""

    def copy(self, copy: Copy, guard: Guard) -> Written:
        """Write one replica. Raises Conflict if the guard fails. Never retried here: the response may be lost.

        If it is refused with them, it is written without its annotations or its public grants, with a warning.
        """

    def mark_deleted(self, key: str, guard: Guard) -> str:
        """Write a delete marker, and return its version id. Raises Conflict if the guard fails."""


class Buckets(Protocol):
    """All buckets, and settings that are the same for all keys of one."""

    def source(self, bucket: str) -> Objects:
        """Return a source bucket; reason codes of its trouble are those of the source."""

    def source_has_acls(self, bucket: str) -> bool:
        """Return whether ACLs are enabled in a source bucket. Read once per container."""

    def replicas(self, target: Target) -> Replicas:
        """Return a destination bucket; reason codes are those of the destination. The target's account must own it."""

    def amendable(self, target: Target, side: Side) -> Amendable:
        """Return a source or a destination for changing its versions; reason codes are those of the side."""

    def describe(self, target: Target, *, recent: bool = False) -> Target:
        """Return a destination with its Region and capabilities, which containers cache. recent: read again."""


@dataclass(frozen=True, slots=True)
class Note:
    """What the journal records for people and the monitor. Times are epoch milliseconds, size is bytes."""

    rule_id: str
    size: int
    first_seen: int
    attempts: int
    completed: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A change that waits (PENDING) or failed for good (FAILED) at one destination.

    threshold_ms: how long after `note.first_seen` it may take; 0 for the stack's own threshold. due: by when its
    message must have come back, epoch milliseconds; 0 if it is parked, and so has none. aspect: what the change
    concerns. receives: of its message.
    """

    status: Status
    reason: Reason
    detail: str
    item_id: str
    note: Note
    threshold_ms: int = 0
    due: int = 0
    aspect: Aspect = Aspect.CONTENT
    receives: int = 0
    parked: Parked | None = None

    @classmethod
    def of(cls, attempt: Attempt, outcome: Outcome, now: int, parked: Parked | None = None) -> "Waiting":
        """Return what the journal keeps of an attempt with this outcome. now: epoch milliseconds."""
        change, delivery = attempt.change, attempt.delivery
        overdue = PARTS_OVERDUE_MS if outcome.reason is Reason.PARTS_UNDER_WAY else OVERDUE_MS
        return cls(
            status=outcome.status,
            reason=outcome.reason or Reason.UNKNOWN,
            detail=outcome.detail,
            item_id=change.item_id,
            note=Note(outcome.rule_id, outcome.size, change.time, delivery.attempts),
            threshold_ms=outcome.threshold_ms,
            due=0 if parked else now + overdue,
            aspect=change.aspect or Aspect.CONTENT,
            receives=delivery.receive_count,
            parked=parked,
        )


@dataclass(frozen=True, slots=True)
class Earlier:
    """What earlier deliveries left in the journal about a change. reason: of its last trouble.

    message: the id of the message whose handler completed it, if that was noted. finished: the receive count of the
    last delivery that ended, 0 if none did. tried_alone: how often it was processed alone since then.
    counted_against: it was counted as not within the threshold. missed_claimed: reporting that it missed the threshold
    was claimed. failure_reported: its failure was published. release_at: until when it is parked, epoch milliseconds; 0
    if it is not.
    """

    status: Status
    reason: Reason | None = None
    message: str = ""
    finished: int = 0
    tried_alone: int = 0
    counted_against: bool = False
    missed_claimed: bool = False
    failure_reported: bool = False
    release_at: int = 0


class Reported(StrEnum):
    """What was published about a change that waits or failed."""

    MISSED = "missed"
    FAILED = "failed"


class Journal(Protocol):
    """The journal: one entry per pair, and one item per change that waits, failed or came late."""

    def read(self, pair: Pair) -> Memory:
        """Read the entry of a pair, consistently."""

    def read_all(self, pairs: Sequence[Pair]) -> Mapping[Pair, Memory]:
        """Read the entries of pairs, each consistently, though not all at one moment.

        Some may be missing: what DynamoDB had no capacity for is left out.
        """

    def settle(self, pair: Pair, before: Memory, after: Memory, note: Note) -> bool:
        """Replace the entry if its generation is still that of `before`, and return whether it was."""

    def lease(self, pair: Pair, holder: str, now: int, until: int) -> Memory | None:
        """Take the lease of a pair until then, epoch milliseconds, and return its entry; None if another holds it.

        Whoever changes what a version has after its write must hold it: S3 has no conditions for these writes. holder:
        of one look; it gets the lease again if the response to its request was lost.
        """

    def release(
        self, pair: Pair, holder: str, memory: Memory, now: int, given: Mapping[str, str] | None = None
    ) -> None:
        """End a lease if it is still this holder's. given: what the top has, unless the pair was settled since."""

    def agreement(self, pair: Pair, version_id: str) -> Agreement:
        """Read what one version and its replicas at one destination agreed on, consistently."""

    def keep_agreement(self, pair: Pair, version_id: str, agreement: Agreement) -> None:
        """Replace what was agreed on. Only the holder of the pair's lease does so."""

    def wait(self, pair: Pair, waiting: Waiting) -> Earlier | None:
        """Record a change that waits or failed, unless it is completed. Return what was recorded before.

        A change that waits is parked from then on, or waits on its queue, whatever it did before.
        """

    def begin(self, pair: Pair, waiting: Waiting) -> None:
        """Record and count that a delivery begins to process a change alone, unless the change is completed."""

    def earlier(self, pair: Pair, item_id: str) -> Earlier | None:
        """Read what earlier deliveries of a change recorded; None if it never waited."""

    def recorded(self, pair: Pair, version_id: str) -> Mapping[str, Earlier]:
        """Read, consistently, what is recorded of a version and its later changes, by item id.

        UNNAMED: of later changes of the key whose events named no version.
        """

    def claim_missed(self, pair: Pair, item_id: str, now: int, claimant: str) -> bool:
        """Claim to report that a change missed its threshold. False if another claim is valid, or it was reported.

        A claim is valid for CLAIM_MS, so that another claimant can follow one that crashed; the same claimant may claim
        again at once. `note_reported` ends it. Refused for a change that failed: its failure was reported instead.
        """

    def claim_failure(self, pair: Pair, item_id: str, now: int, claimant: str) -> Earlier | None:
        """Claim to report that a change failed. None if that was granted, else what is recorded about the change.

        Refused if the change is completed, if its failure was reported, and while the claim of another message is
        valid: that message comes back until it has reported. A claim is valid for as long as a message may stay away.
        """

    def note_reported(self, pair: Pair, item_id: str, reported: Reported) -> None:
        """Record that an event was published."""

    def note_completed(self, pair: Pair, item_id: str, message: str, completed: int) -> None:
        """Record that the handler of this message completed a change, because the message will come back."""

    def close(self, pair: Pair, item_id: str, completed: int) -> Earlier | None:
        """Mark a change that waited as completed, and return what was recorded. Nothing happens if it never waited."""


class Gates(Protocol):
    """The gates of the destinations, which all functions of the stack share. Every method raises Temporary."""

    def all(self) -> Mapping[str, Gate]:
        """Read all gates by destination, consistently. A destination without one is open, and has nothing parked."""

    def enlist(self, destination: str, now: int) -> None:
        """Make sure that the destination has a gate, so that the monitor looks for what is parked there."""

    def shut(self, destination: str, reason: str, detail: str, now: int) -> None:
        """Shut a gate, unless it is shut already."""

    def begin_opening(self, destination: str, now: int) -> None:
        """Let a gate that is shut begin to open. Nothing happens in any other state."""

    def count(self, destination: str, succeeded: int, troubled: int) -> None:
        """Add changes that ended while the gate is opening."""

    def note_denied(self, destination: str, since: int, reason: str) -> None:
        """Record since when a destination denies everything; 0 if it does not."""


CLAIM_MS = 60_000
"""Longer than the monitor's timeout: whoever claimed before that has ended."""


class Forwarding(Protocol):
    """The change queues of the stacks that own the versions whose replicas somebody changed.

    Both methods raise Temporary, `send` Permanent too.
    """

    def queue_of(self, bucket: str, owner: str) -> str | None:
        """Return the queue of the stack that serves the bucket `owner` as a source; None if none is recorded."""

    def send(self, queue: str, change: Change) -> None:
        """Send a change to a queue by its ARN, to this stack's own if it is empty."""


class NoForwarding:
    """For whoever sends nothing: no owner is known."""

    def queue_of(self, bucket: str, owner: str) -> str | None:
        """Return None."""
        del bucket, owner
        return None

    def send(self, queue: str, change: Change) -> None:
        """Do nothing."""


class Measures(Protocol):
    """Metrics of a batch."""

    def record(self, result: Result) -> None:
        """Add one result."""

    def flush(self) -> None:
        """Publish what was added, in one go."""


class Log(Protocol):
    """The log: one line per outcome that is not COMPLETED, and what went wrong."""

    def outcome(self, change: Change, outcome: Outcome) -> None:
        """Log one outcome."""

    def unexpected(self, change: Change, error: Exception) -> None:
        """Log an error that no adapter translated, with its stack trace."""

    def incomplete(self, what: str) -> None:
        """Log what was not done, and why."""


class SideBySide(Protocol):
    """Runs tasks concurrently."""

    def __call__(self, tasks: Sequence[Callable[[], T]], /) -> list[T]:
        """Return the results in the order of the tasks. An exception is raised after all tasks have ended."""
