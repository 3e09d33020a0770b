"""The port Journal in memory: one conditional item per pair, and one per version that waits, failed or came late."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from replicator.core.aspects.base import Agreement
from replicator.core.deciding.journal import Memory, Pair
from replicator.core.outcomes.backoff import OVERDUE_MS
from replicator.core.outcomes.outcome import Status
from replicator.core.versions.change import version_of
from replicator.flows.ports import CLAIM_MS, Earlier, Note, Reported, Waiting

from tests.fakes.points import Call, Points, Straight

Item = tuple[Pair, str]


@dataclass(slots=True)
class MemoryJournal:
    """A table whose reads are consistent and whose writes are conditional. `waiting` is what its two indexes show."""

    points: Points = field(default_factory=Straight)
    entries: dict[Pair, Memory] = field(default_factory=dict)
    notes: dict[Pair, Note] = field(default_factory=dict)
    waiting: dict[Item, Waiting] = field(default_factory=dict)
    kept: dict[Item, Earlier] = field(default_factory=dict)
    claims: dict[Item, tuple[int, str]] = field(default_factory=dict)
    """Late versions whose event was claimed but is not reported yet: since when (epoch ms), and by whom."""
    parkings: dict[Item, int] = field(default_factory=dict)
    """How often each version was parked."""
    tried: set[Item] = field(default_factory=set)
    """Versions that were processed before they were parked, at any time."""
    failing: dict[Item, tuple[int, str]] = field(default_factory=dict)
    """Versions whose failure was claimed but is not reported yet: since when (epoch ms), and by whom."""
    leases: dict[Pair, tuple[str, int]] = field(default_factory=dict)
    """Who may change what versions of a pair have after their write, and until when (epoch ms)."""
    agreed: dict[Item, Agreement] = field(default_factory=dict)
    """The bases of each version."""

    def read(self, pair: Pair) -> Memory:
        return self.points.call(_call("READ", pair), lambda: self.entries.get(pair, Memory()))

    def read_all(self, pairs: Sequence[Pair]) -> Mapping[Pair, Memory]:
        """Read each by itself: DynamoDB does not read them at one moment either."""
        read = {}
        for pair in pairs:
            read[pair] = self.points.call(_call("READ AHEAD", pair), lambda pair=pair: self.entries.get(pair, Memory()))  # type: ignore[misc]
        return read

    def settle(self, pair: Pair, before: Memory, after: Memory, note: Note) -> bool:
        detail = f"generation {before.generation} -> {after.generation}"
        return self.points.call(_call("SETTLE", pair, detail), lambda: self._settle(pair, before, after, note))

    def lease(self, pair: Pair, holder: str, now: int, until: int) -> Memory | None:
        return self.points.call(_call("LEASE", pair), lambda: self._lease(pair, holder, now, until))

    def release(
        self, pair: Pair, holder: str, memory: Memory, now: int, given: Mapping[str, str] | None = None
    ) -> None:
        self.points.call(_call("RELEASE", pair), lambda: self._release(pair, holder, memory, given))

    def agreement(self, pair: Pair, version_id: str) -> Agreement:
        item = (pair, version_id)
        return self.points.call(_call("READ BASES", pair, version_id), lambda: self.agreed.get(item, Agreement()))

    def keep_agreement(self, pair: Pair, version_id: str, agreement: Agreement) -> None:
        self.points.call(
            _call("KEEP BASES", pair, version_id), lambda: self.agreed.update({(pair, version_id): agreement})
        )

    def wait(self, pair: Pair, waiting: Waiting) -> Earlier | None:
        detail = f"{waiting.item_id} {waiting.status}"
        return self.points.call(_call("WAIT", pair, detail), lambda: self._wait(pair, waiting))

    def begin(self, pair: Pair, waiting: Waiting) -> None:
        self.points.call(_call("BEGIN", pair, waiting.item_id), lambda: self._begin(pair, waiting))

    def earlier(self, pair: Pair, version_id: str) -> Earlier | None:
        return self.points.call(_call("READ EARLIER", pair, version_id), lambda: self.kept.get((pair, version_id)))

    def recorded(self, pair: Pair, version_id: str) -> Mapping[str, Earlier]:
        return self.points.call(_call("READ RECORDED", pair, version_id), lambda: self._recorded(pair, version_id))

    def _recorded(self, pair: Pair, version_id: str) -> Mapping[str, Earlier]:
        mine = ((item, each) for (of, item), each in self.kept.items() if of == pair)
        return {item: each for item, each in mine if version_of(item) == version_id}

    def claim_missed(self, pair: Pair, version_id: str, now: int, claimant: str) -> bool:
        call = _call("CLAIM MISSED", pair, version_id)
        return self.points.call(call, lambda: self._claim_missed(pair, version_id, now, claimant))

    def claim_failure(self, pair: Pair, version_id: str, now: int, claimant: str) -> Earlier | None:
        call = _call("CLAIM FAILURE", pair, version_id)
        return self.points.call(call, lambda: self._claim_failure(pair, version_id, now, claimant))

    def note_reported(self, pair: Pair, version_id: str, event: Reported) -> None:
        call = _call("NOTE REPORTED", pair, f"{version_id} {event}")
        self.points.call(call, lambda: self._note_reported(pair, version_id, event))

    def note_completed(self, pair: Pair, version_id: str, message: str, completed: int) -> None:
        call = _call("NOTE COMPLETED", pair, version_id)
        self.points.call(call, lambda: self._finish(pair, version_id, message=message))

    def close(self, pair: Pair, version_id: str, completed: int) -> Earlier | None:
        return self.points.call(_call("CLOSE", pair, version_id), lambda: self._close(pair, version_id))

    def lose(self, pair: Pair) -> None:
        """Remove an entry, as DynamoDB does once its TTL has passed."""
        self.entries.pop(pair, None)

    def _settle(self, pair: Pair, before: Memory, after: Memory, note: Note) -> bool:
        if self.entries.get(pair, Memory()).generation != before.generation:
            return False
        self.entries[pair] = replace(after, completed=note.completed)
        self.notes[pair] = note
        return True

    def _lease(self, pair: Pair, holder: str, now: int, until: int) -> Memory | None:
        by, last = self.leases.get(pair, (holder, 0))
        if by != holder and last >= now:
            return None
        self.leases[pair] = holder, until
        return self.entries.get(pair, Memory())

    def _release(self, pair: Pair, holder: str, memory: Memory, given: Mapping[str, str] | None) -> None:
        if self.leases.get(pair, ("", 0))[0] != holder:
            return
        del self.leases[pair]
        now = self.entries.get(pair)
        if now and given is not None and now.generation == memory.generation:
            self.entries[pair] = replace(now, given=dict(given))

    def _wait(self, pair: Pair, waiting: Waiting) -> Earlier | None:
        item = (pair, waiting.item_id)
        before = self.kept.get(item)
        if before and before.status is Status.COMPLETED:
            return before
        failed = waiting.status is Status.FAILED
        self.waiting[item] = waiting
        if waiting.parked:
            self.failing.pop(item, None)
        if waiting.parked and waiting.parked.tried:
            self.tried.add(item)
        self.parkings[item] = self.parkings.get(item, 0) + (waiting.parked is not None)
        self.kept[item] = replace(
            before or Earlier(waiting.status),
            status=waiting.status,
            reason=waiting.reason,
            tried_alone=0,
            finished=0 if failed or waiting.parked else waiting.receives,
            release_at=waiting.parked.release_at if waiting.parked else 0,
            counted_against=failed or (before is not None and before.counted_against),
            failure_reported=before is not None and before.failure_reported and not failed,
        )
        return before

    def _begin(self, pair: Pair, waiting: Waiting) -> None:
        item = (pair, waiting.item_id)
        before = self.kept.get(item) or Earlier(waiting.status)
        if before.status is not Status.COMPLETED:
            self.waiting[item] = waiting
            self.kept[item] = replace(
                before, release_at=0, status=waiting.status, reason=waiting.reason, tried_alone=before.tried_alone + 1
            )

    def _claim_missed(self, pair: Pair, version_id: str, now: int, claimant: str) -> bool:
        item = (pair, version_id)
        before = self.kept.get(item) or Earlier(Status.PENDING)
        if before.status is Status.COMPLETED or (before.counted_against and not self._is_free(item, now, claimant)):
            return False
        self.claims[item] = (now, claimant)
        self.kept[item] = replace(before, counted_against=True, missed_claimed=True)
        return True

    def _is_free(self, item: Item, now: int, claimant: str) -> bool:
        since, by = self.claims.get(item, (now, ""))
        return since < now - CLAIM_MS or (item in self.claims and by == claimant)

    def _claim_failure(self, pair: Pair, version_id: str, now: int, claimant: str) -> Earlier | None:
        item = (pair, version_id)
        before = self.kept.setdefault(item, Earlier(Status.PENDING))
        since, by = self.failing.get(item, (now, claimant))
        reported = before.status is Status.FAILED and before.failure_reported
        if before.status is Status.COMPLETED or reported or (by != claimant and since >= now - OVERDUE_MS):
            return before
        self.failing[item] = (now, claimant)
        return None

    def _note_reported(self, pair: Pair, version_id: str, event: Reported) -> None:
        item = (pair, version_id)
        before = self.kept.get(item)
        if event is Reported.MISSED:
            self.claims.pop(item, None)
        elif before and before.status is Status.FAILED:
            self.failing.pop(item, None)
            self.kept[item] = replace(before, failure_reported=True)

    def _close(self, pair: Pair, version_id: str) -> Earlier | None:
        before = self.kept.get((pair, version_id))
        if before is None or before.status is Status.COMPLETED:
            return None
        self._finish(pair, version_id, message=before.message)
        return before

    def _finish(self, pair: Pair, version_id: str, *, message: str) -> None:
        item = (pair, version_id)
        self.waiting.pop(item, None)
        before = self.kept.get(item) or Earlier(Status.COMPLETED)
        self.kept[item] = replace(before, status=Status.COMPLETED, reason=None, message=message, release_at=0)


def _call(operation: str, pair: Pair, detail: str = "") -> Call:
    return Call(operation, "journal", pair.source, pair.key, f"-> {pair.destination} {detail}".strip())
