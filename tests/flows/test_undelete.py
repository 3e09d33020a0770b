"""A delete marker that is removed at the source is undone at the destination, by a copy on top and nothing else."""

from replicator.core.outcomes.outcome import Reason, Status

from tests.fakes.rules import rule
from tests.fakes.stored import Stored
from tests.flows.stage import EAST, WEST, Stage

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
