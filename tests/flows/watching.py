"""A stage with the monitor beside it, and short ways to say what was told and how each object was counted."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import count

from replicator.core.outcomes.notices import NoticeKind
from replicator.core.outcomes.outcome import Reason, Temporary
from replicator.core.outcomes.threshold import Route, Tally
from replicator.flows.watch.monitor import MonitorServices, monitor

from tests.fakes.monitoring import MemoryGauges, MemoryIndex, MemoryQueues
from tests.fakes.reporting import MemoryLog, in_turn
from tests.fakes.rules import rule
from tests.flows.stage import THRESHOLD_MS, WEST, Stage

MINUTE = 60
SLOW = Temporary(Reason.THROTTLED, "SlowDown")
_runs = count(1)


@dataclass(slots=True)
class Watched:
    """A stage whose journal and queues are watched."""

    on: Stage = field(default_factory=lambda: Stage([rule(WEST, rule_id="all")]))
    gauges: MemoryGauges = field(default_factory=MemoryGauges)
    log: MemoryLog = field(default_factory=MemoryLog)
    reported: set[Route] = field(default_factory=set)
    queues: MemoryQueues = field(init=False)
    index: MemoryIndex = field(init=False)

    def __post_init__(self) -> None:
        self.queues = MemoryQueues(self.on.queue)
        self.index = MemoryIndex(self.on.journal, THRESHOLD_MS)

    def look(self) -> Tally:
        """Let the monitor run once; its gauges show this run only."""
        self.gauges.values.clear()
        return monitor(self.services())

    def services(self) -> MonitorServices:
        return MonitorServices(
            index=self.index,
            queues=self.queues,
            recorder=self.on.recorder,
            rules=self.on.rule_sets.of,
            gauges=self.gauges,
            log=self.log,
            side_by_side=in_turn,
            stack="stack",
            threshold_ms=THRESHOLD_MS,
            claimant=f"run {next(_runs)}",
            published=self.reported,
        )

    def wait(self, minutes: float) -> None:
        """Let time pass, nothing else."""
        self.on.s3.clock.advance(minutes * MINUTE)

    @property
    def told(self) -> Counter[tuple[NoticeKind, str]]:
        """Return the events so far, by kind and key."""
        return Counter((notice.kind, notice.key) for notice in self.on.notices.published)

    def kinds(self) -> list[NoticeKind]:
        """Return the kinds of the events so far, in order."""
        return [notice.kind for notice in self.on.notices.published]


def last_receive(on: Stage, receives: int) -> None:
    """Tell the consumer at which receive its queue gives up."""
    on.change_closing(last_receive=receives)


def waiting(*keys: str, rules: tuple[str, ...] = (WEST,)) -> Watched:
    """Return a stage on which these objects wait for every destination."""
    watched = Watched(Stage([rule(each, rule_id=f"to {each}") for each in rules]))
    watched.on.fail("COPY", SLOW, 999)
    for key in keys:
        watched.on.put(key, body=b"12345")
    watched.on.deliver()
    return watched
