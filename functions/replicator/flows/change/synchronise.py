"""One change at one destination: journal -> facts -> decision -> actions -> journal.

The loop around the pure decision. It reads what the decision asks for, carries out what it says, each step guarded by
the one before, and starts over from fresh facts whenever somebody else turns out to have been there. No locks, no
leases: a handler that dies anywhere in here leaves nothing that the next one would not see.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from replicator.core.deciding.actions import (
    CopyVersion,
    Decided,
    FastCopy,
    Finish,
    MarkDeleted,
    Need,
    Plan,
    PutBack,
    Step,
)
from replicator.core.deciding.copy import Copy, Guard, compose, is_faithful, put_back
from replicator.core.deciding.decision import decide
from replicator.core.deciding.facts import Facts, Ref
from replicator.core.deciding.journal import Memory, Pair, after_fast_copy, after_plan
from replicator.core.outcomes.outcome import Conflict, Outcome, Permanent, Reason, Status, Temporary
from replicator.core.parts.uploads import CopySource, Landed
from replicator.core.rules.matching import Candidate
from replicator.core.rules.rule import Rule
from replicator.core.versions.change import Change
from replicator.core.versions.origin import Origin, Site
from replicator.core.versions.version import Replica, StoredVersion
from replicator.flows.change.reading import Reader
from replicator.flows.delivery import Delivery, troubled, waiting
from replicator.flows.large.writing import JUST_NOW, LargeWrite, LargeWriter, Position
from replicator.flows.ports import Journal, Note, Replicas

__all__ = ["Delivery", "Synchroniser", "troubled"]

ATTEMPTS = 4
"""Fresh starts after a conflict. Beyond them the key is busy: the message waits, and finds the work done."""


@dataclass(slots=True)
class Synchroniser:
    """Brings one change to one destination. `large` writes what takes more than one request.

    wrote: something of this change was written, and may stand on top.
    """

    change: Change
    candidate: Candidate
    delivery: Delivery
    pair: Pair
    reader: Reader
    destination: Replicas
    journal: Journal
    now: Callable[[], int]
    large: LargeWriter | None = None
    wrote: bool = False

    def run(self, memory: Memory) -> Outcome:
        """Return the outcome; trouble of every kind is one too. `memory` was read before any other fact."""
        try:
            outcome = self._until_settled(memory)
        except Temporary as trouble:
            outcome = self._outcome(Status.PENDING, trouble.reason, trouble.detail)
            outcome = replace(outcome, told=trouble.reason is Reason.PARTS_UNDER_WAY)
        except Permanent as trouble:
            midway = self.wrote or trouble.reason is Reason.CHECKSUM
            outcome = replace(self._outcome(Status.FAILED, trouble.reason, trouble.detail), midway=midway)
        return replace(outcome, in_parts=self.large is not None and self.large.concerns(self.change))

    def look(self, memory: Memory) -> tuple[Facts, Decided]:
        """Return the facts and what they demand, and do nothing of it. Raises Temporary or Permanent."""
        return self._decide(self._facts(memory))

    def _until_settled(self, memory: Memory) -> Outcome:
        facts = self._facts(memory)
        conflicts = 0
        while conflicts < ATTEMPTS:
            conflicts += 1
            try:
                if outcome := self._attempt(facts):
                    return outcome
            except Landed:
                self.wrote = True
                conflicts -= 1  # nobody was in the way; but where it stands must be looked at
            except Conflict:
                pass  # the decision's facts are out of date: read them again
            facts = replace(facts, memory=self.journal.read(self.pair), repeated=True)
        raise Temporary(Reason.CONTENTION, "other writes to the same key kept coming first")

    def _facts(self, memory: Memory) -> Facts:
        rule = self.candidate.select({})
        return Facts(
            self.change,
            self.pair,
            memory,
            two_way=self.reader.there.listens,
            versioned=self.reader.there.versioned,
            markers=rule is not None and rule.delete_markers,
            repeated=self.delivery.repeated,
            large=self.large.multipart.large if self.large else None,
        )

    def _attempt(self, facts: Facts) -> Outcome | None:
        """Decide once and act; None if it must be looked at again.

        That is so if another handler settled the key meanwhile, or if the steps were not for the change's own version.
        """
        facts, decision = self._decide(facts)
        if isinstance(decision, Finish):
            finished = self._outcome(decision.status, decision.reason, decision.detail)
            return replace(finished, told=decision.reason is Reason.ALREADY_THERE)
        after = self._copy_fast(facts, decision) if isinstance(decision, FastCopy) else self._carry_out(facts, decision)
        if isinstance(decision, Plan) and decision.gone:
            return None
        outcome = self._settle(facts.memory, after)
        return self._with_companions(outcome, decision) if outcome and isinstance(decision, Plan) else outcome

    def _decide(self, facts: Facts) -> tuple[Facts, Decided]:
        """Read what the decision asks for until it needs no more."""
        decision = decide(facts)
        while isinstance(decision, Need):
            facts = self.reader.read(facts, decision)
            decision = decide(facts)
        return facts, decision

    def _copy_fast(self, facts: Facts, decision: FastCopy) -> Memory:
        top = facts.memory.top
        position = Position(decision.guard, onto=top.version_id if top else "")
        return after_fast_copy(facts.memory, facts.change, self._write(decision.copy, position))

    def _carry_out(self, facts: Facts, plan: Plan) -> Memory:
        top, over, last = plan.top, plan.over, len(plan.steps)
        position = Position(plan.guard, last == 1, over.version_id if over else "", over.modified if over else 0)
        for number, step in enumerate(plan.steps, 1):
            top = self._take(step, position)
            onto = top.version_id if top else "a delete marker"
            position = Position(Guard(top.etag if top else ""), number + 1 == last, onto, JUST_NOW)
        if self.large and plan.arrived:
            self._copy_annotations(self.large, plan.arrived)
        return after_plan(facts.memory, facts.change, top, plan.present)

    def _take(self, step: Step, position: Position) -> Replica | None:
        if isinstance(step, MarkDeleted):
            self.destination.mark_deleted(self.pair.key, position.guard)
            self.wrote = True
            return None
        return self._write(step, position)

    def _write(self, step: CopyVersion | PutBack, position: Position) -> Replica:
        found, copy = self._compose(step)
        preserve = self._preserves(step)
        if self.large and self.large.takes(found.head, preserve=preserve):
            rule_id = step.rule.id if isinstance(step, CopyVersion) else ""
            self.large.write(LargeWrite(copy, position, rule_id, preserve, self._show_pending))
        written = self.destination.copy(copy, position.guard)
        self.wrote = True
        if not is_faithful(copy, written):
            raise Permanent(Reason.CHECKSUM, f"replica {written.version_id} of {copy.origin} differs from its source")
        self.reader.marks.learn(Ref(self.pair.destination, written.version_id), self.pair.key, copy.origin)
        return Replica(written.version_id, written.etag, copy.origin)

    def _show_pending(self, detail: str) -> None:
        """Let the journal show the change as waiting, before the messages of its parts are out."""
        outcome = self._outcome(Status.PENDING, Reason.PARTS_UNDER_WAY, detail)
        if not outcome.threshold_ms and self.large:
            outcome = replace(outcome, threshold_ms=self.large.multipart.threshold_ms)
        self.journal.wait(self.pair, waiting(self.change, outcome, self.delivery.attempts, self.now()))

    def _preserves(self, step: CopyVersion | PutBack) -> bool:
        """Return whether the ETag is to stay that of the source, so that its parts must."""
        rules = (step.rule,) if isinstance(step, CopyVersion) else self.candidate.rules
        return any(rule.preserve_etag for rule in rules)

    def _copy_annotations(self, large: LargeWriter, version_id: str) -> None:
        """Complete what an earlier handler may have left out that died after the version was there."""
        found = self.reader.source.known(self.change.version_id)
        rule = self.candidate.select(found.tags) if found else None
        if found and rule and large.takes(found.head, preserve=rule.preserve_etag):
            source = CopySource(self.pair.source, self.pair.key, found.head.version_id, found.head.etag)
            large.copy_annotations(source, version_id)

    def _compose(self, step: CopyVersion | PutBack) -> tuple[StoredVersion, Copy]:
        side = self.reader.source if isinstance(step, CopyVersion) else self.reader.destination
        found = side.get(step.version_id)
        if not isinstance(found, StoredVersion):
            raise Conflict(step.version_id)  # deleted since the plan was made
        if isinstance(step, CopyVersion):
            return found, compose(self.reader.propose(found, step.rule), found.grants)
        site = Site(self.pair.destination, self.pair.key, self.now() // 1000)
        return found, put_back(found, step.origin, self.reader.there, site)

    def _settle(self, before: Memory, after: Memory) -> Outcome | None:
        """Write the journal's entry; what another delivery completed before is not told again."""
        told, now = before.has_settled(self.change), self.now()
        completed = before.completed_at(self.change) if told else now
        outcome = replace(self._outcome(Status.COMPLETED, None, completed=completed), told=told)
        note = Note(outcome.rule_id, outcome.size, self.change.time, self.delivery.attempts, completed or now)
        return outcome if self.journal.settle(self.pair, before, after, note) else None

    def _with_companions(self, outcome: Outcome, plan: Plan) -> Outcome:
        """Add the outcomes of other versions that the plan copied: their own events will find them done."""
        own, now = self.change.version_id, self.now()
        copies = [step for step in plan.steps if isinstance(step, CopyVersion) and step.version_id != own]
        return replace(outcome, along=tuple(self._companion(step, now) for step in copies))

    def _companion(self, step: CopyVersion, completed: int) -> Outcome:
        found = self.reader.source.known(step.version_id)
        modified = found.head.modified if found else 0
        return Outcome(
            Status.COMPLETED,
            rule_id=step.rule.id,
            destination=self.pair.destination,
            origin=Origin(self.pair.source, step.version_id, modified),
            size=found.head.size if found else 0,
            latency_ms=max(0, completed - modified * 1000) if found else 0,
            threshold_ms=_threshold_ms(step.rule),
        )

    def _outcome(self, status: Status, reason: Reason | None, detail: str = "", completed: int = 0) -> Outcome:
        found = self.reader.source.known(self.change.version_id)
        rule = self.candidate.select(found.tags if found else {})
        modified = found.head.modified if found else self.change.time // 1000
        return Outcome(
            status,
            reason,
            detail,
            rule_id=rule.id if rule else "",
            destination=self.pair.destination,
            origin=Origin(self.pair.source, self.change.version_id, modified),
            size=found.head.size if found else self.change.size,
            latency_ms=max(0, completed - self.change.time) if completed else 0,
            threshold_ms=_threshold_ms(rule),
        )


def _threshold_ms(rule: Rule | None) -> int:
    return max(1, round(rule.threshold_minutes * 60_000)) if rule and rule.threshold_minutes else 0
