"""Random histories of three objects in trouble: each counts once for its threshold, and each event is sent once."""

import random
from dataclasses import dataclass

from replicator.core.outcomes.metrics import Metric
from replicator.core.outcomes.notices import NoticeKind
from replicator.core.outcomes.outcome import Permanent, Reason, Temporary

from tests.flows.monitored_stage import MonitoredStage

SEEDS = range(150)
KEYS = ("a", "b", "c")
SLOW = Temporary(Reason.THROTTLED, "SlowDown")
DENIED = Permanent(Reason.DST_PUT_DENIED, "AccessDenied")


@dataclass
class RandomHistory:
    """Random deliveries, trouble, waits and monitor runs, without crashes. `late`: objects that the monitor counted."""

    monitored: MonitoredStage
    draw: random.Random
    late: int = 0

    def play(self) -> None:
        """Take random steps, then deliver everything without trouble."""
        stage = self.monitored.stage
        for key in KEYS:
            stage.put(key)
        steps = [self.throttle, self.deliver, self.deliver, self.wait, self.run_monitor]
        if self.draw.random() < 0.5:
            steps += [self.deny, self.redrive]
        else:  # not both: a duplicate may fail after the other one completed, and a first attempt does not ask
            stage.queue.send(self.draw.choice(stage.queue.visible()).body)
        for _ in range(25):
            self.draw.choice(steps)()
        stage.faults.clear()
        stage.queue.redrive()
        stage.deliver_all()

    def throttle(self) -> None:
        self.monitored.stage.fail("COPY", SLOW, self.draw.choice((1, 2)), key=self.draw.choice(KEYS))

    def deny(self) -> None:
        if self.draw.random() < 0.3:
            self.monitored.stage.fail("COPY", DENIED, 1, key=self.draw.choice(KEYS))

    def deliver(self) -> None:
        if self.monitored.stage.queue.visible():
            self.monitored.stage.deliver()

    def wait(self) -> None:
        self.monitored.pass_minutes(self.draw.choice((0.1, 3, 8)))

    def run_monitor(self) -> None:
        self.monitored.run_monitor()
        self.late += len(self.monitored.gauges.of(Metric.WITHIN, Stack="stack"))

    def redrive(self) -> None:
        if self.draw.random() < 0.3:
            self.monitored.stage.queue.redrive()


def complaints(history: RandomHistory) -> list[str]:
    """Return what is wrong at the end of a history."""
    stage, sent = history.monitored.stage, history.monitored.event_counts
    counted = len(history.monitored.within) + history.late
    found = [f"{counted} counted"] if counted != len(KEYS) else []
    found += [f"{len(stage.replicas(key))} replicas of {key}" for key in KEYS if len(stage.replicas(key)) != 1]
    for kind in (NoticeKind.MISSED, NoticeKind.AFTER):
        found += [f"{sent[kind, key]} events {kind} of {key}" for key in KEYS if sent[kind, key] > 1]
    found += [f"{version_id} waits: {why}" for version_id, why in stage.waiting().items()]
    return found + [f"dead letter: {failed.outcome}" for failed in stage.queue.dead]


def test_each_object_counts_once_and_each_event_is_sent_once_whatever_happens() -> None:
    wrong = {}
    for seed in SEEDS:
        history = RandomHistory(MonitoredStage(), random.Random(seed))  # noqa: S311 - a history, not a secret
        history.play()
        if found := complaints(history):
            wrong[f"seed {seed}"] = found
    assert wrong == {}
