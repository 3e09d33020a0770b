"""What the journal remembers of a pair: what its memory says, and how it grows."""

from dataclasses import replace

from replicator.core.deciding.journal import (
    SETTLED_IN_ORDER,
    SETTLED_OUT_OF_ORDER,
    Memory,
    after_fast_copy,
    after_plan,
)
from replicator.core.versions.change import ChangeKind

from tests.unit.values import WEST, created, origin_of, replica

TOP = replica("w1", origin_of("v1"))


def test_a_memory_knows_the_versions_that_were_settled_and_no_other() -> None:
    memory = Memory(3, TOP, "0A", ("v1", "v2"))
    assert memory.has_settled(created("v2"))
    assert not memory.has_settled(created("v3"))


def test_a_later_change_of_a_settled_version_is_not_settled() -> None:
    later = replace(created("v1"), kind=ChangeKind.TAGS)
    assert not Memory(3, TOP, "0A", ("v1",)).has_settled(later)


def test_any_change_is_in_order_before_one_was_settled() -> None:
    assert Memory().is_in_order(created("v1", ""))


def test_a_change_is_in_order_if_its_sequencer_comes_after_that_of_the_top() -> None:
    memory = Memory(1, TOP, "0B", ("v1",))
    assert memory.is_in_order(created("v2", "0C"))
    assert not memory.is_in_order(created("v2", "0A"))
    assert not memory.is_in_order(created("v2", ""))


def test_no_change_is_in_order_if_the_top_comes_from_a_listing() -> None:
    assert not Memory(1, TOP, "", ("v1",)).is_in_order(created("v2", "0C"))


def test_a_copy_in_order_adds_a_generation_the_new_top_and_its_sequencer() -> None:
    after = after_fast_copy(Memory(4, TOP, "0A", ("v1",)), created("v2", "0B"), replica("w2", origin_of("v2")))
    assert after == Memory(5, replica("w2", origin_of("v2")), "0B", ("v1", "v2"))


def test_a_memory_that_grows_in_order_keeps_the_last_versions_only() -> None:
    memory = Memory()
    for number in range(100):
        change = created(f"v{number}", f"{number:04X}")
        memory = after_fast_copy(memory, change, replica(f"w{number}", origin_of(f"v{number}")))
    assert len(memory.settled) == SETTLED_IN_ORDER
    assert memory.settled[-1] == "v99"


def test_a_plan_adds_the_versions_that_are_there_each_once_and_its_own_change_last() -> None:
    after = after_plan(Memory(4, TOP, "0A", ("v1", "v2")), created("v4"), TOP, ("v2", "v3"))
    assert after.settled == ("v1", "v2", "v3", "v4")
    assert after.generation == 5


def test_a_plan_keeps_the_sequencer_only_if_its_own_change_is_on_top() -> None:
    ours, other = replica("w4", origin_of("v4")), replica("w3", origin_of("v3"))
    assert after_plan(Memory(), created("v4", "0D"), ours, ()).sequencer == "0D"
    assert after_plan(Memory(), created("v4", "0D"), other, ()).sequencer == ""
    assert after_plan(Memory(), created("v4", "0D"), None, ()).sequencer == ""
    theirs = replica("w9", origin_of("v4", where=WEST))
    assert after_plan(Memory(), created("v4", "0D"), theirs, ()).sequencer == "", (
        "the same version id, but of another bucket"
    )


def test_a_memory_that_grows_out_of_order_is_limited_too() -> None:
    present = tuple(f"v{number}" for number in range(1000))
    after = after_plan(Memory(), created("last"), TOP, present)
    assert len(after.settled) == SETTLED_OUT_OF_ORDER
    assert after.settled[-1] == "last"


def test_the_time_of_completion_is_known_of_the_last_settled_version_only() -> None:
    memory = Memory(2, TOP, "0A", ("v1", "v2"), completed=5_000)
    assert memory.completed_at(created("v2")) == 5_000
    assert memory.completed_at(created("v1")) == 0
    assert Memory().completed_at(created("v1")) == 0


def test_a_null_version_is_never_settled() -> None:
    """The next null version has the same id."""
    for memory in (
        after_fast_copy(Memory(), created("null"), TOP),
        after_plan(Memory(), created("v1"), TOP, ("null",)),
    ):
        assert not memory.has_settled(created("null"))
