"""A later change of a version at one destination: lease -> look at the version and its replicas -> result.

Events of later changes carry no order, and perhaps no version id: they mean "look again". S3 guards none of the writes,
so whoever makes them holds the lease of the pair, for longer than a function can live: a late write of an overtaken
handler would undo what a user changed since, and nothing would show it.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from replicator.core.deciding.attempt import check_may_write
from replicator.core.deciding.journal import Memory
from replicator.core.deciding.result import Result
from replicator.core.outcomes.outcome import Outcome, Permanent, Reason, Side, Status, Temporary
from replicator.core.versions.change import UNNAMED, Aspect
from replicator.core.versions.origin import NULL_VERSION
from replicator.flows.amend.ending import Done, Ending, Looked, Scene, Skipped, not_carried
from replicator.flows.amend.replicas import make_look
from replicator.flows.amend.simple import is_simple, write_simply
from replicator.flows.amend.sync import Step

LEASE_MS = 160_000
"""Longer than a function can live: 120 s."""
MARGIN_MS = 30_000
"""How long a write may take. None is begun when the lease ends sooner."""


@dataclass(slots=True)
class Amender:
    """Carries a later change over to one destination.

    copy: replicates a version that has no replica. elsewhere: the rules name other destinations, too. copied: results
    of versions that it copied.
    """

    scene: Scene
    copy: Callable[[str], Result]
    elsewhere: bool = False
    copied: list[Result] = field(default_factory=list)

    def run(self) -> Result:
        """Return the result; trouble is a result too."""
        try:
            return self._finish([self._amend(version_id) for version_id in self._version_ids()])
        except Temporary as trouble:
            result = self._result(Status.PENDING, trouble.reason, trouble.detail)
            return result.with_outcome(side=trouble.side)
        except Permanent as trouble:
            result = self._result(Status.FAILED, trouble.reason, trouble.detail)
            return result.with_outcome(side=trouble.side)

    def look_again(self) -> None:
        """Look at the version, and copy nothing. Raises Temporary or Permanent."""
        self._with_lease(self.scene.attempt.change.version_id)

    def examine(self) -> tuple[Step, ...]:
        """Return what the version and its replicas have, and what would be written. Takes no lease, writes nothing.

        Raises Temporary or Permanent.
        """
        scene = self.scene
        return make_look(scene, scene.journal.read(scene.pair), lambda: None).examine(scene.attempt.change.version_id)

    def _version_ids(self) -> list[str]:
        """Return the versions to look at: the one that the event names, else all of the key, the newest first."""
        change = self.scene.attempt.change
        if change.version_id != UNNAMED:
            return [change.version_id]
        history = self.scene.reader.source.objects.history(change.key)
        return [entry.version_id for entry in reversed(history) if entry.is_version]

    def _finish(self, endings: list[Ending]) -> Result:
        """Return the result of a change. What found everything as it must be was counted by whoever did that.

        What was written to the version itself must reach its replicas elsewhere, too: their destinations look again.
        """
        change = self.scene.attempt.change
        skipped = [each for each in endings if isinstance(each, Skipped)]
        if len(skipped) == len(endings):
            last = skipped[-1] if skipped else Skipped(Reason.SRC_OBJECT_NOT_FOUND, "the key has no versions any more")
            return self._result(Status.SKIPPED, last.reason, last.detail)
        if change.seen_at and self.elsewhere:
            self.scene.forwarding.send("", replace(change, seen_at=""))
        result = self._result(Status.COMPLETED, None, completed=self.scene.now())
        if Looked.WROTE not in endings:
            return result.with_trail(reported=True)
        return replace(result, companions=tuple(self.copied))

    def _amend(self, version_id: str) -> Ending:
        if not self.scene.aspects(self.scene.rule({})):
            return not_carried()
        if of_replica := self._of_replica(version_id):
            return of_replica
        ending, _, itself = self._with_lease(version_id)
        if self.scene.attempt.change.aspect is Aspect.STATE:
            return _looked_only(ending)
        if ending is Looked.NOT_COPIED:
            return self._copy(version_id, itself or version_id)
        if isinstance(ending, Looked) and self.scene.attempt.delivery.came_back:
            # An earlier delivery may have copied the version, and crashed before it put the winner back on top.
            self._check_copied(self.copy(itself or version_id).outcome)
        return ending

    def _of_replica(self, version_id: str) -> Ending | None:
        """Return the ending if it is a replica that a listening destination's stack owns: it needs no lease.

        Elsewhere a HEAD could be one request too many. A null version would be asked for twice.
        """
        if not self.scene.attempt.target.listens or version_id == NULL_VERSION:
            return None
        return make_look(self.scene, Memory(), lambda: None).of_replica(version_id)

    def _copy(self, version_id: str, itself: str) -> Ending:
        """Copy a version, then look at it: it may have been copied from what was out of date a moment later.

        What was changed may be a replica in the version's own bucket: then that is looked at again.
        """
        copied = self.copy(itself)
        skipped = self._check_copied(copied.outcome)
        if skipped:
            return skipped
        if not copied.trail.reported:
            self.copied += [replace(copied, companions=()), *copied.companions]
        ending = self._with_lease(version_id).ending
        if ending is Looked.NOT_COPIED:
            raise Permanent(Reason.DST_VERSION_NOT_FOUND, "its replica was deleted at once", Side.DESTINATION)
        return Looked.WROTE if ending is Looked.EQUAL and not copied.trail.reported else ending

    def _check_copied(self, outcome: Outcome) -> Skipped | None:
        """Return why a version is not copied; None if it was. Raises Temporary or Permanent as the copy did."""
        reason = outcome.reason or Reason.UNKNOWN
        if outcome.status is Status.FAILED:
            raise Permanent(reason, outcome.detail, outcome.side)
        if outcome.status is Status.PENDING:
            # Its part messages complete the version, but they do not look at what has changed since it was begun.
            waits = Reason.NOT_COPIED if reason is Reason.PARTS_UNDER_WAY else reason
            raise Temporary(waits, f"its version is not copied yet: {outcome.detail}", outcome.side)
        return Skipped(reason, outcome.detail) if outcome.status is Status.SKIPPED else None

    def _with_lease(self, version_id: str) -> Done:
        """Look at a version while nobody else changes anything of the pair. Raises Temporary or Permanent."""
        scene, now, delivery = self.scene, self.scene.now(), self.scene.attempt.delivery
        holder, until = f"{delivery.message}/{delivery.receive_count}/{version_id}/{now}", now + LEASE_MS
        memory = scene.journal.lease(scene.pair, holder, now, until)
        if memory is None:
            raise Temporary(Reason.BUSY, "another function is changing replicas of the same key")
        try:
            done = self._look_if_there(version_id, memory, until)
        except Exception:  # not whatever ends the function: then the lease ends by itself
            self._release(holder, memory, None)
            raise
        self._release(holder, memory, done.given)
        return done

    def _release(self, holder: str, memory: Memory, given: Mapping[str, str] | None) -> None:
        with suppress(Temporary, Permanent):  # the lease ends by itself
            self.scene.journal.release(self.scene.pair, holder, memory, self.scene.now(), given)

    def _look_if_there(self, version_id: str, memory: Memory, until: int) -> Done:
        try:
            return self._look(version_id, memory, until)
        except Permanent as trouble:
            if trouble.reason is not Reason.SRC_VERSION_NOT_FOUND:
                raise
            return Done(Skipped(trouble.reason, "the version was deleted"))

    def _look(self, version_id: str, memory: Memory, until: int) -> Done:
        def check() -> None:
            """Raise Temporary if nothing may be written any more."""
            now = self.scene.now()
            check_may_write(self.scene.attempt.delivery, now)
            if now > until - MARGIN_MS:
                raise Temporary(Reason.TIMED_OUT, "there was no time left to write")

        if is_simple(self.scene, version_id, memory):
            return write_simply(self.scene, version_id, memory, check)
        return make_look(self.scene, memory, check).at(version_id)

    def _result(self, status: Status, reason: Reason | None, detail: str = "", completed: int = 0) -> Result:
        attempt = self.scene.attempt
        rule = self.scene.rule({})
        outcome = Outcome(
            status,
            reason,
            detail,
            rule_id=rule.id,
            destination=attempt.target.bucket,
            origin=attempt.origin,
            size=attempt.change.size,
            latency_ms=max(0, completed - attempt.change.time) if completed else 0,
            threshold_ms=attempt.threshold_under(rule),
        )
        return Result(attempt, outcome)


def _looked_only(ending: Ending) -> Ending:
    """Return the ending of a message of ours: it copies nothing, and so leaves nothing half done, nor asks for looks.

    Otherwise two stacks could ask each other for ever.
    """
    if ending is Looked.NOT_COPIED:
        return Skipped(Reason.NOT_COPIED, "it is copied by its own change")
    return ending
