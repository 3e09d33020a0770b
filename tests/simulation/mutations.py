"""Does the simulation catch bugs? Deliberate faults of the algorithm, and for each the first history that exposes it.

Each mutation patches one place of the product's own code, or of the fake that answers its requests. A mutation that
survives is a bug that the simulation would miss; the test suite fails then.

python -m tests.simulation.mutations        # the table of docs/consistency.md
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import count, islice
from typing import Any
from unittest.mock import patch

from replicator.core.deciding import decision, journal, plan, standing, winner
from replicator.core.deciding.actions import Finish, Need
from replicator.core.deciding.attempt import Delivery
from replicator.core.deciding.copy import Guard
from replicator.core.deciding.facts import Facts, Histories
from replicator.core.deciding.journal import Memory
from replicator.core.deciding.target import Capabilities
from replicator.core.outcomes.outcome import Conflict, Reason, Status
from replicator.core.rules.matching import Candidate
from replicator.core.rules.rule import Rule
from replicator.core.versions.change import Change, ChangeKind
from replicator.core.versions.version import Entry
from replicator.flows.change import consume, synchronise
from replicator.flows.change.synchronise import Synchroniser
from replicator.flows.reading import Reader

from tests.fakes.journal import MemoryJournal
from tests.fakes.objects import MemoryObjects
from tests.fakes.queue import MemoryQueue
from tests.fakes.s3 import MemoryS3
from tests.simulation import faulty_aspects, faulty_order, faulty_parking, scheduler
from tests.simulation.campaign import of_seed, shrunk
from tests.simulation.scheduler import Ended, play
from tests.simulation.setting import Setting
from tests.simulation.settings import BY_NAME
from tests.simulation.shrink import Numbers

MOST = 10_000


@dataclass(frozen=True, slots=True)
class Mutation:
    """One fault: what it does in words, where it is put, and the worlds that should notice.

    first: the seed to begin with. Where it takes thousands of histories from 0 on, one that went wrong with it.
    rare: too many from anywhere for every run of the tests.
    """

    name: str
    patches: Sequence[tuple[object, str, object]]
    worlds: Sequence[str] = ("two keys", "two-way", "one-way, delete markers", "two-way, clocks 3 s apart")
    first: int = 0
    rare: bool = False

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Run with the fault in place."""
        with ExitStack() as stack:
            for owner, name, value in self.patches:
                stack.enter_context(patch.object(owner, name, value))
            yield


@dataclass(frozen=True, slots=True)
class Caught:
    """The first history that a mutation went wrong in: how many were played before, and how it plays made small."""

    setting: Setting
    seed: int
    played: int
    ended: Ended
    decisions: int = 0


def hunt(mutation: Mutation, most: int = MOST, *, small: bool = False) -> Caught | None:
    """Play histories of the mutation's worlds in turn until one goes wrong; None if none of so many does."""
    settings = [BY_NAME[name] for name in mutation.worlds]
    histories = ((setting, seed) for seed in count(mutation.first) for setting in settings)
    with mutation.applied():
        for played, (setting, seed) in enumerate(islice(histories, most), 1):
            ended = play(setting, of_seed(setting, seed))
            if ended.violations:
                decisions: Numbers = ()
                if small:
                    decisions, ended = shrunk(setting, ended)
                return Caught(setting, seed, played, ended, len(decisions))
    return None


# The faults


def _settle_whatever(self: MemoryJournal, pair: Any, before: Memory, after: Memory, note: Any) -> bool:
    self.entries[pair] = after
    return True


def _source_first(read: Callable[..., Facts]) -> Callable[..., Facts]:
    def mutated(self: Reader, facts: Facts, need: Need) -> Facts:
        if need.histories:
            source = self.source.objects.history(facts.pair.key)
            facts = replace(facts, histories=Histories(self.destination.objects.history(facts.pair.key), source))
        return read(self, facts, replace(need, histories=False))

    return mutated


def _memory_after_facts(self: Synchroniser, before: Memory, after: Memory) -> Any:
    fresh = self.journal.read(self.pair)
    return _SETTLE(self, fresh, replace(after, generation=fresh.generation + 1))


_SETTLE = Synchroniser._settle


def _marker_anywhere(facts: Facts) -> Any:
    return _DECIDE_MARKER(_at(facts, capabilities=Capabilities(versions=True)))


def _at(facts: Facts, **target: Any) -> Facts:
    """Decide as if the destination were another."""
    return replace(facts, attempt=replace(facts.attempt, target=replace(facts.attempt.target, **target)))


_DECIDE_MARKER = decision._decide_marker


def _without_head(facts: Facts, rule: Any) -> Any:
    return _COPY_IN_ORDER(_at(facts, listens=False), rule)


_COPY_IN_ORDER = decision._copy_in_order


