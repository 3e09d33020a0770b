"""Scheduled invocations: by rules of EventBridge and by schedules of EventBridge Scheduler.

`rate(...)` runs in real time, the first time one period after the schedule was created. `cron(...)` and `at(...)` never
run by the clock: tests fire the function instead of waiting.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.events.models import events_backends
from moto.scheduler.models import scheduler_backends

from emulator.functions.deployed import every_backend
from emulator.threads import Worker

LOG = logging.getLogger(__name__)
_SECONDS = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}
_LOOK_EVERY = 1.0


@dataclass(frozen=True)
class Schedule:
    """One target of a rule or schedule. `given` is the target's `Input`; None means the default event."""

    arn: str
    expression: str
    target: str
    enabled: bool
    source: str
    region: str
    account: str
    given: str | None

    @property
    def period(self) -> float | None:
        """Return the seconds between two runs; None if the expression is not a rate."""
        match = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", self.expression)
        return int(match[1]) * _SECONDS[match[2]] if match else None

    def event(self, now: datetime) -> Any:
        """Return the event for a run at this time.

        https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
        """
        when = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        if self.given is not None:
            values = {
                "schedule-arn": self.arn,
                "scheduled-time": when,
                "execution-id": uuid.uuid4().hex,
                "attempt-number": "1",
            }
            text = re.sub(r"<aws\.scheduler\.([a-z-]+)>", lambda found: values.get(found[1], found[0]), self.given)
            return json.loads(text)
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": self.source,
            "account": self.account,
            "time": when,
            "region": self.region,
            "resources": [self.arn],
            "detail": {} if self.source == "aws.events" else "{}",
        }


def schedules() -> Iterator[Schedule]:
    """Yield every schedule of all Regions."""
    yield from _rules()
    yield from _scheduled()


def _rules() -> Iterator[Schedule]:
    for region, backend in every_backend(events_backends):
        rules = [rule for bus in list(backend.event_buses.values()) for rule in list(bus.rules.values())]
        for rule in rules:
            for target in rule.targets if rule.scheduled_expression else []:
                yield Schedule(
                    arn=rule.arn,
                    expression=rule.scheduled_expression,
                    target=target["Arn"],
                    enabled=rule.state != "DISABLED",
                    source="aws.events",
                    region=region,
                    account=rule.account_id,
                    given=target.get("Input"),
                )


def _scheduled() -> Iterator[Schedule]:
    for region, backend in every_backend(scheduler_backends):
        for group in list(backend.schedule_groups.values()):
            for each in list(group.schedules.values()):
                yield Schedule(
                    arn=each.arn,
                    expression=each.schedule_expression,
                    target=each.target["Arn"],
                    enabled=each.state == "ENABLED",
                    source="aws.scheduler",
                    region=region,
                    account=backend.account_id,
                    given=each.target.get("Input"),
                )


class Clock:
    """Runs due schedules. `run` receives a function's ARN and the event, and must return quickly."""

    def __init__(self, run: Callable[[str, Any], None]) -> None:
        self._run = run
        self._due: dict[tuple[str, str, str], float] = {}
        self._stop = threading.Event()
        self._worker = Worker(self._work, "schedules")

    def start(self) -> None:
        """Start the thread that looks for due schedules."""
        self._worker.start()

    def stop(self) -> None:
        """Stop the thread."""
        self._worker.end(self._stop.set)

    def _work(self) -> None:
        while not self._stop.wait(_LOOK_EVERY):
            for schedule in self.take_due(time.monotonic()):
                try:
                    self._run(schedule.target, schedule.event(datetime.now(UTC)))
                except Exception:
                    LOG.exception("Schedule %s failed to run", schedule.arn)

    def take_due(self, now: float) -> list[Schedule]:
        """Return the schedules due at this monotonic time (seconds), each once per period."""
        known = {(each.arn, each.target, each.expression): each for each in schedules() if each.enabled and each.period}
        self._due = {key: self._due.get(key, now + (each.period or 0)) for key, each in known.items()}
        due = [each for key, each in known.items() if self._due[key] <= now]
        for key, each in known.items():
            if self._due[key] <= now:
                self._due[key] = now + (each.period or 0)
        return due
