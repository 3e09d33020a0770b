"""A verification from the survey to its totals: nothing differs that does not differ twice, and everything adds up."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from replicator.core.verifying.differences import Difference, Kind
from replicator.core.verifying.listed import Span
from replicator.core.verifying.totals import Totals
from replicator.flows.verify.examine import Examiner
from replicator.flows.verify.survey import Survey
from replicator.flows.verify.verifying import EVENT_MS, MOMENT_MS, Verifier, differing
from s3replicator.verify.repair_messages import messages

from tests.fakes.listings import MemoryListing
from tests.fakes.reporting import in_turn
from tests.fakes.rules import rule
from tests.fakes.stored import Stored
from tests.flows.stage import EAST, NORTH, WEST, Stage

ALL = rule(WEST, delete_markers=True)


@dataclass(slots=True)
class Run:
    """One verification on a stage. waits: what it waited for, milliseconds."""

    on: Stage
    deep: bool = False
    found: list[Difference] = field(default_factory=list)
    left: list[Sequence[Span]] = field(default_factory=list)
    waits: list[int] = field(default_factory=list)
    busy: bool = False

    def verifier(self) -> Verifier:
        examiner = Examiner(self.on.services, deep=self.deep, is_busy=lambda: self.busy)
        rules, now = self.on.rule_sets.of(EAST), self.on.services.now
        return Verifier(rules, examiner, in_turn, now, self.found.extend, self.left.append)

    def wait(self, milliseconds: int) -> None:
        self.waits.append(milliseconds)
        self.on.s3.clock.advance(milliseconds / 1000)

    def verify(self) -> dict[str, Totals]:
        verifier = self.verifier()
        Survey(verifier.rules, MemoryListing(self.on.s3), verifier, everything=self.deep, workers=1).run()
        verifier.look_again(self.wait)
        return verifier.totals


def damaged(*names: str) -> Stage:
    """Return a stage whose keys are of these kinds: what they are called."""
    on = Stage([ALL])
    for name in names:
        on.put(name)
    on.deliver_all()
    on.s3.listeners.clear()
    on.s3.clock.advance(86_400)
    for name in names:
        _damage(on, name)
    on.s3.clock.advance(86_400)
    return on


def _damage(on: Stage, name: str) -> None:
    replica = on.s3.buckets[WEST].current(name)
    assert replica
    acts: dict[str, Any] = {
        "missing": lambda: on.put(name, b"again"),
        "deleted-there": lambda: on.s3.destroy(WEST, name, replica.version_id),
        "wrong-current": lambda: on.put(name, b"theirs", WEST),
        "hidden": lambda: on.s3.delete(WEST, name),
        "delete-marker-missing": lambda: on.s3.delete(EAST, name),
        "tags": lambda: on.s3.tag(WEST, name, replica.version_id, {"team": "red"}),
        "content": lambda: _replace_bytes(on, name, replica),
        "equal": lambda: None,
    }
    acts[name]()


def _replace_bytes(on: Stage, name: str, replica: Stored) -> None:
    """Put other bytes in the place of a replica, under its own mark, at its own time."""
    other = on.s3.put(WEST, name, replace(replica.content, body=b"other"))
    other.modified = replica.modified
    on.s3.destroy(WEST, name, replica.version_id)


KINDS = ("missing", "deleted-there", "wrong-current", "hidden", "delete-marker-missing", "tags", "content", "equal")


def test_every_damage_is_named_and_everything_adds_up() -> None:
    run = Run(damaged(*KINDS), deep=True)
    totals = run.verify()[WEST]
    assert totals.differences == {
        "missing": 1, "deleted-there": 1, "wrong-current": 2, "delete-marker-missing": 1, "tags": 1, "content": 1,
    }  # fmt: skip
    assert totals.checked == len(KINDS) + 2, "missing and delete-marker-missing have two entries"
    assert totals.equal == totals.checked - 7
    assert len(run.found) == 7
    assert {kind: len(each) for kind, each in totals.examples.items()} == dict(totals.differences)


def test_a_repair_mends_every_kind_and_a_verification_after_it_finds_nothing() -> None:
    on = damaged(*KINDS)
    run = Run(on, deep=True)
    run.verify()
    for body in messages(EAST, run.found, on.services.now()):
        on.queue.send(body)
    on.deliver_all()
    on.s3.clock.advance(86_400)
    again = Run(on, deep=True)
    assert differing(again.verify()) == {}
    assert again.verify()[WEST].pending == 0


def test_what_arrives_between_two_looks_is_no_difference() -> None:
    on = Stage([ALL])
    on.put("a")
    run = Run(on)

    def meanwhile(milliseconds: int) -> None:
        run.wait(milliseconds)
        on.deliver_all()

    verifier = run.verifier()
    Survey(verifier.rules, MemoryListing(on.s3), verifier, workers=1).run()
    assert list(verifier.suspects) == ["a"]
    verifier.look_again(meanwhile)
    assert (differing(verifier.totals), verifier.totals[WEST].equal, run.found) == ({}, 1, [])
    assert run.waits == [EVENT_MS], "until the event of a version that was just written must have come"


def test_what_is_old_is_looked_at_again_after_a_moment() -> None:
    on = damaged("deleted-there", "missing")
    run = Run(on)
    run.verify()
    assert run.waits == [MOMENT_MS]


def test_what_is_still_on_its_way_is_pending() -> None:
    on = Stage([ALL])
    on.put("a")
    run = Run(on, busy=True)
    totals = run.verify()[WEST]
    assert (totals.pending, totals.differences, totals.equal) == (1, {}, 0)


def test_beyond_what_can_be_looked_at_again_differences_count_at_once(monkeypatch: Any) -> None:
    monkeypatch.setattr("replicator.flows.verify.verifying.MOST_SUSPECTS", 2)
    on = Stage([ALL])
    for number in range(5):
        on.put(f"k{number}")
    on.s3.clock.advance(86_400)
    run = Run(on)
    verifier = run.verifier()
    Survey(verifier.rules, MemoryListing(on.s3), verifier, workers=1).run()
    assert (len(verifier.suspects), len(run.found)) == (2, 3)
    verifier.look_again(run.wait)
    assert verifier.totals[WEST].differences == {"missing": 5}


def test_where_very_much_differs_only_what_was_written_last_is_looked_at_again(monkeypatch: Any) -> None:
    monkeypatch.setattr("replicator.flows.verify.verifying.SAMPLE", 2)
    assert looks_at(many_missing()) == 6 + 2
    on = many_missing()
    assert looks_at(on, on.deliver) == 6 + 6, "something has arrived, so that everything may be on its way"
    assert looks_at(many_missing(), busy=True) == 6 + 6


def many_missing() -> Stage:
    on = Stage([ALL])
    for number in range(6):
        on.put(f"k{number}")
    on.s3.clock.advance(86_400)
    return on


def looks_at(on: Stage, meanwhile: Callable[[], object] = lambda: None, *, busy: bool = False) -> int:
    """Verify, and return how often a key was examined."""
    run = Run(on, busy=busy)
    verifier = run.verifier()
    Survey(verifier.rules, MemoryListing(on.s3), verifier, workers=1).run()
    assert len(verifier.suspects) == 6
    delivering = 0

    def wait(_: int) -> None:
        nonlocal delivering
        before = reads(on)
        meanwhile()
        delivering = reads(on) - before

    verifier.look_again(wait)
    assert verifier.totals[WEST].checked == 6
    return reads(on) - delivering


def reads(on: Stage) -> int:
    """Return how often the journal's entry of a pair was read: once for each examination."""
    return len([call for call in on.points.calls if call.operation == "READ" and call.side == "journal"])