def _newest_first(self: Any) -> Any:
    made = _PLAN(self)
    copies = [step for step in made.steps if getattr(step, "why", "") == "missing at the destination"]
    return replace(made, steps=(*reversed(copies), *made.steps[len(copies) :]))


_PLAN = plan._Planner.plan


def _mine_wins(mine: Any, theirs: Any, *, two_way: bool) -> Any:
    if mine is None or theirs is None:
        return mine or theirs
    if winner.happened_before(mine, theirs):
        return theirs
    return mine


def _marker_wins(mine: Any, theirs: Any, *, two_way: bool) -> Any:
    if two_way and mine and theirs and mine.entry.kind is not theirs.entry.kind:
        return theirs if mine.entry.is_version else mine
    return _CHOOSE(mine, theirs, two_way=two_way)


_CHOOSE = winner.choose


def _own_event_only(self: Any, best: Any) -> bool:
    return bool(best.entry.version_id == self.facts.change.version_id)


def _any_marker_event(self: Any, best: Any) -> bool:
    if best.bucket == self.facts.pair.destination or self.facts.change.kind is ChangeKind.MARKED_DELETED:
        return True
    theirs = self._theirs(best.entry)
    return theirs is not None and not theirs.entry.is_version


def _reported_by_id(self: Any, marker: Any) -> bool:
    return marker.version_id == self.facts.change.version_id or marker.version_id in self.facts.memory.settled


def _crown_deleted(self: Any, there_already: Any, copied: Any, there: Any) -> Any:
    """Copy the winner again if it arrived once, whatever became of it."""
    window = self.standing.natives_since(self.event.modified - winner.CLOCK_MARGIN)
    best = self._winner([one for one in window if one in there_already or one.version_id in self.facts.memory.settled])
    if best and best.entry.is_version and best.bucket == self.facts.pair.source and best.entry not in there_already:
        return [self._copy(entry, "current at the source") for entry in self.standing.selected([best.entry])]
    return _CROWN(self, there_already, copied, there)


_CROWN = plan._Planner._put_winner_on_top


def _let_lie(_: Facts) -> Finish:
    return Finish(Status.SKIPPED, Reason.SRC_VERSION_NOT_FOUND)


def _settled_ends_all(facts: Facts) -> Any:
    return _DECIDE(replace(facts, repeated=False) if facts.memory.has_settled(facts.change) else facts)


_DECIDE = decision.decide


def _conflict_is_fine(self: Synchroniser, facts: Facts) -> Any:
    try:
        return _ATTEMPT(self, facts)
    except Conflict:
        return self._settle(facts.memory, facts.memory)


_ATTEMPT = Synchroniser._attempt


def _unguarded_delete(self: MemoryObjects, key: str, guard: Guard) -> None:
    self.s3.delete(self.bucket, key, self.author)


def _acknowledge_all(messages: Any, consumer: Any, limit: Any) -> list[str]:
    _CONSUME(messages, consumer, limit)
    return []


_CONSUME = consume.consume


def _no_crown(self: Any, *_: object) -> list[Any]:
    return []


def _stands_there(self: Any, entry: Any, there: Any) -> bool:
    return self.origin(entry) in there


def _first_rule(self: Candidate, tags: object) -> Rule:
    return self.rules[0]


def _nothing(*_: object) -> None:
    return None


def _never(*_: object) -> bool:
    return False


def _always(*_: object) -> bool:
    return True


def _sequenced(memory: Memory, change: Any, top: Any, present: Any) -> Memory:
    return replace(journal.after_plan(memory, change, top, present), sequencer=change.sequencer)


TWO_WAY = ("two-way", "two-way, clocks 3 s apart", "two-way, no deletes")
FORGETFUL = ("two-way, journal entries lost",)
UNTOLD = ("two-way, nothing known of who wrote",)

