"""A stage with the monitor beside it: what it publishes, and which events were sent."""

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
class MonitoredStage:
    """A stage with a monitor that reads its journal and queues."""

    stage: Stage = field(default_factory=lambda: Stage([rule(WEST, rule_id="all")]))
    gauges: MemoryGauges = field(default_factory=MemoryGauges)
    log: MemoryLog = field(default_factory=MemoryLog)
    reported: set[Route] = field(default_factory=set)
    queues: MemoryQueues = field(init=False)
    index: MemoryIndex = field(init=False)

    def __post_init__(self) -> None:
        self.queues = MemoryQueues(self.stage.queue)
        self.index = MemoryIndex(self.stage.journal, THRESHOLD_MS)

    def run_monitor(self) -> Tally:
        """Run the monitor once; afterwards the gauges hold the values of this run only."""
        self.gauges.values.clear()
        return monitor(self.services())

    def services(self) -> MonitorServices:
        return MonitorServices(
            index=self.index,
            queues=self.queues,
            recorder=self.stage.recorder,
            rules=self.stage.rule_sets.of,
            gauges=self.gauges,
            log=self.log,
            side_by_side=in_turn,
            stack="stack",
            threshold_ms=THRESHOLD_MS,
            parked=self.stage.parked_services,
            claimant=f"run {next(_runs)}",
            published=self.reported,
        )

    def pass_minutes(self, minutes: float) -> None:
        """Let time pass; nothing is delivered meanwhile."""
        self.stage.s3.clock.advance(minutes * MINUTE)

    @property
    def event_counts(self) -> Counter[tuple[NoticeKind, str]]:
        """Return how many events were sent so far, by kind and key."""
        return Counter((notice.kind, notice.key) for notice in self.stage.notices.published)

    @property
    def within(self) -> list[bool]:
        """Return for each object that the functions counted for its threshold whether it was within, in order."""
        scores = [result.score.within for result in self.stage.results]
        return [within for within in scores if within is not None]

    def event_kinds(self) -> list[NoticeKind]:
        """Return the kinds of the events that were sent so far, in order."""
        return [notice.kind for notice in self.stage.notices.published]


def with_waiting(*keys: str, rules: tuple[str, ...] = (WEST,)) -> MonitoredStage:
    """Return a stage on which these objects wait for every destination, as it throttles all copies."""
    monitored = MonitoredStage(Stage([rule(each, rule_id=f"to {each}") for each in rules]))
    monitored.stage.fail("COPY", SLOW, 999)
    for key in keys:
        monitored.stage.put(key, body=b"12345")
    monitored.stage.deliver()
    return monitored
