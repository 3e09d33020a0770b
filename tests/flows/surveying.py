"""What surveys are run with: a consumer that keeps what it is told, and the queue of a stage as its traffic."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from replicator.core.rules.matching import RuleSet
from replicator.core.verifying.listed import Span
from replicator.flows.verify.ports import Listing
from replicator.flows.verify.survey import Batch, Doubt, Survey

from tests.fakes.rules import rule
from tests.flows.stage import WEST, Stage


@dataclass(slots=True)
class Collector:
    """Keeps everything. act: called with each batch; what it raises ends the survey. left: what was told last."""

    act: Callable[[Batch], object] = lambda _: None
    doubts: list[Doubt] = field(default_factory=list)
    equal: Counter[str] = field(default_factory=Counter)
    only_there: Counter[str] = field(default_factory=Counter)
    keys: int = 0
    left: list[Span] = field(default_factory=list)

    def examine(self, batch: Batch) -> Batch:
        self.act(batch)
        return batch

    def keep(self, found: Batch, left: Sequence[Span]) -> None:
        self.doubts += found.doubts
        self.equal.update(found.equal)
        self.only_there.update(found.only_there)
        self.keys += found.keys
        self.left = list(left)

    @property
    def in_doubt(self) -> dict[str, list[str]]:
        """The destinations that are in doubt, by key."""
        return {doubt.key: [each.destination for each in doubt.candidates] for doubt in self.doubts}


def survey(rules: RuleSet, listing: Listing, collector: Collector | None = None, **options: Any) -> Collector:
    """Run a survey of all keys in one thread, unless `options` say otherwise, and return what it found."""
    collector, spans = collector or Collector(), options.pop("spans", (Span(),))
    Survey(rules, listing, collector, **{"workers": 1, **options}).run(spans)
    return collector


@dataclass(slots=True)
class MemoryTraffic:
    """The queue of a stage. works: the pipeline processes what is sent."""

    on: Stage
    works: bool = True

    def is_busy(self) -> bool:
        return bool(self.on.queue.messages)

    def send(self, bodies: Iterable[str]) -> int:
        sent = list(bodies)
        if self.works:
            for body in sent:
                self.on.queue.send(body)
        return len(sent)


def a_day_old(count: int = 30, *, missing: Sequence[int] = ()) -> Stage:
    """Return a stage with so many keys, a day old; of some, the replica was deleted for good."""
    on = Stage([rule(WEST, delete_markers=True)])
    for number in range(count):
        on.put(f"k{number:03}")
    on.deliver_all()
    on.s3.listeners.clear()
    on.s3.clock.advance(86_400)
    for number in missing:
        replica = on.s3.buckets[WEST].current(f"k{number:03}")
        assert replica
        on.s3.destroy(WEST, f"k{number:03}", replica.version_id)
    return on
