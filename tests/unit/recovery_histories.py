"""Random histories of changes on their way to a destination, and what a monitor sees of them at any moment.

Each change has a timeline of its own, drawn at random: when S3 sends its event, when SQS counts its message, when it is
received, what the journal says of it, when it arrives. Metrics come late, and leave out what AWS says they leave out.
Times are epoch milliseconds.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from replicator.aws.queue_age import ChangeQueueAge
from replicator.core.outcomes import recovery
from replicator.core.outcomes.outcome import Status
from replicator.core.outcomes.recovery import (
    COUNT_MS,
    DELIVERY_MS,
    Buckets,
    Failed,
    Figures,
    Missing,
    Unexplained,
    missing_by_buckets,
)
from replicator.core.outcomes.threshold import Count, Route

SECOND, MINUTE = 1000, 60_000
BEGIN = 1_700_000_000_000
HOURS = 3
END = BEGIN + HOURS * 60 * MINUTE
NEVER = END * 2
ROUTE: Route = ("east", "west", "all")
BUCKETS: Buckets = ("east", "west")
METRICS_LATE_MS = 170 * SECOND


@dataclass(slots=True)
class Change:
    """One change. gone: its message has left the queue. redriven: when it came back. entries: those of the journal."""

    written: int
    sent: int
    counted: int
    arrived: int = NEVER
    gone: int = NEVER
    redriven: int = NEVER
    receives: list[int] = field(default_factory=list)
    untold: list[int] = field(default_factory=list)
    entries: list[tuple[Status, int, int]] = field(default_factory=list)
    letter: tuple[int, int] = (NEVER, NEVER)

    def status(self, now: int) -> Status | None:
        return next((status for status, since, until in self.entries if since <= now < until), None)


class History:
    """A random history."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311
        busy = self.random.choice((2, 20, 150))
        kinds = self.random.sample((prompt, prompt, late, troubled, parked, failed, unrecorded, given_up), 4)
        self.changes = [self._change(self.random.choice((*kinds, prompt))) for _ in range(busy)]
        self._untold = Counter(at // MINUTE * MINUTE for each in self.changes for at in each.untold)
        self._ages: dict[int, float | None] = {}
        self.metric_delay = self.random.randint(MINUTE, METRICS_LATE_MS)

    def _change(self, kind: Any) -> Change:
        written = self.random.randint(BEGIN, END)
        sent = written + self.random.randint(0, DELIVERY_MS)
        change = Change(written, sent, sent + self.random.randint(0, COUNT_MS))
        kind(change, self.random)
        return change

    # What a monitor sees

    def messages(self, now: int) -> int:
        return sum(each.counted <= now < each.gone or each.redriven <= now < each.arrived for each in self.changes)

    def letters(self, now: int) -> int:
        return sum(each.letter[0] <= now < each.letter[1] for each in self.changes)

    def waiting(self, now: int) -> dict[Route, Count]:
        found = [each for each in self.changes if each.status(now) is Status.PENDING]
        oldest = min((each.written for each in found), default=0)
        return {ROUTE: Count(len(found), len(found), oldest)} if found else {}

    def explained(self, now: int, looked: int) -> int:
        """Return how many failures the journal has that it had at an earlier look."""
        return sum(
            status is Status.FAILED and since <= looked and since <= now < until
            for each in self.changes
            for status, since, until in each.entries
        )

    def failed(self, now: int) -> dict[Buckets, Failed]:
        found: dict[Buckets, Failed] = {}
        for each in self.changes:
            if each.status(now) is Status.FAILED:
                found.setdefault(BUCKETS, Failed()).add(each.written)
        return found

    def missing(self, before: int, now: int) -> list[Change]:
        """Return what was written before a time and is not at the destination: the truth."""
        return [each for each in self.changes if each.written < before and each.arrived > now]

    # What CloudWatch shows

    def age(self) -> ChangeQueueAge:
        clients: Any = _Clients(self)
        return ChangeQueueAge(clients, "S3Replicator", "stack", "https://sqs/1/changes")

    def oldest_at(self, minute: int) -> float | None:
        """Return the age metric of a minute: of messages that were received less than three times."""
        if minute not in self._ages:
            self._ages[minute] = self._oldest_at(minute)
        return self._ages[minute]

    def _oldest_at(self, minute: int) -> float | None:
        moment = minute + self.random.randint(0, MINUTE - 1)
        sent = [
            each.sent
            for each in self.changes
            if each.sent <= moment < each.gone and sum(at <= moment for at in each.receives) < 3
        ]
        return (moment - min(sent)) / SECOND if sent else None

    def unrecorded_in(self, minute: int) -> int:
        return self._untold[minute]


def prompt(change: Change, random: Random) -> None:
    """Arrive at its first attempt."""
    change.arrived = change.counted + random.randint(100, 5000)
    change.receives = [change.sent]
    change.gone = change.arrived + 50


def late(change: Change, random: Random) -> None:
    """Stay on the queue for a while, received by nobody."""
    prompt(change, random)
    wait = random.randint(MINUTE, 60 * MINUTE)
    change.arrived, change.gone = change.arrived + wait, change.gone + wait
    change.receives = [change.arrived - 100]


def troubled(change: Change, random: Random) -> None:
    """Wait on the queue, with an entry in the journal."""
    first = change.counted + random.randint(100, 20_000)
    change.arrived = first + random.randint(SECOND, 90 * MINUTE)
    change.gone = change.arrived + 50
    change.entries = [(Status.PENDING, first, change.gone)]
    change.receives = [*range(first, change.arrived, 5 * MINUTE)]


def parked(change: Change, random: Random) -> None:
    """Wait in the journal alone."""
    troubled(change, random)
    change.gone = change.entries[0][1] + 1
    change.receives = change.receives[:1]


def failed(change: Change, random: Random) -> None:
    """Become a dead letter, then a failed entry, and be redriven some day."""
    first = change.counted + random.randint(100, 20_000)
    change.arrived = first + random.randint(MINUTE, 3 * 60 * MINUTE)
    change.redriven = change.arrived - MINUTE // 2
    change.letter, change.gone = (first, change.redriven + 100), first + 2000
    change.entries = [(Status.FAILED, first + 1000, change.arrived)]
    change.receives = [first]


def unrecorded(change: Change, random: Random) -> None:
    """Come back again and again, and nobody can record that: rules that cannot be read, for example."""
    first = change.counted + random.randint(100, 20_000)
    change.arrived = first + random.randint(SECOND, 90 * MINUTE)
    change.gone = change.arrived + 50
    at, delay = first, 2 * SECOND
    while at < change.arrived:
        change.receives.append(at)
        change.untold.append(at + 500)
        at, delay = at + delay, min(delay * 2, 15 * MINUTE)


def given_up(change: Change, random: Random) -> None:
    """Be moved to the dead-letter queue, by SQS, where the monitor finds it a little later."""
    moved = change.counted + random.randint(100, 20_000)
    found = moved + random.randint(0, 10 * MINUTE)
    change.arrived = found + random.randint(MINUTE, 60 * MINUTE)
    change.gone, change.letter = moved, (moved, change.arrived)
    change.entries = [(Status.FAILED, found, change.arrived)]
    change.receives = [change.sent]


class _Clients:
    """Clients, of which CloudWatch's knows a history."""

    region = "us-east-1"

    def __init__(self, history: History) -> None:
        self._history = history

    def metrics(self, _region: str) -> "_Clients":
        return self

    def get_metric_data(self, *, MetricDataQueries: Any, StartTime: datetime, EndTime: datetime) -> Any:  # noqa: N803
        start, end = (round(each.timestamp() * 1000) for each in (StartTime, EndTime))
        minutes = [*range(start // MINUTE * MINUTE, end - self._history.metric_delay, MINUTE)]
        return {"MetricDataResults": [self._result(each["Id"], minutes) for each in MetricDataQueries]}

    def _result(self, name: str, minutes: list[int]) -> dict[str, Any]:
        values: dict[int, float | None] = {}
        if name == "age":
            values = {minute: self._history.oldest_at(minute) for minute in minutes}
        elif name == "unrecorded":
            values = {minute: self._history.unrecorded_in(minute) or None for minute in minutes}
        shown = {minute: value for minute, value in values.items() if value is not None}
        times = [datetime.fromtimestamp(minute / 1000, UTC) for minute in shown]
        return {"Id": name, "Timestamps": times, "Values": list(shown.values())}


# What the monitor makes of it


def looks(history: History, *, queue_first: bool = True) -> Iterator[tuple[Figures, int]]:
    """Yield the figures of each run of a monitor, and the time at which it had read everything."""
    cleared, age, now = None, history.age(), BEGIN
    while now < END:
        now += MINUTE + history.random.randint(-2000, 2000)
        other = now + history.random.randint(10, 25_000)
        looked, read = (now, other) if queue_first else (other, now)
        failed = history.failed(read)
        letters = max(0, history.letters(looked) - history.explained(read, looked))
        unexplained = Unexplained(history.messages(looked), letters)
        cleared = recovery.cleared_until(looked, unexplained, cleared, age.oldest_sent(looked) if unexplained else None)
        missing = missing_by_buckets(history.waiting(read), failed).get(BUCKETS, Missing())
        point = recovery.recovery_point(cleared, missing)
        yield Figures(looked // 1000, point, missing, unexplained.messages + letters), max(looked, read)


def points(history: History, *, queue_first: bool = True) -> Iterator[tuple[int, int]]:
    """Yield (recovery point in milliseconds, time at which the monitor had read everything) where it is known."""
    for figures, read in looks(history, queue_first=queue_first):
        if figures.recovery_point is not None:
            yield figures.recovery_point * 1000, read
