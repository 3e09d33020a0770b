"""Which side's state of a field stands: each line of the table, and what keeps a lock from ever getting weaker."""

from dataclasses import replace

import pytest
from replicator.core.aspects.base import MOST, Base, agreed
from replicator.core.aspects.merge import Powers, Settled, Sides, settle
from replicator.core.aspects.state import EVENT_HOLD, LEGAL_HOLD, NO_HOLD, RETENTION, TAGS, digest
from replicator.core.versions.change import Aspect

OLD, NEW, OTHER = "old", "new", "other"
SOURCE, REPLICA = Powers(now=1), Powers(from_replica=True, now=1)
BASE = agreed(OLD)
INTENDED = BASE.with_intent(NEW, NEW, (OLD,), to_source=False)
"""A handler that found a new value at the source recorded it, and crashed before or after writing the replica."""
INTENDED_BACK = BASE.with_intent(NEW, OLD, (NEW,), to_source=True)
"""The same in the other direction."""

Row = tuple[Base, str, tuple[str, ...], Powers, str, tuple[str, ...]]
TABLE: dict[str, Row] = {
    # base, source, replicas, powers -> source, replicas
    "equal": (BASE, NEW, (NEW,), SOURCE, NEW, (NEW,)),
    "the source changed": (BASE, NEW, (OLD,), SOURCE, NEW, (NEW,)),
    "the source changed, seen at the replica": (BASE, NEW, (OLD,), REPLICA, NEW, (NEW,)),
    "the replica changed, seen there": (BASE, OLD, (NEW,), REPLICA, NEW, (NEW,)),
    "the replica changed, seen at the source": (BASE, OLD, (NEW,), SOURCE, OLD, (NEW,)),
    "both changed": (BASE, NEW, (OTHER,), SOURCE, NEW, (NEW,)),
    "both changed, seen at the replica": (BASE, NEW, (OTHER,), REPLICA, NEW, (NEW,)),
    "no base, seen at the source": (Base(), NEW, (OLD,), SOURCE, NEW, (NEW,)),
    "no base, seen at the replica": (Base(), OLD, (NEW,), REPLICA, NEW, (NEW,)),
    "two replicas follow": (BASE, NEW, (OLD, OLD), SOURCE, NEW, (NEW, NEW)),
    "one of two replicas changed": (BASE, OLD, (OLD, NEW), REPLICA, NEW, (NEW, NEW)),
    "one of two replicas changed, one way": (BASE, OLD, (NEW, OLD), SOURCE, OLD, (NEW, OLD)),
    "crashed before the write": (INTENDED, NEW, (OLD,), SOURCE, NEW, (NEW,)),
    "crashed before the write, seen at the replica": (INTENDED, NEW, (OLD,), REPLICA, NEW, (NEW,)),
    "crashed after the write, then the replica changed": (INTENDED, NEW, (OTHER,), REPLICA, OTHER, (OTHER,)),
    "crashed after the write, then the source got its old value again": (INTENDED, OLD, (NEW,), SOURCE, OLD, (OLD,)),
    "crashed before the write back": (INTENDED_BACK, OLD, (NEW,), REPLICA, NEW, (NEW,)),
    "crashed before the write back, seen at the source": (INTENDED_BACK, OLD, (NEW,), SOURCE, OLD, (NEW,)),
    "crashed after the write back, then the source changed": (INTENDED_BACK, OTHER, (NEW,), REPLICA, OTHER, (OTHER,)),
    "crashed after the write back, then the replica changed": (INTENDED_BACK, NEW, (OTHER,), REPLICA, OTHER, (OTHER,)),
}  # fmt: skip


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_a_field_is_settled_by_who_changed_it(row: Row) -> None:
    base, source, replicas, powers, source_then, replicas_then = row
    assert settle(Aspect.TAGS, TAGS, Sides(source, replicas, base), powers) == Settled(source_then, replicas_then)


@pytest.mark.parametrize(
    ("powers", "settled"),
    [(REPLICA, Settled(OTHER, (OTHER, OTHER))), (SOURCE, Settled(NEW, (NEW, OTHER)))],
    ids=["seen at the replica", "seen at the source"],
)
def test_who_changed_a_replica_that_was_written_with_the_sources_new_value_has_seen_that(
    powers: Powers, settled: Settled
) -> None:
    sides = Sides(NEW, (OLD, OTHER), BASE, ((digest(OLD),), (digest(NEW),)))
    assert settle(Aspect.TAGS, TAGS, sides, powers) == settled


def test_a_base_forgets_the_oldest_of_many_intents() -> None:
    base = BASE
    for number in range(2 * MOST):
        base = base.with_intent(str(number), str(number), (OLD,), to_source=False)
    assert len(base.replica) == MOST
    assert base.replica[-1] == base.wanted == digest(str(2 * MOST - 1))


# Object Lock

