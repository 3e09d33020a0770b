"""One attempt: journal -> facts -> decision -> actions -> journal.

The loop around the pure decision. It reads the facts that the decision asks for, and executes the actions that it
returns, each guarded by the one before. If another writer interferes, it starts over from fresh facts. There are no
locks or leases: wherever a handler crashes, the next one sees what it left.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from replicator.core.aspects.state import tag_state
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
from replicator.core.deciding.attempt import Attempt, Delivery, check_may_write
from replicator.core.deciding.copy import Copy, Guard, check_faithful, compose, given_by, put_back
from replicator.core.deciding.decision import decide
from replicator.core.deciding.facts import Facts, Ref
from replicator.core.deciding.journal import Memory, Pair, after_fast_copy, after_plan, after_unsettled
from replicator.core.deciding.result import Result
from replicator.core.outcomes.outcome import Conflict, Outcome, Permanent, Reason, Status, Temporary
from replicator.core.parts.uploads import CopySource, UploadCompleted
from replicator.core.rules.matching import Candidate
from replicator.core.versions.change import ChangeKind
from replicator.core.versions.origin import Origin, Site
from replicator.core.versions.version import Replica, StoredVersion
from replicator.flows.change.whose_key import name_side
from replicator.flows.large.writing import JUST_NOW, LargeWrite, LargeWriter, Position
from replicator.flows.ports import Journal, Note, Replicas, Waiting
from replicator.flows.reading import Reader

MOST_TRIES = 4
"""Tries per attempt, each from fresh facts. After that the key is busy: the message waits for the other writers."""


@dataclass(slots=True)
class Synchroniser:
    """Replicates one change to one destination. `large` writes what one request cannot copy.

    attempt: its target has Region and capabilities. look_again: compares the replicas of a version with it, because one
    may have been written beside a change of its tags; raises Temporary or Permanent. wrote: something was written for
    this change, and may be on top. looked: what was looked at again. given: what the last copy gave its replica.
    marker: the delete marker on top. copied: other versions that were copied. overtaken: those that were when another
    handler settled the key.
    """

    attempt: Attempt
    candidate: Candidate
    reader: Reader
    replicas: Replicas
    journal: Journal
    now: Callable[[], int]
    large: LargeWriter | None = None
    look_again: Callable[[Origin], None] = lambda _origin: None
    wrote: bool = False
    looked: set[Origin] = field(default_factory=set)
    copied: dict[Origin, None] = field(default_factory=dict)
    overtaken: tuple[Origin, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)
    marker: str = ""

    @property
    def pair(self) -> Pair:
        """The pair whose journal entry is read and settled."""
        return self.attempt.pair

    def run(self, memory: Memory) -> Result:
        """Return the result; trouble is a result too. `memory` must be read before any other fact."""
        try:
            result = self._until_settled(memory)
        except Temporary as trouble:
            result = self._result(Status.PENDING, trouble.reason, trouble.detail).with_outcome(side=trouble.side)
            result = result.with_trail(reported=trouble.reason is Reason.PARTS_UNDER_WAY)
        except Permanent as trouble:
            midway = self.wrote or trouble.reason is Reason.CHECKSUM
            result = self._result(Status.FAILED, trouble.reason, trouble.detail).with_trail(midway=midway)
            result = result.with_outcome(side=trouble.side)
        return result.with_trail(in_parts=self.large is not None and self.large.may_have_uploads(self.attempt.change))

    def dry_run(self, memory: Memory) -> tuple[Facts, Decided]:
        """Return the facts and the decision, and execute nothing. Raises Temporary or Permanent."""
        return self._decide(self._facts(memory))

    def _until_settled(self, memory: Memory) -> Result:
        facts = self._facts(memory)
        conflicts = 0
        while conflicts < MOST_TRIES:
            conflicts += 1
            try:
                if result := self._attempt(facts):
                    return result
            except UploadCompleted:
                self.wrote = True
                conflicts -= 1  # no conflict, but its place in the history must be read
            except Conflict:
                pass  # the facts are out of date: read them again
            self.overtaken = tuple(self.copied)
            facts = replace(facts, memory=self.journal.read(self.pair), repeated=True)
        raise Temporary(Reason.CONTENTION, "other writes to the same key came first, several times")

    def _facts(self, memory: Memory) -> Facts:
        rule = self.candidate.select({})
        return Facts(
            self.attempt,
            memory,
            markers=rule is not None and rule.delete_markers,
            repeated=self.attempt.repeated,
            large=self.large.multipart.large if self.large else None,
        )

    def _attempt(self, facts: Facts) -> Result | None:
        """Decide once and act. Return None if the change must be decided again.

        It must be if another handler settled the key in the meantime, or if the change's own version is gone and steps
        were executed all the same.
        """
        facts, decision = self._decide(facts)
        if isinstance(decision, Finish):
            if self._may_have_written(facts, decision) and not self._warn_others(facts.memory):
                return None
            finished = self._result(decision.status, decision.reason, decision.detail)
            return finished.with_trail(reported=decision.status is Status.COMPLETED)
        after = self._copy_fast(facts, decision) if isinstance(decision, FastCopy) else self._execute(facts, decision)
        if isinstance(decision, Plan) and decision.gone:
            return None
        result = self._settle(facts.memory, after)
        return self._with_companions(result, decision) if result and isinstance(decision, Plan) else result

    def _decide(self, facts: Facts) -> tuple[Facts, Decided]:
        """Read what the decision asks for, until nothing is missing."""
        decision = decide(facts)
        while isinstance(decision, Need):
            facts = self.reader.read(facts, decision)
            decision = decide(facts)
        return facts, decision

    def _copy_fast(self, facts: Facts, decision: FastCopy) -> Memory:
        top = facts.memory.top
        position = Position(decision.guard, onto=top.version_id if top else "")
        replica = self._write(decision.copy, position)
        return after_fast_copy(facts.memory, facts.change, replica, self.given)

    def _execute(self, facts: Facts, plan: Plan) -> Memory:
        top, entry, last = plan.top, plan.top_entry, len(plan.steps)
        self.marker = plan.marker
        position = Position(plan.guard, last == 1, entry.version_id if entry else "", entry.modified if entry else 0)
        for number, step in enumerate(plan.steps, 1):
            top = self._execute_step(step, position)
            onto = top.version_id if top else "a delete marker"
            position = Position(Guard(top.etag if top else ""), number + 1 == last, onto, JUST_NOW)
        if self.large and plan.own_replica:
            self._copy_annotations(self.large, plan.own_replica)
        self._look_again(plan)
        return after_plan(facts.memory, facts.change, top, plan.present, self.marker)

    def _look_again(self, plan: Plan) -> None:
        """Look again at versions with several replicas: those of the source first, which may have to wait for a lease.

        Others are asked of another stack, which must not be repeated each time that this waits, nor without a write.
        What was copied before another handler settled the key may have been copied by that one, too.
        """
        doubled = dict.fromkeys((*plan.doubled, *self.overtaken))
        for origin in sorted(doubled, key=lambda each: each.bucket != self.pair.source):
            if plan.steps or origin not in self.looked:
                self.look_again(origin)
                self.looked.add(origin)

    def _execute_step(self, step: Step, position: Position) -> Replica | None:
        if isinstance(step, MarkDeleted):
            self._check_may_write()
            self.marker = self.replicas.mark_deleted(self.pair.key, position.guard)
            self.wrote = True
            return None
        return self._write(step, position)

    def _write(self, step: CopyVersion | PutBack, position: Position) -> Replica:
        found, copy = self._compose(step)
        try:
            replica = self._write_copy(step, found, copy, position)
        except Permanent as trouble:
            if copy.bucket != self.pair.source:
                raise
            raise name_side(trouble, self.reader.source.objects, copy.key, copy.version_id) from trouble
        if isinstance(step, CopyVersion):
            if step.version_id != self.attempt.change.version_id:  # of that one, the plan sees what there is
                self.copied[copy.origin] = None
            if self.candidate.needs_tags:
                self._follow_tags(found, copy)
        return replica

    def _follow_tags(self, found: StoredVersion, copy: Copy) -> None:
        """Look again at a version whose tags changed while it was copied.

        If they match no rule any more, whoever handled that change found neither a rule nor a replica, and is done.
        """
        try:
            tags = self.reader.source.objects.tags(copy.key, copy.version_id)
        except Permanent as trouble:
            if trouble.reason is not Reason.SRC_VERSION_NOT_FOUND:
                raise
            return  # deleted since
        if tag_state(tags) != tag_state(found.tags):
            self.look_again(copy.origin)

    def _check_may_write(self) -> None:
        check_may_write(self.attempt.delivery, self.now())

    def _write_copy(self, step: CopyVersion | PutBack, found: StoredVersion, copy: Copy, position: Position) -> Replica:
        self._check_may_write()
        preserve = self._preserves(step)
        if self.large and self.large.copies_in_parts(found.head, preserve=preserve):
            rule_id = step.rule.id if isinstance(step, CopyVersion) else ""
            self.large.write(LargeWrite(copy, position, rule_id, preserve, self._show_pending))
        written = self.replicas.copy(copy, position.guard)
        self.wrote, self.given = True, given_by(copy)
        check_faithful(copy, written)
        self.reader.marks.learn(Ref(self.pair.destination, written.version_id), self.pair.key, copy.origin)
        return Replica(written.version_id, written.etag, copy.origin)

    def _show_pending(self, detail: str) -> None:
        """Record the change as PENDING in the journal, before its part messages are sent."""
        outcome = self._outcome(Status.PENDING, Reason.PARTS_UNDER_WAY, detail)
        self.journal.wait(self.pair, Waiting.of(self.attempt, outcome, self.now()))

    def _preserves(self, step: CopyVersion | PutBack) -> bool:
        """Return whether the replica must keep the source's ETag, and so its part boundaries."""
        rules = (step.rule,) if isinstance(step, CopyVersion) else self.candidate.rules
        return any(rule.preserve_etag for rule in rules)

    def _copy_annotations(self, large: LargeWriter, version_id: str) -> None:
        """Copy the annotations that are missing if an earlier handler crashed after the version was written."""
        found = self.reader.source.known(self.attempt.change.version_id)
        rule = self.candidate.select(found.tags) if found else None
        if found and rule and large.copies_in_parts(found.head, preserve=rule.preserve_etag):
            source = CopySource(self.pair.source, self.pair.key, found.head.version_id, found.head.etag)
            large.copy_annotations(source, version_id)

    def _compose(self, step: CopyVersion | PutBack) -> tuple[StoredVersion, Copy]:
        side = self.reader.source if isinstance(step, CopyVersion) else self.reader.destination
        found = side.get(step.version_id)
        if not isinstance(found, StoredVersion):
            raise Conflict(step.version_id)  # deleted since it was planned
        if isinstance(step, CopyVersion):
            proposed = self.reader.propose(found, step.rule)
            proposed = replace(proposed, origin=replace(proposed.origin, undoes=step.undoes))
            return found, compose(proposed, found.grants)
        if found.head.is_archived:
            return self._compose_from_source(step)
        site = Site(self.pair.destination, self.pair.key, self.now() // 1000)
        return found, put_back(found, step.origin, self.attempt.target, site)

    def _compose_from_source(self, step: PutBack) -> tuple[StoredVersion, Copy]:
        """Put an archived replica back by copying its native version again: S3 copies nothing that is archived."""
        native = self.reader.read_native(step.origin)
        if native is None:
            detail = (
                f"{step.version_id} must be current again, is archived, and cannot be copied from {self.pair.source}"
            )
            raise Permanent(Reason.SRC_NOT_ELIGIBLE, detail)
        found, rule = native
        return found, compose(replace(self.reader.propose(found, rule), origin=step.origin), found.grants)

    def _settle(self, before: Memory, after: Memory) -> Result | None:
        """Write the journal's entry; None if another handler settled the key in the meantime."""
        change, now = self.attempt.change, self.now()
        reported = before.has_settled(change)
        completed = before.completed_at(change) if reported else now
        result = self._result(Status.COMPLETED, None, completed=completed).with_trail(reported=reported)
        outcome, attempts = result.outcome, self.attempt.delivery.receive_count
        note = Note(outcome.rule_id, outcome.size, change.time, attempts, completed or now)
        return result if self.journal.settle(self.pair, before, after, note) else None

    def _may_have_written(self, facts: Facts, finish: Finish) -> bool:
        """Return whether a replica was written that the journal does not know of, by this delivery or an earlier one.

        Of a version that is gone by now: its parts were copied, and its upload is completed.
        """
        is_gone = finish.reason is Reason.SRC_VERSION_NOT_FOUND
        return self.wrote or (is_gone and facts.histories is not None and bool(facts.histories.destination))

    def _warn_others(self, memory: Memory) -> bool:
        """Let handlers that read the destination before that decide again; False if one settled the key meanwhile."""
        now = self.now()
        note = Note("", 0, self.attempt.change.time, self.attempt.delivery.receive_count, now)
        return self.journal.settle(self.pair, memory, after_unsettled(memory), note)

    def _with_companions(self, result: Result, plan: Plan) -> Result:
        """Add the results of other versions that the plan copied; their own events will find them done."""
        own, now = self.attempt.change.version_id, self.now()
        copies = [step for step in plan.steps if isinstance(step, CopyVersion) and step.version_id != own]
        return replace(result, companions=tuple(self._companion(step, now) for step in copies))

    def _companion(self, step: CopyVersion, completed: int) -> Result:
        found = self.reader.source.known(step.version_id)
        modified, size = (found.head.modified, found.head.size) if found else (0, 0)
        time = modified * 1000
        change = replace(self.attempt.change, kind=ChangeKind.CREATED, version_id=step.version_id, time=time, size=size)
        outcome = Outcome(
            Status.COMPLETED,
            rule_id=step.rule.id,
            destination=self.pair.destination,
            origin=Origin(self.pair.source, step.version_id, modified),
            size=size,
            latency_ms=max(0, completed - time) if found else 0,
            threshold_ms=self.attempt.threshold_under(step.rule),
        )
        return Result(Attempt(change, Delivery(), self.attempt.target), outcome)

    def _result(self, status: Status, reason: Reason | None, detail: str = "", completed: int = 0) -> Result:
        return Result(self.attempt, self._outcome(status, reason, detail, completed))

    def _outcome(self, status: Status, reason: Reason | None, detail: str = "", completed: int = 0) -> Outcome:
        change = self.attempt.change
        found = self.reader.source.known(change.version_id)
        rule = self.candidate.select(found.tags if found else {})
        return Outcome(
            status,
            reason,
            detail,
            rule_id=rule.id if rule else "",
            destination=self.pair.destination,
            origin=Origin(self.pair.source, change.version_id, found.head.modified if found else change.time // 1000),
            size=found.head.size if found else change.size,
            latency_ms=max(0, completed - change.time) if completed else 0,
            threshold_ms=self.attempt.threshold_under(rule),
        )
