"""A model of an outage, minute by minute, that runs the product's own policies on numbers of changes.

Separate from outage.py, which prints what it shows. What is parked is counted, not kept: 86 million changes are a
number for each minute in which they are due. The gate, its evidence, waits, orders and the monitor's rules are the
product's own functions; the first minutes go second by second.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from replicator.aws.table import SHARDS
from replicator.core.outcomes.backoff import delay
from replicator.core.outcomes.gate import Evidence, Gate, GateState, Seen, opening, shut
from replicator.core.outcomes.outcome import Reason
from replicator.core.outcomes.parking import SHORT_RECEIVES, is_parked_now, wait_ms
from replicator.core.outcomes.release import Order, Sample
from replicator.core.outcomes.threshold import Depth, Tally
from replicator.flows.change.gatekeeper import VIEW_MS
from replicator.flows.watch.parked import Behind, ParkedServices, send_for

from benchmarks._outage_costs import HELD_SECONDS, RETRY
from benchmarks.costs import BATCH, BATCH_SECONDS

MINUTE_MS, HOUR = 60_000, 3600
IN_FLIGHT = 120_000
"""Messages of a standard queue that may be received or hidden; SQS delivers no more then.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""
PARTITION_WRITES = 1_000
"""Write units a second that one partition takes.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
"""
SAMPLED = 1_000
"""Entries in the model's sample of what is parked: it shows the policies what is due, to a thousandth."""
LONGEST_DRAIN = 30 * 24 * 60


@dataclass(frozen=True, slots=True)
class Scenario:
    """An outage. Rates are changes a second.

    capacity: what the destination takes before it throttles. releases: ReleasesPerSecond. functions:
    MaximumConcurrency. failing_seconds: until a request to the destination fails.
    """

    arrivals: float = 1_000
    hours: float = 24
    capacity: float = 3_500
    releases: int = 1_000
    functions: int = 100
    failing_seconds: float = 0.1

    @property
    def ideal_minutes(self) -> float:
        """Return the minutes to drain if the destination is fully used from the moment at which it is back."""
        return self.arrivals * self.hours * 60 / max(1e-9, self.capacity - self.arrivals)

    def handled(self, seconds: float) -> float:
        """Return the changes a second that all functions can process. seconds: of a batch."""
        return self.functions * BATCH / seconds


# The first minutes, second by second


@dataclass(slots=True)
class Onset:
    """From the first failure until all containers know that the gate is shut, and their queue is as before.

    shut_after: seconds until the first container shuts the gate. seconds: until all is as quiet as before. hidden:
    messages at most. waits: seconds that a change of another destination waits for a function, at most. parked: how
    many, by the minute in which they are due.
    """

    shut_after: int = 0
    seconds: int = 0
    attempts: float = 0
    hidden: float = 0
    waits: float = 0
    writes_by_age: float = 0
    parked: Counter[int] = field(default_factory=Counter)


def onset(given: Scenario) -> Onset:
    """Let the destination fail while its gate is open: changes are retried by their queue, and parked after that."""
    found, evidence, back, queued = Onset(), Evidence(), dict[int, Counter[int]](), Counter[int]()
    came, went = [0], [0]
    for second in range(HOUR):
        queued[1] += round(given.arrivals)
        queued.update(back.pop(second, {}))
        came.append(went[-1] + queued.total())
        knows = bool(found.shut_after) and second >= found.shut_after + VIEW_MS // 1000
        taken = _take(queued, int(given.handled(HELD_SECONDS if knows else BATCH_SECONDS + given.failing_seconds)))
        went.append(went[-1] + taken.total())
        if knows:
            found.parked[0] += taken.total()
        else:
            _fail(taken, second + round(given.failing_seconds), found, back)
            _show(evidence, second * 1000, has_answers=second >= given.failing_seconds)
            found.writes_by_age = max(found.writes_by_age, taken.total() * RETRY.by_age / SHARDS)
        if not found.shut_after and evidence.is_down(second * 1000, opening=False):
            found.shut_after = second
        found.hidden = max(found.hidden, sum(each.total() for each in back.values()))
        if knows and not back and queued.total() <= given.arrivals:
            found.seconds = second
            break
    found.waits = max(bisect_left(went, number) - second for second, number in enumerate(came))
    return found