def test_the_first_look_takes_what_was_just_listed_and_the_second_lists_again() -> None:
    on = damaged("deleted-there")
    run, before = Run(on), len(on.calls("LIST"))
    verifier = run.verifier()
    Survey(verifier.rules, MemoryListing(on.s3), verifier, workers=1).run()
    assert len(on.calls("LIST")) == before
    verifier.look_again(run.wait)
    assert len(on.calls("LIST")) == before + 2


def test_a_version_that_was_written_between_two_listings_is_no_difference_in_the_end() -> None:
    """The source was listed before, the destination after it was written and had arrived."""
    on = Stage([ALL])
    on.put("a", b"1")
    on.deliver_all()
    source, run = copy.deepcopy(on.s3.buckets[EAST].histories), Run(on)
    on.put("a", b"2")
    on.deliver_all()
    verifier, stale = run.verifier(), copy.copy(on.s3)
    stale.buckets = {**on.s3.buckets, EAST: replace(on.s3.buckets[EAST], histories=source)}
    Survey(verifier.rules, MemoryListing(stale), verifier, workers=1).run()
    assert list(verifier.suspects) == ["a"]
    verifier.look_again(run.wait)
    assert (differing(verifier.totals), verifier.totals[WEST].equal) == ({}, 2)


def test_each_destination_has_its_own_counts() -> None:
    on = Stage([ALL, rule(NORTH, rule_id="north")])
    on.put("a")
    on.deliver_all()
    on.s3.clock.advance(86_400)
    on.s3.destroy(NORTH, "a", on.s3.buckets[NORTH].history("a")[-1].version_id)
    totals = Run(on).verify()
    assert (totals[WEST].equal, totals[NORTH].differences) == (1, {"deleted-there": 1})


def test_totals_and_differences_survive_being_stored() -> None:
    run = Run(damaged(*KINDS), deep=True)
    totals = run.verify()[WEST]
    assert Totals.read(totals.document()) == totals
    assert [Difference.read(each.document()) for each in run.found] == run.found
    assert [Kind(kind) for kind in totals.differences]