SOON, LATE = "2030-01-01T00:00:00+00:00", "2031-01-01T00:00:00+00:00"
PAST = "2000-01-01T00:00:00+00:00"
NOW = replace(SOURCE, now=1_750_000_000)
NOW_THERE = replace(REPLICA, now=1_750_000_000)

NONE, SOON_END, LATE_END, STRICT = ("", ""), ("GOVERNANCE", SOON), ("GOVERNANCE", LATE), ("COMPLIANCE", SOON)
End = tuple[str, str]
RETENTIONS: dict[str, tuple[End, End, Powers, End, End]] = {
    # source, replica, powers -> source, replica
    "the source's ends later": (LATE_END, SOON_END, NOW, LATE_END, LATE_END),
    "the replica has none": (SOON_END, NONE, NOW, SOON_END, SOON_END),
    "the replica's ends later": (SOON_END, LATE_END, NOW, SOON_END, LATE_END),
    "the replica's ends later, seen there":
        (SOON_END, LATE_END, NOW_THERE, LATE_END, LATE_END),
    "the source's was lifted": (NONE, SOON_END, NOW, NONE, SOON_END),
    "the source's ended": (("GOVERNANCE", PAST), NONE, NOW, ("GOVERNANCE", PAST), NONE),
    "the source's is stricter": (STRICT, SOON_END, NOW, STRICT, STRICT),
    "the replica's is stricter": (SOON_END, STRICT, NOW, SOON_END, STRICT),
}  # fmt: skip


@pytest.mark.parametrize("row", RETENTIONS.values(), ids=RETENTIONS)
def test_a_retention_is_only_ever_extended(row: tuple[End, End, Powers, End, End]) -> None:
    source, replica, powers, source_then, replica_then = row
    settled = settle(Aspect.LOCK, RETENTION, Sides(source, (replica,)), powers)
    assert settled == Settled(source_then, (replica_then,))


def test_a_legal_hold_is_lifted_only_where_the_base_knows_that_it_came_from_the_other_side() -> None:
    known, unknown = agreed(value=True), Base()
    assert settle(Aspect.LOCK, LEGAL_HOLD, Sides(False, (True,), known), SOURCE).replicas == (False,)
    assert settle(Aspect.LOCK, LEGAL_HOLD, Sides(False, (True,), unknown), SOURCE).replicas == (True,)
    assert settle(Aspect.LOCK, LEGAL_HOLD, Sides(True, (False,), unknown), REPLICA).source is True


def test_an_event_hold_is_carried_with_its_duration_and_released_only_where_it_came_from() -> None:
    hold = ("GOVERNANCE", 30, 0)
    assert settle(Aspect.LOCK, EVENT_HOLD, Sides(hold, (NO_HOLD,), Base()), SOURCE).replicas == (hold,)
    assert settle(Aspect.LOCK, EVENT_HOLD, Sides(NO_HOLD, (hold,), Base()), SOURCE).replicas == (hold,)
    assert settle(Aspect.LOCK, EVENT_HOLD, Sides(NO_HOLD, (hold,), agreed(hold)), SOURCE).replicas == (NO_HOLD,)


# Annotations


def test_an_annotation_that_was_deleted_stays_on_the_other_side_unless_deletions_are_replicated() -> None:
    deleted = Sides(None, ("etag",), agreed("etag"))
    assert settle(Aspect.ANNOTATIONS, "note", deleted, SOURCE).replicas == ("etag",)
    assert settle(Aspect.ANNOTATIONS, "note", deleted, replace(SOURCE, removes=True)).replicas == (None,)


def test_an_unknown_annotation_is_removed_only_for_the_event_of_a_deletion() -> None:
    unknown, removes = Sides(None, ("etag",)), replace(SOURCE, removes=True)
    assert settle(Aspect.ANNOTATIONS, "note", unknown, removes).replicas == ("etag",)
    assert settle(Aspect.ANNOTATIONS, "note", unknown, replace(removes, deletion=True)).replicas == (None,)


def test_a_deletion_reaches_a_replica_that_was_put_back_with_what_both_had_before() -> None:
    """A look finds it there: its own event came, and was done, before it was put back."""
    base = replace(agreed(None), past=(digest("etag"),))
    late = Sides(None, ("etag", None), base, born=((digest("etag"),), ()))
    look = Powers(removes=True, names_side=False)
    assert settle(Aspect.ANNOTATIONS, "note", late, look).replicas == (None, None)
    assert settle(Aspect.ANNOTATIONS, "note", late, replace(look, removes=False)).replicas == ("etag", None)


def test_an_annotation_of_the_replica_goes_to_the_source_only_if_it_was_seen_there() -> None:
    assert settle(Aspect.ANNOTATIONS, "note", Sides(None, ("etag",)), SOURCE).source is None
    assert settle(Aspect.ANNOTATIONS, "note", Sides(None, ("etag",)), REPLICA).source == "etag"
