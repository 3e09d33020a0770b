"""What large versions change about the plan: nobody waits for them but their own change."""

from dataclasses import replace

import pytest
from replicator.core.deciding.actions import Plan
from replicator.core.deciding.decision import decide, is_in_order
from replicator.core.deciding.facts import Facts, Ref
from replicator.core.deciding.journal import Memory
from replicator.core.versions.change import Change
from replicator.core.versions.version import History, Replica

from tests.unit.histories import MARKERS, TWO_WAY, look, steps
from tests.unit.values import EAST, created, facts, native

LARGE = 100


def sized(given: Facts, **sizes: int) -> Facts:
    """Return versions their sizes, and say what is large."""

    def grown(entries: History) -> History:
        return tuple(replace(entry, size=sizes.get(entry.version_id, 1)) for entry in entries)

    assert given.histories is not None
    histories = replace(given.histories, source=grown(given.histories.source))
    return replace(given, histories=histories, large=LARGE)


def test_a_small_version_does_not_wait_for_an_older_large_one() -> None:
    assert steps(sized(look("v2", "v1 v2", ""), v1=101)) == ["copy v2"]


def test_nor_does_an_older_one_bring_a_newer_large_one() -> None:
    assert steps(sized(look("v1", "v1 v2", ""), v2=101)) == ["copy v1"]


def test_what_is_not_larger_than_large_is_brought_along() -> None:
    assert steps(sized(look("v2", "v1 v2", ""), v1=100)) == ["copy v1", "copy v2"]


def test_a_large_version_is_brought_by_its_own_change_and_the_winner_put_back() -> None:
    assert steps(sized(look("v1", "v1 v2", "r2"), v1=101)) == ["copy v1", "put back r2"]


def test_a_large_version_that_is_current_goes_on_top() -> None:
    given = sized(look("v2", "v1 v2", "r1"), v2=101)
    assert steps(given) == ["copy v2"]


def test_a_delete_marker_does_not_wait_for_a_large_version() -> None:
    assert steps(sized(look("d2", "v1 d2", "", **TWO_WAY), v1=101)) == []


def test_nor_does_it_wait_though_something_else_is_there() -> None:
    assert steps(sized(look("d3", "v1 v2 d3", "r2", **MARKERS), v1=101)) == ["delete"]


def test_but_a_large_version_that_comes_after_its_marker_ends_deleted() -> None:
    carried_over = Memory(2, None, "", ("d2",))
    given = sized(look("v1", "v1 d2", "", **TWO_WAY, memory=carried_over), v1=101)
    assert steps(given) == ["copy v1", "delete"]
    completed = sized(look("v1", "v1 d2", "r1", **TWO_WAY, memory=carried_over), v1=101)
    assert steps(completed) == ["delete"]


def test_a_delete_that_went_over_is_not_put_back_while_a_later_large_version_is_on_its_way() -> None:
    """Its upload may have been begun: a marker written now would stay above it."""
    carried_over = Memory(2, None, "", ("d1",))
    given = sized(look("v1", "v1 d1 v2", "", **TWO_WAY, memory=carried_over), v2=101)
    assert steps(given) == ["copy v1"]
    unwanted = sized(look("v1", "v1 d1 v2", "", **TWO_WAY, memory=carried_over, refused="v2"), v2=101)
    assert steps(unwanted) == ["copy v1", "delete"]


def test_a_large_replica_above_a_delete_is_on_its_way_nowhere() -> None:
    given = sized(look("v1", "v1 d1 v2", "", **MARKERS, memory=Memory(2, None, "", ("d1",))), v2=101)
    from_elsewhere = {**given.marks, Ref(EAST, "v2"): native("n1", 0, "north")}
    assert steps(replace(given, marks=from_elsewhere)) == ["copy v1", "delete"]


def test_a_delete_alone_below_a_large_version_on_its_way_does_nothing() -> None:
    assert steps(sized(look("d1", "d1 v2", "", **MARKERS), v2=101)) == []


def test_a_large_version_that_was_left_out_does_not_count_as_present() -> None:
    plan = decide(sized(look("v2", "v1 v2", ""), v1=101))
    assert isinstance(plan, Plan)
    assert plan.present == ("v2",)


def test_the_plan_says_when_what_is_on_top_was_written_and_what_has_arrived() -> None:
    plan = decide(sized(look("v1", "v1 v2", "r1@7 r2@9")))
    assert isinstance(plan, Plan)
    assert plan.top_entry
    assert (plan.top_entry.version_id, plan.own_replica) == ("r2", "r1")


def upload(name: str = "ObjectCreated:CompleteMultipartUpload") -> Change:
    return replace(created("v2", "0F"), name=name)


@pytest.mark.parametrize("name", ["ObjectCreated:CompleteMultipartUpload", "Object Created (CompleteMultipartUpload)"])
def test_an_upload_over_something_else_is_never_in_order(name: str) -> None:
    """S3 puts it where it was begun, and its event comes when it is completed."""
    below = Memory(1, Replica("w1", '"e"', native("v1", 0)), "0A", ("v1",))
    assert is_in_order(facts(created("v2", "0F"), memory=below))
    assert not is_in_order(facts(upload(name), memory=below))


def test_the_first_upload_of_a_key_is() -> None:
    assert is_in_order(facts(upload(), memory=Memory()))
