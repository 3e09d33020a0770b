"""One key in doubt -> for each version, what a delivery would do now -> what differs at each destination, by name.

It asks the decision that live events get, in the words of a repair (`Wish.RESTORE`): what a repair would do is what
differs. Then, if a version has a replica, both are compared. It writes nothing.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

from replicator.core.deciding.actions import CopyVersion, Decided, Finish, MarkDeleted, Plan, PutBack
from replicator.core.deciding.attempt import Attempt, Delivery
from replicator.core.deciding.copy import compose
from replicator.core.deciding.facts import Facts
from replicator.core.deciding.journal import Memory
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Permanent, Reason, Side, Status, Temporary
from replicator.core.rules.matching import Candidate
from replicator.core.rules.rule import Rule
from replicator.core.verifying.comparing import compare
from replicator.core.verifying.differences import BY_ASPECT, Difference, Kind
from replicator.core.verifying.listed import Listed
from replicator.core.verifying.stating import differing_fields
from replicator.core.versions.change import Change, ChangeKind, Wish
from replicator.core.versions.version import Entry, Head, History
from replicator.flows.change.replicate import (
    Services,
    attempt_at,
    make_amender,
    make_synchroniser,
    versions_of_source,
)
from replicator.flows.change.synchronise import Synchroniser
from replicator.flows.ports import Earlier, Journal
from replicator.flows.reading import Versions
from replicator.flows.verify.kept_reads import KeptBuckets, KeptJournal
from replicator.flows.verify.survey import Doubt

EVENT_NAME = "verify"
ASKED = Delivery(redriven=True)
YOUNG_MS = 15 * 60_000
"""A version is on its way only while it is younger than this, if nothing but full queues says so."""
T = TypeVar("T")
GONE = frozenset({Reason.SRC_VERSION_NOT_FOUND, Reason.SRC_OBJECT_NOT_FOUND})


@dataclass(slots=True)
class Examined:
    """One key at one destination. checked: entries of the source. left_out: those that rules leave out, by reason.

    pending: what differs now, and is on its way. youngest: when the newest entry of either side was written, epoch
    seconds. pending_since: when the oldest of what is pending was written, likewise; 0 if nothing is.
    Differences and pending are in the order of the source's history.
    """

    destination: str
    checked: int = 0
    differences: list[Difference] = field(default_factory=list)
    pending: list[Difference] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    youngest: int = 0
    pending_since: int = 0

    @property
    def equal(self) -> int:
        """How many entries of the source have what they must have at the destination."""
        open_ones = {each.version_id for each in (*self.differences, *self.pending)}
        return max(0, self.checked - self.left_out.total() - len(open_ones))


@dataclass(frozen=True, slots=True)
class Examiner:
    """Examines keys of one source bucket. deep: what may change after the write is compared, too.

    is_busy: the queues hold something, so that what is missing may be on its way. asked_at: when a repair was asked
    for, epoch milliseconds; 0 if none was.
    """

    services: Services
    deep: bool = False
    is_busy: Callable[[], bool] = lambda: False
    asked_at: int = 0

    def examine(
        self, bucket: str, key: str, candidates: Sequence[Candidate], listed: Doubt | None = None
    ) -> list[Examined]:
        """Examine one key at some destinations. Trouble is a difference: it is never raised.

        listed: its entries as they were listed a moment ago. Without, they are listed now.
        """
        buckets, journal = KeptBuckets(self.services.buckets), cast("Journal", KeptJournal(self.services.journal))
        services = replace(self.services, buckets=buckets, journal=journal, side_by_side=_in_turn)
        anywhere = Change(ChangeKind.CREATED, bucket, key, time=services.now(), name=EVENT_NAME, wish=Wish.RESTORE)
        attempts = [attempt_at(each, anywhere, ASKED, services.threshold_ms) for each in candidates]
        if listed:
            _take_listed(listed, [attempt.target for attempt in attempts], bucket, buckets)
        try:
            memories = [services.journal.read(attempt.pair) for attempt in attempts]
            for attempt in attempts:  # before the source: see Histories
                _list_quietly(attempt, services)
            entries = services.buckets.source(bucket).history(key)
        except (Temporary, Permanent) as trouble:
            why = str(trouble)
            unread = [
                Difference(Kind.UNREADABLE, key, each.destination, detail=why, can_be_mended=False)
                for each in candidates
            ]
            return [Examined(each.destination, 1, [each]) for each in unread]
        source = versions_of_source(anywhere, services)
        return [
            _AtDestination(self, attempt, candidate, source, services, memory).examine(entries)
            for attempt, candidate, memory in zip(attempts, candidates, memories, strict=True)
        ]


def _in_turn(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """Run tasks one after the other: keys are examined side by side."""
    return [task() for task in tasks]


def _take_listed(listed: Doubt, targets: Sequence[Target], bucket: str, buckets: KeptBuckets) -> None:
    """Take the entries of a survey for the histories of the key.

    They may have been listed in the other order: then what was written in between looks as if it were deleted, or lost
    its replica. That is a difference until it is looked at again.
    """
    buckets.keep_history(Target(bucket), Side.SOURCE, listed.key, _history(listed.source))
    for target in targets:
        entries = listed.destinations.get(target.bucket, ())
        buckets.keep_history(target, Side.DESTINATION, listed.key, _history(entries))


def _history(entries: Sequence[Listed]) -> History:
    return tuple(each.entry for each in reversed(entries))


def _list_quietly(attempt: Attempt, services: Services) -> None:
    """List a destination. Its trouble is met again, and reported, when it is examined."""
    try:
        services.buckets.replicas(attempt.target).history(attempt.change.key)
    except (Temporary, Permanent):
        return


@dataclass(slots=True)
class _AtDestination:
    """One key at one destination. attempt: for the key, without a version."""

    examiner: Examiner
    attempt: Attempt
    candidate: Candidate
    source: Versions
    services: Services
    memory: Memory
    found: Examined = field(init=False)
    is_newest: bool = True

    def examine(self, entries: Sequence[Entry]) -> Examined:
        """Examine all entries of the source, the newest first: it is the one that must be on top."""
        self.found = Examined(self.candidate.destination)
        self.found.youngest = max((entry.modified for entry in entries), default=0)
        for entry in reversed(entries):
            self.found.checked += 1
            try:
                self._examine(entry)
            except (Temporary, Permanent) as trouble:
                self._differs(Kind.UNREADABLE, entry, str(trouble), can_be_mended=False)
        self.found.differences.reverse()
        self.found.pending.reverse()
        return self.found

    def _examine(self, entry: Entry) -> None:
        kind = ChangeKind.CREATED if entry.is_version else ChangeKind.MARKED_DELETED
        change = replace(self.attempt.change, kind=kind, version_id=entry.version_id, size=entry.size)
        attempt = replace(self.attempt, change=change)
        synchroniser = make_synchroniser(attempt, self.candidate, self.source, self.services)
        facts, decision = synchroniser.dry_run(self.memory)
        self._take(entry, synchroniser, facts, decision)

    def _take(self, entry: Entry, synchroniser: Synchroniser, facts: Facts, decision: Decided) -> None:
        if isinstance(decision, Finish):
            self._finished(entry, decision)
            self.is_newest &= not self._is_of_destination(entry, facts)
            return
        is_newest, self.is_newest = self.is_newest, False
        steps = decision.steps if isinstance(decision, Plan) else (decision.copy,)
        if any(isinstance(step, CopyVersion) and step.version_id == entry.version_id for step in steps):
            self._missing(entry)
            return
        if isinstance(decision, Plan):
            self._see_top(facts)
            if is_newest:
                self._wrong_on_top(entry, decision)
            if decision.own_replica:
                self._compare(entry, decision.own_replica, synchroniser, facts)

    def _finished(self, entry: Entry, decision: Finish) -> None:
        """Note why nothing would be done about an entry. What was deleted since it was listed is not there at all."""
        reason = str(decision.reason or decision.status)
        match decision.status:
            case Status.FAILED:
                self._differs(Kind.FAILED, entry, f"{reason}: {decision.detail}", can_be_mended=False)
            case Status.PENDING:
                self._pending(Kind.MISSING, entry, f"{reason}: {decision.detail}")
            case Status.SKIPPED if decision.reason in GONE:
                self.found.checked -= 1
            case Status.SKIPPED:
                self.found.left_out[reason] += 1

    def _is_of_destination(self, entry: Entry, facts: Facts) -> bool:
        """Return whether an entry is a replica of the destination's: then that is on top there, and nothing below it.

        Replicas of third buckets are not replicated, so that what is below them must be on top.
        """
        mark = facts.marks.get(facts.source(entry))
        return mark is not None and (mark.is_by_s3 or mark.bucket == self.candidate.destination)

    # Missing, or not on top

    def _missing(self, entry: Entry) -> None:
        if entry.version_id in self.memory.settled:
            why = "it had arrived, and was deleted for good at the destination"
            self._absent(Kind.DELETED_THERE, entry, why, may_come=bool(self.examiner.asked_at))
        else:
            self._absent(Kind.MISSING, entry, "it never arrived")

    def _wrong_on_top(self, entry: Entry, plan: Plan) -> None:
        """Note that something else must be on top than what is: not just because a missing version comes above it."""
        step = plan.steps[-1] if plan.steps else None
        if isinstance(step, PutBack) and not (plan.top and plan.top.origin == step.origin):
            shown = "a delete marker" if plan.top is None else f"version {plan.top.version_id}"
            named = replace(entry, version_id=step.origin.version_id)
            self._absent(Kind.WRONG_CURRENT, named, f"{shown} is current there, and must not be")
        if isinstance(step, MarkDeleted) and plan.top:
            self._absent(Kind.MARKER_MISSING, entry, "the key was deleted at the source, and is still shown there")

    def _absent(self, kind: Kind, entry: Entry, detail: str, *, may_come: bool = True) -> None:
        """Note what would have to be written: it may be on its way, or have failed. may_come: even without a trace."""
        earlier = self._earlier(entry)
        if earlier and earlier.status is Status.FAILED:
            self._differs(Kind.FAILED, entry, f"{earlier.reason or 'UnknownError'}: in the dead-letter queue")
        elif (earlier and earlier.status is Status.PENDING) or (may_come and self._may_be_on_its_way()):
            why = earlier.reason if earlier and earlier.reason else "it may be on a queue"
            self._pending(kind, entry, f"{detail} yet: {why}")
        else:
            self._differs(kind, entry, detail)

    def _earlier(self, entry: Entry) -> Earlier | None:
        """Return what the journal knows of the entry's own change, or of the repair of it."""
        kind = ChangeKind.CREATED if entry.is_version else ChangeKind.MARKED_DELETED
        change = replace(self.attempt.change, kind=kind, version_id=entry.version_id, time=self.examiner.asked_at)
        changes = [change] if self.examiner.asked_at else []
        for each in (*changes, replace(change, wish=Wish.NONE)):
            if earlier := self.services.journal.earlier(self.attempt.pair, each.item_id):
                return earlier
        return None

    def _may_be_on_its_way(self) -> bool:
        return self.services.now() - self.found.youngest * 1000 < YOUNG_MS and self.examiner.is_busy()

    def _see_top(self, facts: Facts) -> None:
        if facts.histories and facts.histories.destination:
            self.found.youngest = max(self.found.youngest, facts.histories.destination[-1].modified)

    # A version and its replica

    def _compare(self, entry: Entry, replica_id: str, synchroniser: Synchroniser, facts: Facts) -> None:
        key, stored = self.attempt.change.key, self.source.known(entry.version_id)
        rule = facts.verdicts.get(entry.version_id)
        replica = synchroniser.replicas.head(key, replica_id)
        if stored is None or not isinstance(rule, Rule) or not isinstance(replica, Head):
            return
        copy = compose(synchroniser.reader.propose(stored, rule), stored.grants)
        for kind, detail in compare(copy, stored.head, replica, named_class=bool(rule.destination.storage_class)):
            self._differs(kind, entry, f"replica {replica_id}: {detail}")
        if self.examiner.deep:
            self._compare_later(entry, synchroniser.attempt)

    def _compare_later(self, entry: Entry, attempt: Attempt) -> None:
        """Compare what may change after the write, as a change of all of it would."""
        attempt = replace(attempt, change=replace(attempt.change, kind=ChangeKind.STATE))
        for step in make_amender(attempt, self.candidate, self.source, self.services).examine():
            for name in step.rewrites:
                said = differing_fields(name, step.sides[name])
                self._differs(BY_ASPECT[step.aspect], entry, said)

    def _differs(self, kind: Kind, entry: Entry, detail: str, *, can_be_mended: bool = True) -> None:
        difference = self._difference(kind, entry, detail)
        self.found.differences.append(replace(difference, can_be_mended=can_be_mended))

    def _pending(self, kind: Kind, entry: Entry, detail: str) -> None:
        self.found.pending.append(self._difference(kind, entry, detail))
        self.found.pending_since = min(entry.modified, self.found.pending_since or entry.modified)

    def _difference(self, kind: Kind, entry: Entry, detail: str) -> Difference:
        destination = self.candidate.destination
        marker = not entry.is_version
        return Difference(kind, self.attempt.change.key, destination, entry.version_id, detail, is_marker=marker)