MUTATIONS = (
    Mutation("the generation is not compared when a change is settled", [(MemoryJournal, "_settle", _settle_whatever)]),
    Mutation("the generation is read after the facts", [(Synchroniser, "_settle", _memory_after_facts)]),
    Mutation(
        "the source is listed before the destination",
        [(Reader, "read", _source_first(Reader.read))],
        UNTOLD,
        first=7600,
    ),
    Mutation("the winner is chosen without happened-before", [(winner, "happened_before", _never)]),
    Mutation("of concurrent writes each side keeps its own", [(plan, "choose", _mine_wins)], TWO_WAY),
    Mutation("a delete marker beats a concurrent write", [(plan, "choose", _marker_wins)], TWO_WAY),
    Mutation("a delete marker is not put back over a late copy", [(plan._Planner, "_may_mark", _own_event_only)]),
    Mutation(
        "any delete marker's event carries any delete marker over",
        [(plan._Planner, "_may_mark", _any_marker_event)],
        ("one-way, lifecycle expires", "one-way, delete markers"),
    ),
    Mutation("a delete marker is told by its own event alone", [(standing.Standing, "is_reported", _reported_by_id)]),
    Mutation("the winner is not put back on top", [(plan._Planner, "_put_winner_on_top", _no_crown)]),
    Mutation(
        "the fast path goes over whatever a plan left on top",
        [(decision, "is_in_order", faulty_order.fast_over_anything), (synchronise, "after_plan", _sequenced)],
        TWO_WAY,
    ),
    Mutation(
        "no HEAD of the destination in two-way rules",
        [(decision, "_copy_in_order", _without_head)],
        FORGETFUL,
        first=1957,
    ),
    Mutation("copies and deletes carry no precondition", [(MemoryS3, "require", _nothing)]),
    Mutation(
        "delete markers are written without precondition",
        [(MemoryObjects, "_mark_deleted", _unguarded_delete)],
        first=116,
    ),
    Mutation("every change is taken for the newest of its key", [(Memory, "is_in_order", _always)]),
    Mutation("a repeated delivery is trusted like a first one", [(Delivery, "repeated", property(_never))]),
    Mutation("what another handler settled is not looked at again", [(synchronise, "decide", _settled_ends_all)]),
    Mutation("a conflict is taken for somebody else's success", [(Synchroniser, "_attempt", _conflict_is_fine)]),
    Mutation("what is missing is copied newest first", [(plan._Planner, "plan", _newest_first)]),
    Mutation("replicas are taken for native versions", [(Reader, "_mark", _nothing)], UNTOLD),
    Mutation(
        "a version deleted for good at the destination is missing there",
        [(standing.Standing, "has_arrived", _stands_there)],
        ("one-way, users delete for good",),
    ),
    Mutation(
        "what is current at the source comes back, though it was deleted for good",
        [(plan._Planner, "_put_winner_on_top", _crown_deleted)],
        ("one-way, users delete for good",),
    ),
    Mutation(
        "what a version was written over that is gone by now is not put back",
        [(decision, "finish_gone", _let_lie), (plan, "finish_gone", _let_lie)],
        ("large, one-way, users delete for good at the source",),
        first=6437,
    ),
    Mutation(
        "delete markers go where no versions are kept",
        [(decision, "_decide_marker", _marker_anywhere)],
        ("one-way, destination unversioned",),
    ),
    Mutation(
        "null versions take the fast path",
        [(decision, "is_in_order", faulty_order.null_in_order)],
        ("one-way, null versions",),
    ),
    Mutation(
        "the order of sequencers of unequal length is guessed",
        [(journal, "comes_after", faulty_order.pad_right)],
        ("one-way, sequencers of two lengths",),
    ),
    Mutation(
        "null versions are settled by their id",
        [(journal, "_with", faulty_order.with_null)],
        ("one-way, null versions",),
    ),
    Mutation(
        "an upload in parts goes straight on top, whenever it was begun",
        [(Change, "is_multipart", property(_never))],
        ("two-way, uploads that take long",),
    ),
    Mutation(
        "an upload above younger entries ends the search for the other side's last write",
        [(Entry, "is_multipart", property(_never))],
        ("large, two-way, by completion",),
        first=9306,
    ),
    Mutation(
        "versions out of the tag filter are copied too", [(Candidate, "select", _first_rule)], ("one-way, tag filter",)
    ),
    Mutation(
        "an archived replica is put back by copying itself",
        [(Reader, "read_native", _nothing)],
        ("one-way, replicas archived",),
    ),
    Mutation("what must come back is taken off the queue", [(scheduler, "consume", _acknowledge_all)]),
    Mutation("failures are not put into the dead-letter queue", [(MemoryQueue, "dead_letter", _nothing)]),
    *(Mutation(*fault) for fault in faulty_parking.FAULTS),
    *(Mutation(*fault) for fault in faulty_aspects.FAULTS),
)


def main() -> int:
    """Print the table; exit status 1 if a mutation survived."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation.mutations", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--most", type=int, default=MOST, help="histories to play for each mutation")
    parser.add_argument("--only", default="", help="mutations whose name contains this, with their stories")
    options = parser.parse_args()
    chosen = [mutation for mutation in MUTATIONS if options.only in mutation.name]
    write("| mutation | found in world | histories played | decisions of the smallest |\n| --- | --- | ---: | ---: |")
    survived = 0
    for mutation in chosen:
        caught = hunt(mutation, options.most, small=True)
        survived += caught is None
        write(f"| {mutation.name} | {_row(caught, options.most)} |")
        if caught and options.only:
            write("\n".join([*caught.ended.lines, *caught.ended.violations]))
    return int(survived > 0)


def write(text: str) -> None:
    """Print at once: each line takes its time."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _row(caught: Caught | None, most: int) -> str:
    row = (caught.setting.name, caught.played, caught.decisions) if caught else ("SURVIVED", most, "-")
    return " | ".join(map(str, row))


if __name__ == "__main__":
    sys.exit(main())
