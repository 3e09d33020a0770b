"""A delete marker that is removed at the source is undone at the destination, by a copy on top and nothing else."""

import pytest
from replicator.core.outcomes.outcome import Reason, Status, Temporary

from tests.fakes.queue import QueuedMessage
from tests.fakes.rules import rule
from tests.fakes.stored import Stored
from tests.flows.stage import EAST, WEST, Killed, Stage

MARKERS = rule(WEST, rule_id="all", delete_markers=True)


def deleted() -> tuple[Stage, Stored, Stored]:
    """Return a stage where a version and then its delete marker were replicated."""
    stage = Stage([MARKERS])
    version = stage.put()
    stage.deliver_all()
    marker = stage.s3.delete(EAST, "k")
    stage.deliver_all()
    assert marker is not None
    assert not is_shown(stage)
    return stage, version, marker


def is_shown(stage: Stage) -> bool:
    top = stage.s3.buckets[WEST].current("k")
    return top is not None and top.is_version


def remove(stage: Stage, version_id: str) -> None:
    stage.s3.destroy(EAST, "k", version_id)
    stage.deliver_all()


def test_a_marker_that_is_removed_is_undone_by_a_copy_on_top() -> None:
    stage, version, marker = deleted()
    before = list(stage.s3.buckets[WEST].history("k"))
    remove(stage, marker.version_id)
    after = stage.s3.buckets[WEST].history("k")
    assert after[: len(before)] == before, "nothing was removed"
    assert is_shown(stage)
    assert stage.replicas()[-1] == version.version_id


def test_what_was_undone_stays_undone_whatever_comes_again() -> None:
    stage, version, marker = deleted()
    remove(stage, marker.version_id)
    history = list(stage.s3.buckets[WEST].history("k"))
    for kind in ("ObjectCreated:Put", "ObjectTagging:Put"):
        stage.s3._tell(kind, EAST, "k", version, "AWS:USER")
    stage.s3._tell("ObjectRemoved:Delete", EAST, "k", marker, "AWS:USER")
    stage.deliver_all()
    assert stage.s3.buckets[WEST].history("k") == history


def test_what_was_undone_stays_undone_even_if_the_journal_has_forgotten_it() -> None:
    """Both histories show it: a second replica of a version above a marker is never a late copy."""
    stage, version, marker = deleted()
    remove(stage, marker.version_id)
    stage.journal.entries.clear()
    stage.s3._tell("ObjectCreated:Put", EAST, "k", version, "AWS:USER")
    stage.deliver_all()
    assert is_shown(stage)


def test_a_key_that_is_deleted_again_after_that_is_deleted_at_the_destination_too() -> None:
    stage, _, marker = deleted()
    remove(stage, marker.version_id)
    stage.s3.delete(EAST, "k")
    stage.deliver_all()
    assert not is_shown(stage)


def test_of_two_markers_the_last_that_is_removed_undoes() -> None:
    stage, _, first = deleted()
    second = stage.s3.delete(EAST, "k")
    stage.deliver_all()
    assert second is not None
    remove(stage, second.version_id)
    assert not is_shown(stage), "the key is still deleted at the source"
    remove(stage, first.version_id)
    assert is_shown(stage)


def test_the_removal_of_a_marker_that_was_not_on_top_changes_nothing() -> None:
    stage, _, marker = deleted()
    stage.put(body=b"newer")
    stage.deliver_all()
    history = list(stage.s3.buckets[WEST].history("k"))
    remove(stage, marker.version_id)
    assert stage.s3.buckets[WEST].history("k") == history


def test_a_permanent_deletion_of_a_version_changes_nothing() -> None:
    stage = Stage([MARKERS])
    stage.put(body=b"older")
    newer = stage.put(body=b"newer")
    stage.deliver_all()
    history = list(stage.s3.buckets[WEST].history("k"))
    remove(stage, newer.version_id)
    assert stage.s3.buckets[WEST].history("k") == history
    assert (stage.results[-1].outcome.status, stage.results[-1].outcome.reason) == (
        Status.SKIPPED,
        Reason.KIND_NOT_REPLICATED,
    )


def test_nothing_is_undone_where_delete_markers_are_not_replicated() -> None:
    stage = Stage([rule(WEST, rule_id="all")])
    stage.put()
    stage.deliver_all()
    marker = stage.s3.delete(EAST, "k")
    stage.s3.delete(WEST, "k")
    stage.deliver_all()
    assert marker is not None
    remove(stage, marker.version_id)
    assert not is_shown(stage)


def test_a_delete_that_users_made_at_the_destination_stands() -> None:
    stage, _, marker = deleted()
    stage.s3.put(WEST, "k", stage.s3.buckets[EAST].history("k")[0].content)
    stage.s3.delete(WEST, "k")
    remove(stage, marker.version_id)
    assert not is_shown(stage)


# A marker that is removed while it is replicated


def interrupted(moment: str) -> tuple[Stage, QueuedMessage]:
    """Return a stage whose delete marker is removed right before such a call of its handler, and its message.

    The event of the removal is handled at once: nothing in the journal says yet that the removed entry was a marker.
    """
    stage = Stage([MARKERS])
    stage.put()
    stage.deliver_all()
    marker = stage.s3.delete(EAST, "k")
    assert marker is not None
    [written] = stage.queue.visible()

    def remove() -> None:
        stage.s3.destroy(EAST, "k", marker.version_id)
        stage.deliver(*[each for each in stage.queue.visible() if each.id != written.id])

    stage.just_before(moment, remove)
    return stage, written


@pytest.mark.parametrize("moment", ["READ", "LIST", "DELETE", "SETTLE"])
def test_a_marker_that_is_removed_while_it_is_replicated_is_undone_all_the_same(moment: str) -> None:
    stage, written = interrupted(moment)
    stage.deliver(written)
    stage.deliver_all()
    assert is_shown(stage)


def test_it_is_undone_even_if_the_function_is_killed_before_it_can() -> None:
    stage, written = interrupted("SETTLE")
    stage.fail("COPY", Killed(), bucket=WEST)
    stage.deliver(written)
    assert not is_shown(stage)
    stage.deliver_all()
    assert is_shown(stage)


def test_it_is_undone_even_if_it_cannot_be_seen_at_first_that_it_was_removed() -> None:
    stage, written = interrupted("SETTLE")
    stage.fail("HEAD", Temporary(Reason.THROTTLED, "SlowDown"), bucket=EAST)
    stage.deliver(written)
    stage.deliver_all()
    assert is_shown(stage)


def test_a_marker_whose_writing_was_not_recorded_stays_until_the_next_write_of_the_key() -> None:
    """The limit in docs/consistency.md: a marker carries no mark, and only the journal knows what it stands for."""
    stage, written = interrupted("SETTLE")
    stage.fail("SETTLE", Killed())
    stage.deliver(written)
    stage.deliver_all()
    assert not is_shown(stage)
    stage.put()
    stage.deliver_all()
    assert is_shown(stage)


def test_a_marker_that_is_replicated_costs_one_head_to_see_that_it_is_still_there() -> None:
    stage = Stage([MARKERS])
    stage.put()
    stage.deliver_all()
    stage.points.calls.clear()
    stage.s3.delete(EAST, "k")
    stage.deliver_all()
    assert [call.operation for call in stage.points.calls if call.side == "source"] == ["LIST", "HEAD"]
