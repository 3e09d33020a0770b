"""The journal's entries of a batch are read by one request; each is used once, and none must be there."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from replicator.core.deciding.journal import Memory, Pair
from replicator.core.outcomes.outcome import Reason, Status, Temporary

from tests.fakes.journal import MemoryJournal
from tests.flows.stage import NORTH, WEST, Stage, to_two, to_west

KEYS = [f"k{number}" for number in range(10)]


def batch_of(stage: Stage, keys: Sequence[str] = tuple(KEYS)) -> Stage:
    for key in keys:
        stage.put(key)
    stage.deliver(*stage.queue.visible())
    return stage


def test_a_batch_reads_every_entry_ahead_and_none_again() -> None:
    stage = batch_of(to_west())
    assert len(stage.calls("READ AHEAD")) == len(KEYS)
    assert stage.calls("READ") == []
    assert len(stage.replicas("k3")) == 1


def test_entries_of_all_destinations_are_read_together() -> None:
    stage = batch_of(to_two(), ["one", "two"])
    assert len(stage.calls("READ AHEAD")) == 4
    assert stage.calls("READ") == []
    assert [len(stage.replicas("one", bucket)) for bucket in (WEST, NORTH)] == [1, 1]


def test_a_single_change_reads_its_entry_itself() -> None:
    stage = batch_of(to_west(), ["alone"])
    assert (len(stage.calls("READ AHEAD")), len(stage.calls("READ"))) == (0, 1)


def test_the_next_change_of_a_key_reads_the_entry_that_the_one_before_it_left() -> None:
    stage = batch_of(to_west(), ["k", "k", "k", "other"])
    assert (len(stage.calls("READ AHEAD")), len(stage.calls("READ"))) == (2, 2)
    assert len(stage.calls("COPY")) == len(stage.calls("SETTLE")) == 4, "nothing is decided on an entry from before"
    assert len(stage.replicas("k")) == 3


def test_in_trouble_each_change_reads_its_own() -> None:
    stage = to_west()
    stage.change_services(warn=stage.log.incomplete)
    stage.fail("READ AHEAD", Temporary(Reason.THROTTLED, "ProvisionedThroughputExceededException"))
    batch_of(stage)
    assert len(stage.calls("READ")) == len(KEYS)
    assert "not read together" in stage.log.remarks[0]
    assert {outcome.status for outcome in stage.outcomes} == {Status.COMPLETED}


def test_what_was_left_unprocessed_is_read_by_its_change() -> None:
    stage = to_west()

    class Busy(MemoryJournal):
        def read_all(self, pairs: Sequence[Pair]) -> Mapping[Pair, Memory]:
            found = dict(MemoryJournal.read_all(self, pairs))
            return {pair: found[pair] for pair in pairs if pair.key in KEYS[:4]}

    journal = stage.journal
    parts: dict[str, Any] = {name: getattr(journal, name) for name in journal.__slots__}
    stage.change_services(journal=Busy(**parts))
    batch_of(stage)
    assert sorted(call.split("/")[1].split()[0] for call in stage.calls("READ")) == KEYS[4:]


@pytest.mark.parametrize("writers", [1, 2])
def test_an_entry_that_was_overtaken_is_read_again(writers: int) -> None:
    """Another handler settles every key between the batch's reading and its writing."""
    stage = to_west()
    batch_of(stage)
    for key in KEYS:
        stage.put(key)
    entries = stage.journal.entries

    def overtake() -> None:
        for pair, memory in list(entries.items()):
            entries[pair] = replace(memory, generation=memory.generation + writers)

    stage.just_before("HEAD", overtake)
    stage.points.calls.clear()
    stage.deliver(*stage.queue.visible())
    assert len(stage.calls("READ")) >= len(KEYS), "each finds out when it settles, and decides anew"
    stage.deliver_all()
    assert [len(stage.replicas(key)) for key in KEYS] == [2] * len(KEYS)
