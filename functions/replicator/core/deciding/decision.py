"""The decision: facts in, actions out.

    refused or settled -> Finish;  in order and simple -> FastCopy;  everything else -> Plan

`decide` is one pure function. Live events, retries, redriven failures, batch tasks and `explain` all call it, so they
can never disagree. It never guesses: if a fact is missing, it returns Need.
"""

from replicator.core.deciding.actions import CopyVersion, Decision, FastCopy, Finish, Need
from replicator.core.deciding.copy import Guard
from replicator.core.deciding.eligibility import Refusal
from replicator.core.deciding.facts import ABSENT, Facts, Ref, Verdict
from replicator.core.deciding.plan import finish_gone, make_plan
from replicator.core.deciding.undelete import decide_removal
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.rules.rule import Rule
from replicator.core.versions.change import Aspect, ChangeKind
from replicator.core.versions.origin import NULL_VERSION
from replicator.core.versions.version import Head


def decide(facts: Facts) -> Decision:
    """Return what to do about one change at one destination, or which facts must be read first."""
    if facts.memory.has_settled(facts.change) and not facts.repeated:
        return Finish(Status.COMPLETED)
    if not facts.change.is_replicated:
        return Finish(Status.SKIPPED, Reason.KIND_NOT_REPLICATED, f"{facts.change.kind}: {facts.change.name}")
    match facts.change.aspect:
        case Aspect.CONTENT:
            return _decide_content(facts)
        case Aspect.MARKER:
            return _decide_marker(facts)
        case Aspect.REMOVAL:
            return decide_removal(facts)
    raise NotImplementedError(f"no decision for {facts.change.aspect}, although it is replicated")


def _decide_content(facts: Facts) -> Decision:
    version_id = facts.change.version_id
    ref = Ref(facts.pair.source, version_id)
    if version_id not in facts.verdicts or ref not in facts.marks:
        return Need(verdicts=frozenset({version_id}))
    verdict = facts.verdicts[version_id]
    if refusal := _refuse(facts, ref, verdict):
        return refusal
    if isinstance(verdict, Rule) and is_in_order(facts):
        return _copy_in_order(facts, verdict)
    return make_plan(facts)


def _decide_marker(facts: Facts) -> Decision:
    if not facts.markers:
        return Finish(Status.SKIPPED, Reason.MARKERS_NOT_SELECTED, "the rule's DeleteMarkerReplication is not enabled")
    if not facts.versioned:
        return Finish(Status.FAILED, Reason.DST_UNVERSIONED, "unversioned, a delete marker could destroy an object")
    if facts.change.by_s3:
        return _decide_marker_by_s3(facts)
    return make_plan(facts)


def _decide_marker_by_s3(facts: Facts) -> Decision:
    """Skip a delete marker that S3's own replication brought back from the destination.

    Nothing but its id shows where it comes from, and what follows it there may not have come back yet.
    """
    if facts.histories is None:
        return Need(histories=True)
    if any(entry.version_id == facts.change.version_id for entry in facts.histories.destination):
        return Finish(Status.SKIPPED, Reason.REPLICA, "a delete marker of the destination, by S3's own replication")
    return make_plan(facts)


def _refuse(facts: Facts, ref: Ref, verdict: Verdict) -> Decision | None:
    if verdict is ABSENT:
        return finish_gone(facts)
    if facts.marks[ref] is not None:
        return Finish(Status.SKIPPED, Reason.REPLICA, f"a replica of {facts.marks[ref]}")
    if isinstance(verdict, Refusal):
        return Finish(verdict.status, verdict.reason, verdict.detail)
    return None


def is_in_order(facts: Facts) -> bool:
    """Return whether the version may be copied on top without reading histories.

    It must be newer than all settled changes, and the top must be a replica of the source. Never a null version: that
    id may name a newer version by now. Never a multipart upload over something else: S3 inserts it into the history
    where the upload began, but sends its event when it is completed.
    """
    memory = facts.memory
    return (
        facts.change.kind is ChangeKind.CREATED
        and facts.change.version_id != NULL_VERSION
        and not facts.repeated
        and facts.histories is None
        and (memory.generation == 0 or not facts.change.is_multipart)
        and memory.is_in_order(facts.change)
        and (memory.generation == 0 or (memory.top is not None and memory.top.origin.bucket == facts.pair.source))
    )


def _copy_in_order(facts: Facts, rule: Rule) -> Decision:
    """Copy on top of what the journal remembers; two-way, only if a HEAD confirms that it is still on top."""
    top = facts.memory.top
    if facts.two_way:
        if facts.top is None:
            return Need(top=True)
        there = facts.top.version_id if isinstance(facts.top, Head) else facts.top
        if there != (top.version_id if top else ABSENT):
            return make_plan(facts)
    copy = CopyVersion(facts.change.version_id, rule, "the newest change of its key")
    return FastCopy(copy, Guard(top.etag if top else ""))