def _show(evidence: Evidence, now: int, *, has_answers: bool) -> None:
    for key in ("one", "another", "a third") if has_answers else ():
        evidence.add(Seen.TROUBLE, key, now)


def _take(queued: Counter[int], most: int) -> Counter[int]:
    """Take messages from the queue, those that were received before in proportion."""
    share = min(1.0, most / max(1, queued.total()))
    taken = Counter({receives: round(number * share) for receives, number in queued.items()})
    queued.subtract(taken)
    for receives in [each for each, number in queued.items() if number <= 0]:
        del queued[receives]
    return taken


def _fail(taken: Counter[int], second: int, found: Onset, back: dict[int, Counter[int]]) -> None:
    for receives, number in taken.items():
        found.attempts += number
        if is_parked_now(receives, 0):
            found.parked[second // 60 + wait_ms(0, 0.5) // MINUTE_MS] += number
        else:
            back.setdefault(second + delay(receives, 0.5), Counter())[receives + 1] += number


# The rest, minute by minute


@dataclass(slots=True)
class Kept:
    """The gate of the destination and its orders, as the monitor's ports."""

    gate: Gate
    given_out: list[Order] = field(default_factory=list)

    def all(self) -> Mapping[str, Gate]:
        """Return the gate."""
        return {self.gate.destination: self.gate}

    def step(self, _before: Gate, after: Gate) -> bool:
        """Take a step."""
        self.gate = after
        return True

    def send(self, orders: Sequence[Order]) -> None:
        """Keep the orders."""
        self.given_out = list(orders)


@dataclass(frozen=True, slots=True)
class Minute:
    """What one minute has shown. parked: at its end. requests, throttled: a second, at the destination.

    busy: share of the functions' time. waits: seconds that a change of another destination waits for a function.
    """

    number: int
    parked: float
    state: GateState
    released: float
    requests: float
    throttled: float
    busy: float
    waits: float


@dataclass(slots=True)
class Run:
    """One outage from its beginning until nothing is parked. worst_wait: minutes, of any key, from when it was due."""

    scenario: Scenario
    began: Onset
    minutes: list[Minute] = field(default_factory=list)
    probes: int = 0
    worst_wait: int = 0

    @property
    def away(self) -> int:
        """Return the minute in which the destination is back."""
        return round(self.scenario.hours * 60)

    @property
    def drained(self) -> int:
        """Return the minutes from there until nothing is parked."""
        return self.minutes[-1].number - self.away

    @property
    def after(self) -> list[Minute]:
        """Return the minutes since the destination is back."""
        return [minute for minute in self.minutes if minute.number >= self.away]


class Outage:
    """The state of one run. Parked changes: how many, by the minute in which they are due and how often they were."""

    def __init__(self, given: Scenario) -> None:
        self.given = given
        self.run = Run(given, onset(given))
        self.parked: Counter[tuple[int, int]] = Counter()
        for minute, number in self.run.began.parked.items():
            self.parked[minute, 1] += number
        self.kept = Kept(shut(Gate("west"), Reason.SERVICE, "503", self.run.began.shut_after * 1000))
        services: Any = self.kept
        self.services = ParkedServices(services, services, services, full=given.releases * 60)
        self.queued: Counter[int] = Counter()
        """On the change queue: new changes (0), and those that were parked so often."""

    def minute(self, number: int) -> None:
        """Let a minute pass: the monitor steps the gate, and its orders and new changes are processed."""
        now, is_back, before = number * MINUTE_MS, number >= self.run.away, self.kept.gate.state
        self.kept.given_out = []
        sample = self._sample()
        behind = Behind(self.kept.gate, Tally(now), sample)
        send_for([behind], self.services, Depth(visible=round(self.queued.total())), now)
        probe = any(order.probe for order in self.kept.given_out)
        self.run.probes += probe
        released = self._release(number, sum(order.most for order in self.kept.given_out))
        asked = 0.0 if self.kept.gate.state is not GateState.OPEN else self.given.arrivals * 60
        self._hold(number, self.given.arrivals * 60 - asked)
        self.queued.update(released)
        self.queued[0] += round(asked)
        throttled, requests = self._process(number, is_back=is_back)
        if probe and is_back and before is GateState.SHUT:
            self.kept.gate = opening(self.kept.gate, now)
        held = (self.given.arrivals * 60 - asked) * HELD_SECONDS / BATCH_SECONDS
        busy = (requests + held) / 60 / self.given.handled(BATCH_SECONDS)
        waits = self.queued.total() / self.given.handled(BATCH_SECONDS)
        gone, parked = released.total() / 60, self.parked.total()
        self.run.minutes.append(
            Minute(number, parked, self.kept.gate.state, gone, requests / 60, throttled / 60, busy, waits)
        )

    def _sample(self) -> Sample:
        """Return a sample of what is parked: exact if it is little."""
        total = self.parked.total()
        share = min(1.0, SAMPLED / total) if total else 1.0
        due, seen = list[tuple[int, str]](), 0.0
        for (minute, _), number in sorted(self.parked.items()):
            before, seen = seen, seen + number * share
            due += [(minute * MINUTE_MS, "1")] * (round(seen) - round(before))
        return Sample(share, due)

    def _release(self, now: int, most: int) -> Counter[int]:
        """Take the oldest that are due; return how many, by how often they were parked."""
        released: Counter[int] = Counter()
        for minute, times in sorted(self.parked):
            number = min(self.parked[minute, times], most - released.total())
            if number <= 0 or minute > now:
                break
            self.parked[minute, times] -= number
            if not self.parked[minute, times]:
                del self.parked[minute, times]
            released[times] += number
            if now >= self.run.away:
                self.run.worst_wait = max(self.run.worst_wait, now - minute)
        return released

    def _hold(self, minute: int, number: float) -> None:
        """Park what arrives behind a gate that is not open, due at once."""
        if number:
            self.parked[minute, 1] += round(number)

    def _process(self, now: int, *, is_back: bool) -> tuple[float, float]:
        """Process what is on the queue, as far as functions can; return changes that were throttled, and requests."""
        capacity = self.given.capacity * 60 if is_back else 0.0
        share, failing = self._balance(capacity)
        done = Counter({times: round(number * share) for times, number in self.queued.items()})
        self.queued.subtract(done)
        new = done.pop(0, 0)
        for times, number in done.items():
            due = now + max(1, round(wait_ms(times, 0.5) / MINUTE_MS)) if is_back else now  # a failed probe
            self._park_again(due, times + is_back, number * failing)
        self._park_again(now + 1, 1, new * failing**SHORT_RECEIVES)
        gone, gate = done.total(), self.kept.gate
        if gate.state is GateState.OPENING:
            self.kept.gate = replace(gate, succeeded=round(gone * (1 - failing)), troubled=round(gone * failing))
        requests = gone + new * _tries(failing)
        return requests * failing, requests

    def _balance(self, capacity: float) -> tuple[float, float]:
        """Return the share of the queue that is processed, and the share of requests that are throttled."""
        share, failing, limit = 1.0, 0.0, self.given.handled(BATCH_SECONDS) * 60
        new, others = self.queued[0], self.queued.total() - self.queued[0]
        for _ in range(50):  # what is throttled is retried, and so throttled more: until both agree
            requests = others + new * _tries(failing)
            if not requests:
                break
            share = min(1.0, limit / requests)
            failing = 0.5 * failing + 0.5 * max(0.0, 1 - capacity / (requests * share))
        return share, failing

    def _park_again(self, minute: int, times: int, number: float) -> None:
        if round(number):
            self.parked[minute, min(times, 6)] += round(number)


def _tries(failing: float) -> float:
    """Return how often a new change is tried on its queue, on average."""
    return sum(failing**number for number in range(SHORT_RECEIVES))


def play(given: Scenario) -> Run:
    """Play an outage from its first second until nothing is parked."""
    outage = Outage(given)
    for number in range(max(1, outage.run.began.seconds // 60), outage.run.away + LONGEST_DRAIN):
        outage.minute(number)
        if number > outage.run.away + 1 and not outage.parked and outage.kept.gate.state is GateState.OPEN:
            break
    return outage.run
