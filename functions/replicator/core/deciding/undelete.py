"""A delete marker was removed at the source: the version below it is shown again there, and then at the destination.

Separate from the plan, which never puts a version above a marker that wins over it. The destination's marker stays in
its history: a copy goes on top, and nothing is ever removed.
"""

from dataclasses import replace

from replicator.core.deciding.actions import CopyVersion, Decision, Finish, Need, Plan, PutBack, Step
from replicator.core.deciding.copy import Guard
from replicator.core.deciding.facts import Facts
from replicator.core.deciding.standing import Standing, Unread
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.rules.rule import Rule
from replicator.core.versions.change import Change
from replicator.core.versions.version import Entry

CONFIRMED = "ObjectRemoved:DeleteConfirmed"
"""The name of our own message in which the stack that wrote a delete marker confirms that it was one."""
NOTHING = Finish(Status.SKIPPED, Reason.KIND_NOT_REPLICATED, "permanent deletions are never replicated")


def is_confirmed(change: Change) -> bool:
    """Return whether the other side's stack says that the removed entry was its delete marker."""
    return bool(change.seen_at) and change.name == CONFIRMED


def decide_removal(facts: Facts) -> Decision:
    """Decide about an entry that was removed for good.

    Its event does not say whether it was a delete marker. It was one that matters if the destination still shows the
    marker that stands for one of the source, and the source shows a version.
    """
    confirmed = is_confirmed(facts.change)
    if not facts.markers or not (facts.memory.marker or confirmed):
        return NOTHING
    if facts.change.seen_at and not confirmed:
        return NOTHING  # a question of the other side
    if facts.histories is None:
        return Need(histories=True)
    source, destination = facts.histories.source, facts.histories.destination
    top, shown = destination[-1] if destination else None, source[-1] if source else None
    stands = top is not None and not top.is_version and (confirmed or top.version_id == facts.memory.marker)
    if not stands or shown is None or not shown.is_version:
        return NOTHING
    try:
        step = _step(facts, Standing(facts, source, destination), shown)
    except Unread as unread:
        return unread.need
    return _plan(step, top) if step else NOTHING


def _plan(step: Step, top: Entry | None) -> Plan:
    """Return a plan of one step. What is put back has another replica, and may be out of date by then."""
    doubled = (replace(step.origin, undoes=False),) if isinstance(step, PutBack) else ()
    return Plan((step,), Guard(), None, (), top_entry=top, doubled=doubled)


def _step(facts: Facts, standing: Standing, shown: Entry) -> Step | None:
    (origin,) = standing.source_origins([shown])
    there = [entry for entry in standing.destination if entry.is_version]
    for entry, other in zip(reversed(there), reversed(standing.destination_origins(there)), strict=True):
        if other == origin:
            undoing = replace(origin, undoes=True)
            return PutBack(entry.version_id, undoing, "its delete marker was removed at the source")
    if origin.bucket != facts.pair.source or not standing.selected([shown]):
        return None
    rule = facts.verdicts[shown.version_id]
    return CopyVersion(shown.version_id, rule, "its delete marker was removed") if isinstance(rule, Rule) else None
