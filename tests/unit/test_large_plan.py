"""Plans with large versions: only their own changes copy them, and no other change waits for them."""

from dataclasses import replace

from replicator.core.deciding.actions import Plan
from replicator.core.deciding.decision import decide, is_in_order
from replicator.core.deciding.facts import Facts, Ref
from replicator.core.deciding.journal import Memory
from replicator.core.versions.change import Change
from replicator.core.versions.version import History, Replica

from tests.unit.histories import MARKERS, TWO_WAY, facts_of, steps
from tests.unit.values import EAST, created, facts, origin_of

LARGE = 100


def sized(given: Facts, **sizes: int) -> Facts:
    """Return the facts with these sizes of source versions, where more than LARGE bytes is large."""

    def with_sizes(entries: History) -> History:
        return tuple(replace(entry, size=sizes.get(entry.version_id, 1)) for entry in entries)

    assert given.histories is not None
    histories = replace(given.histories, source=with_sizes(given.histories.source))
    return replace(given, histories=histories, large=LARGE)


def test_a_small_version_does_not_wait_for_an_older_large_one() -> None:
    assert steps(sized(facts_of("v2", "v1 v2", ""), v1=101)) == ["copy v2"]


def test_an_older_version_does_not_copy_a_newer_large_one_along() -> None:
    assert steps(sized(facts_of("v1", "v1 v2", ""), v2=101)) == ["copy v1"]


def test_a_version_that_is_just_not_large_is_copied_along() -> None:
    assert steps(sized(facts_of("v2", "v1 v2", ""), v1=100)) == ["copy v1", "copy v2"]


def test_a_late_large_version_is_copied_by_its_own_change_and_the_current_one_is_put_back() -> None:
    assert steps(sized(facts_of("v1", "v1 v2", "r2"), v1=101)) == ["copy v1", "put back r2"]


def test_a_large_version_that_must_be_current_is_copied_on_top() -> None:
    given = sized(facts_of("v2", "v1 v2", "r1"), v2=101)
    assert steps(given) == ["copy v2"]


def test_a_delete_marker_does_not_wait_for_a_large_version() -> None:
    assert steps(sized(facts_of("d2", "v1 d2", "", **TWO_WAY), v1=101)) == []


def test_a_delete_marker_is_written_though_a_large_version_is_missing_below_it() -> None:
    assert steps(sized(facts_of("d3", "v1 v2 d3", "r2", **MARKERS), v1=101)) == ["delete"]


def test_a_large_version_that_is_copied_after_its_delete_marker_ends_deleted() -> None:
    delete_settled = Memory(2, None, "", ("d2",))
    given = sized(facts_of("v1", "v1 d2", "", **TWO_WAY, memory=delete_settled), v1=101)
    assert steps(given) == ["copy v1", "delete"]
    completed = sized(facts_of("v1", "v1 d2", "r1", **TWO_WAY, memory=delete_settled), v1=101)
    assert steps(completed) == ["delete"]


def test_a_replicated_delete_is_not_written_again_while_a_later_large_version_is_being_copied() -> None:
    """Its upload may have been begun: a marker that is written now would stay above it."""
    delete_settled = Memory(2, None, "", ("d1",))
    given = sized(facts_of("v1", "v1 d1 v2", "", **TWO_WAY, memory=delete_settled), v2=101)
    assert steps(given) == ["copy v1"]
    refused = sized(facts_of("v1", "v1 d1 v2", "", **TWO_WAY, memory=delete_settled, refused="v2"), v2=101)
    assert steps(refused) == ["copy v1", "delete"]


def test_a_replicated_delete_is_written_again_below_a_large_replica_of_another_bucket() -> None:
    given = sized(facts_of("v1", "v1 d1 v2", "", **MARKERS, memory=Memory(2, None, "", ("d1",))), v2=101)
    from_elsewhere = {**given.marks, Ref(EAST, "v2"): origin_of("n1", 0, "north")}
    assert steps(replace(given, marks=from_elsewhere)) == ["copy v1", "delete"]


def test_a_delete_below_a_large_version_that_is_being_copied_does_nothing() -> None:
    assert steps(sized(facts_of("d1", "d1 v2", "", **MARKERS), v2=101)) == []


def test_a_large_version_that_was_not_copied_along_does_not_count_as_present() -> None:
    plan = decide(sized(facts_of("v2", "v1 v2", ""), v1=101))
    assert isinstance(plan, Plan)
    assert plan.present == ("v2",)


def test_a_plan_has_the_entry_on_top_and_the_replica_of_the_changes_own_version() -> None:
    plan = decide(sized(facts_of("v1", "v1 v2", "r1@7 r2@9")))
    assert isinstance(plan, Plan)
    assert plan.top_entry
    assert (plan.top_entry.version_id, plan.own_replica) == ("r2", "r1")


def upload(name: str = "ObjectCreated:CompleteMultipartUpload") -> Change:
    return replace(created("v2", "0F"), name=name)


def test_an_upload_over_something_else_is_never_in_order() -> None:
    """S3 puts an upload where it was begun, and its event comes when it is completed."""
    below = Memory(1, Replica("w1", '"e"', origin_of("v1", 0)), "0A", ("v1",))
    assert is_in_order(facts(created("v2", "0F"), memory=below))
    for name in ("ObjectCreated:CompleteMultipartUpload", "Object Created (CompleteMultipartUpload)"):
        assert not is_in_order(facts(upload(name), memory=below)), name


def test_the_first_upload_of_a_key_is_in_order() -> None:
    assert is_in_order(facts(upload(), memory=Memory()))
