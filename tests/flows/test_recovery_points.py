"""What the monitor publishes about each pair of buckets; trouble with one of them leaves the others as they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from replicator.core.deciding.target import Target
from replicator.core.outcomes.gate import GateState
from replicator.core.outcomes.metrics import Metric
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.core.outcomes.recovery import Buckets, Door, Figures, Missing
from replicator.core.outcomes.rule_kinds import Home
from replicator.core.outcomes.threshold import Depth, Pending, Tally
from replicator.core.rules.coverage import Checked, Coverage, Record
from replicator.flows.watch import recovery
from replicator.flows.watch.monitor import MonitorServices, monitor
from replicator.flows.watch.recovery import TIME_TO_PUBLISH_MS, RecoveryWatch, publish_figures

from tests.fakes.reporting import in_turn
from tests.fakes.rules import rule
from tests.flows.monitored_stage import MonitoredStage
from tests.flows.stage import EAST, NORTH, WEST, Stage

DENIED = Permanent(Reason.DST_PUT_DENIED, "AccessDenied")


@dataclass(slots=True)
class MemoryRegions:
    """Each destination is in a Region of its name.

    down: those that fail. gone: there is no such bucket. slow: seconds that a request there takes.
    """

    stage: Stage
    published: dict[Buckets, Figures] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    slow: dict[str, int] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def of(self, target: Target) -> str:
        self._reach(f"in {target.bucket}")
        return f"in {target.bucket}"

    def publish(self, region: str, figures: Mapping[Buckets, Figures]) -> None:
        self._reach(region)
        self.published.update(figures)

    def _reach(self, region: str) -> None:
        self.asked.append(region)
        self.stage.s3.clock.advance(self.slow.get(region, 0))
        if region in self.gone:
            raise Permanent(Reason.DST_BUCKET_NOT_FOUND, "404")
        if region in self.down:
            raise Temporary(Reason.TIMED_OUT, "ConnectTimeoutError")


@dataclass(slots=True)
class Recovering:
    """A monitored stage whose monitor publishes figures. covered: since when a pair of buckets lacks nothing."""

    monitored: MonitoredStage
    regions: MemoryRegions = field(init=False)
    covered: dict[Buckets, int] = field(default_factory=lambda: {(EAST, WEST): 0, (EAST, NORTH): 0})
    records: dict[str, Record] = field(default_factory=dict)
    oldest: int | None = None
    watch: RecoveryWatch = field(init=False)

    def __post_init__(self) -> None:
        stage = self.monitored.stage
        self.regions = MemoryRegions(stage)
        self.watch = RecoveryWatch(
            index=self.monitored.index,
            sources=self,
            rules=stage.rule_sets.of,
            coverage=self,
            queue_age=self,
            regions=self.regions,
            log=self.monitored.log,
            side_by_side=in_turn,
            now=stage.s3.clock.milliseconds,
        )

    def buckets(self) -> tuple[str, ...]:
        return (EAST,)

    def record_of(self, source: str) -> Record:
        return self.records.get(source, {})

    def covered_since(self, source: str, destination: str) -> int | None:
        return self.covered.get((source, destination))

    def oldest_sent(self, now: int) -> int | None:
        return self.oldest

    def look(self) -> dict[Buckets, Figures]:
        """Run the monitor, and return what it published."""
        self.regions.published.clear()
        self.monitored.gauges.values.clear()
        services: MonitorServices = self.monitored.services()
        services = MonitorServices(
            **{name: getattr(services, name) for name in services.__slots__ if name != "recovery"}, recovery=self.watch
        )
        monitor(services)
        return dict(self.regions.published)

    @property
    def stage(self) -> Stage:
        return self.monitored.stage

    def now(self) -> int:
        return int(self.stage.s3.clock.now)


def recovering(*destinations: str) -> Recovering:
    return Recovering(MonitoredStage(Stage([rule(each, rule_id=f"to {each}") for each in destinations])))


def test_each_destination_gets_figures_every_minute_though_nothing_is_missing() -> None:
    aws = recovering(WEST, NORTH)
    aws.stage.put()
    aws.stage.deliver()
    looked = aws.now()
    quiet = Figures(looked, looked - 120)
    assert aws.look() == {(EAST, WEST): quiet, (EAST, NORTH): quiet}


def test_what_verifications_found_is_published_every_minute_for_destinations_that_have_rules() -> None:
    aws = recovering(WEST)
    stale = Coverage("1970-01-01T00:00:00+00:00", had_versions=False, verification=Checked("2020-01-01T00:00:00+00:00"))
    aws.records = {EAST: {WEST: stale, NORTH: stale}}
    aws.look()
    gauges = aws.monitored.gauges
    assert len(gauges.of(Metric.PROOF_AGE)) == 1
    first = gauges.of(Metric.PROOF_AGE, Stack="stack", SourceBucket=EAST, DestinationBucket=WEST)
    aws.monitored.pass_minutes(1)
    aws.look()
    assert gauges.of(Metric.PROOF_AGE) == [first[0] + 60]


def test_what_waits_or_has_failed_holds_back_its_own_destination_only() -> None:
    aws = recovering(WEST, NORTH)
    aws.stage.fail("COPY", DENIED, 99, bucket=WEST)
    written = aws.stage.put("denied")
    aws.stage.deliver()
    aws.monitored.pass_minutes(30)
    found = aws.look()
    assert found[EAST, WEST].missing.failed == 1
    assert found[EAST, WEST].recovery_point == int(written.modified) - 1
    assert found[EAST, NORTH].recovery_point == aws.now() - 120


def test_a_dead_letter_without_a_failure_in_the_journal_holds_everything_back() -> None:
    aws = recovering(WEST)
    aws.look()
    before = aws.look()[EAST, WEST].recovery_point
    aws.monitored.queues.given_up_bodies.append("not explained yet")
    aws.monitored.pass_minutes(5)
    found = aws.look()[EAST, WEST]
    assert (found.recovery_point, found.unexplained) == (before, 1)


def test_while_the_queue_is_not_empty_the_recovery_point_stays_where_it_was() -> None:
    aws = recovering(WEST)
    first = aws.look()[EAST, WEST].recovery_point
    aws.stage.put()
    aws.monitored.pass_minutes(10)
    assert aws.look()[EAST, WEST] == Figures(aws.now(), first, unexplained=1)
    aws.oldest = (aws.now() - 200) * 1000
    assert aws.look()[EAST, WEST].recovery_point == aws.now() - 260
    aws.stage.deliver()
    assert aws.look()[EAST, WEST] == Figures(aws.now(), aws.now() - 120)


def test_a_new_container_that_finds_messages_of_unknown_age_knows_no_recovery_point() -> None:
    aws = recovering(WEST)
    aws.stage.put()
    assert aws.look()[EAST, WEST].recovery_point is None
    assert aws.monitored.gauges.of(Metric.RECOVERY_AGE) == []


def test_a_destination_that_lacked_nothing_when_its_rules_were_put_lacks_nothing_older() -> None:
    aws = recovering(WEST)
    since = aws.covered[EAST, WEST] = (aws.now() - 3600) * 1000
    aws.stage.put()
    assert aws.look()[EAST, WEST].recovery_point == since // 1000
    aws.stage.deliver()
    assert aws.look()[EAST, WEST].recovery_point == aws.now() - 120


def test_an_entry_that_one_run_does_not_see_holds_its_destination_back_for_one_more_minute() -> None:
    """It may have moved from one partition of the journal to another, while both were read."""
    aws = recovering(WEST)
    aws.stage.fail("COPY", DENIED, 99)
    written = aws.stage.put()
    aws.stage.deliver()
    aws.monitored.pass_minutes(20)
    aws.look()
    aws.stage.journal.waiting.clear()
    aws.stage.queue.dead.clear()
    aws.monitored.pass_minutes(1)
    assert aws.look()[EAST, WEST] == Figures(aws.now(), int(written.modified) - 1)
    aws.monitored.pass_minutes(1)
    assert aws.look()[EAST, WEST] == Figures(aws.now(), aws.now() - 120)


def test_a_destination_whose_parked_changes_are_only_sampled_does_not_advance() -> None:
    aws = recovering(WEST, NORTH)
    before = aws.look()[EAST, WEST].recovery_point
    aws.monitored.pass_minutes(5)
    tally, depth = Tally(aws.now() * 1000), Depth()
    publish_figures(aws.watch, tally, depth, depth, {WEST: Door(GateState.SHUT, estimated=True)})
    found = aws.regions.published
    assert (found[EAST, WEST].recovery_point, found[EAST, WEST].missing.gate) == (before, GateState.SHUT)
    assert found[EAST, NORTH].recovery_point == aws.now() - 120


def test_what_waits_before_its_destinations_are_known_may_be_missing_at_each_of_them() -> None:
    aws = recovering(WEST, NORTH)
    aws.look()
    aws.monitored.pass_minutes(5)
    tally, depth, written = Tally(aws.now() * 1000), Depth(), (aws.now() - 200) * 1000
    tally.add(Pending(EAST, "k", "v1", "", size=7, first_seen=written))
    publish_figures(aws.watch, tally, depth, depth)
    for destination in (WEST, NORTH):
        found = aws.regions.published[EAST, destination]
        assert (found.missing, found.recovery_point) == (Missing(1, 7, 0, written), written // 1000 - 1)


def test_a_destination_that_was_never_verified_says_so() -> None:
    aws = recovering(WEST, NORTH)
    del aws.covered[EAST, WEST]
    found = aws.look()
    assert [found[EAST, each].unverified for each in (WEST, NORTH)] == [True, False]


def test_the_oldest_recovery_point_is_a_metric_of_the_stack() -> None:
    aws = recovering(WEST, NORTH)
    aws.monitored.pass_minutes(20)
    aws.look()
    aws.stage.fail("COPY", DENIED, 99, bucket=WEST)
    written = aws.stage.put()
    aws.stage.deliver()
    aws.monitored.pass_minutes(20)
    aws.look()
    assert aws.monitored.gauges.of(Metric.RECOVERY_AGE, Stack="stack") == [aws.now() - int(written.modified) + 1]


RULE_COUNTS = (Metric.RULES_SAME_REGION, Metric.RULES_CROSS_REGION, Metric.RULES_SAME_ACCOUNT, Metric.RULES_INVALID)


def test_rules_are_counted_by_kind_once_a_day() -> None:
    """Of a destination whose Region cannot be read, the account is known."""
    aws = recovering(WEST, NORTH, "down", "gone")
    aws.watch.home = Home(f"in {WEST}", "111122223333")
    aws.regions.down, aws.regions.gone = {"in down"}, {"in gone"}
    per_run = []
    for minutes in (1, 1, 24 * 60):
        aws.look()
        per_run.append([aws.monitored.gauges.of(metric, Stack="stack") for metric in RULE_COUNTS])
        aws.monitored.pass_minutes(minutes)
    counted = [[1], [1], [3], [1]]
    assert per_run == [counted, [[]] * 4, [[]] * 4]
    aws.look()
    assert [aws.monitored.gauges.of(metric, Stack="stack") for metric in RULE_COUNTS] == counted
    assert any("DstBucketNotFound" in remark for remark in aws.monitored.log.remarks)


def test_rules_are_counted_only_when_those_of_all_buckets_were_read() -> None:
    aws = recovering(WEST)
    once, slow = aws.watch.rules(EAST), [True]

    def rules(bucket: str) -> object:
        aws.stage.s3.clock.advance(20 if slow and slow.pop() else 0)
        return once

    aws.watch.sources = type("Sources", (), {"buckets": lambda _: ("one", "two")})()
    aws.watch.rules = rules  # type: ignore[assignment]
    runs = []
    for _ in range(2):
        aws.look()
        runs.append(aws.monitored.gauges.of(Metric.RULES_SAME_ACCOUNT))
    assert runs == [[], [2]]


def test_a_region_that_is_down_costs_only_its_own_figures() -> None:
    aws = recovering(WEST, NORTH)
    aws.regions.down = {f"in {WEST}"}
    assert set(aws.look()) == {(EAST, NORTH)}
    assert any("TimedOut" in remark for remark in aws.monitored.log.remarks)


def test_slow_regions_do_not_use_up_the_time_of_the_monitor() -> None:
    aws = recovering(*(f"slow-{number}" for number in range(9)))
    aws.regions.slow = {f"in slow-{number}": 5 for number in range(9)}
    began = aws.now()
    aws.look()
    assert len(aws.regions.asked) == 1 + TIME_TO_PUBLISH_MS // 5000
    assert aws.now() - began <= TIME_TO_PUBLISH_MS / 1000 + 5


def test_rules_that_cannot_be_read_cost_only_their_own_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = recovering(WEST)
    aws.watch.sources = type("Sources", (), {"buckets": lambda _: ("unreadable", EAST)})()
    readable = aws.watch.rules

    def rules(bucket: str) -> object:
        if bucket == "unreadable":
            raise Temporary(Reason.RULES_UNREADABLE, "no JSON")
        return readable(bucket)

    aws.watch.rules = rules  # type: ignore[assignment]
    assert set(aws.look()) == {(EAST, WEST)}


def test_rules_that_take_long_to_read_are_read_over_several_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of many buckets, at the beginning of a container, which then remembers them."""
    aws = recovering(WEST)
    sources, known, once = [f"bucket-{number}" for number in range(8)], set[str](), aws.watch.rules(EAST)
    aws.watch.sources = type("Sources", (), {"buckets": lambda _: sources})()

    def rules(bucket: str) -> object:
        if bucket not in known:
            known.add(bucket)
            aws.stage.s3.clock.advance(5)
        return once

    aws.watch.rules = rules  # type: ignore[assignment]
    runs = [len(aws.look()) for _ in range(4)]
    assert runs == [3, 6, 8, 8]
    assert any("of 5 source buckets" in remark for remark in aws.monitored.log.remarks)


def test_a_journal_that_cannot_be_read_costs_the_figures_but_not_the_run() -> None:
    aws = recovering(WEST)

    class Failing:
        def shards(self, status: Status) -> list[object]:
            raise Temporary(Reason.THROTTLED, "Query")

    aws.watch.index = Failing()  # type: ignore[assignment]
    assert aws.look() == {}
    assert aws.monitored.gauges.of(Metric.PENDING) == [0]


def test_failures_that_are_not_read_hold_everything_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "FAILED_PER_SHARD", 1)
    aws = recovering(WEST, NORTH)
    aws.stage.fail("COPY", DENIED, 99, bucket=WEST)
    first = aws.stage.put("a")
    aws.stage.deliver()
    aws.monitored.pass_minutes(30)
    assert aws.look()[EAST, NORTH].recovery_point == int(first.modified) - 1
