"""One replicator stack of the simulation: the product's own flow, with a queue, a journal and rules of its own."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import partial

from replicator.core.deciding.eligibility import Limits
from replicator.core.rules.matching import RuleSet
from replicator.core.rules.rule import Rule
from replicator.flows.change.conclude import Closing
from replicator.flows.change.consume import Consumer
from replicator.flows.change.gatekeeper import Gatekeeper
from replicator.flows.change.record import Recorder
from replicator.flows.change.replicate import Services
from replicator.flows.change.shares import Shares
from replicator.flows.reading import Marks

from tests.fakes.forwarding import MemoryForwarding
from tests.fakes.journal import MemoryJournal
from tests.fakes.objects import MemoryBuckets
from tests.fakes.parking import MemoryGates, MemoryOrders, MemoryOutbox
from tests.fakes.queue import MemoryQueue
from tests.fakes.reporting import MemoryLog, MemoryMeasures, MemoryNotices
from tests.fakes.rules import MemoryRules, rule
from tests.fakes.s3 import Happening
from tests.fakes.stored import Stored
from tests.fakes.upload_journal import MemoryUploadJournal
from tests.fakes.uploads import UploadStore
from tests.simulation.choices import Choices
from tests.simulation.large import with_parts
from tests.simulation.parked import Parked, ThriftyParking
from tests.simulation.setting import Setting
from tests.simulation.turns import Turns, TurnThreads
from tests.simulation.weather import Weather


def principal(bucket: str) -> str:
    """Return the name under which the stack of a source bucket writes."""
    return f"AWS:ROLE-{bucket}:replicate"


@dataclass(slots=True)
class Stack:
    """One deployment, beside its source bucket. `subjects`: the entry that a message tells of, by message id.

    `later`: the later change that a message tells of, by message id.

    `parts`: the part queue. `consumer`: of its functions, without gates. `gated`: containers have gates. `aside`:
    and let every new change step aside. `idle`: the
    containers that nobody uses, by the name of the queue that they consume.
    """

    bucket: str
    queue: MemoryQueue
    parts: MemoryQueue
    journal: MemoryJournal
    consumer: Consumer
    parked: Parked
    gated: bool = False
    log: MemoryLog = field(default_factory=MemoryLog)
    aside: bool = False
    later: dict[str, Happening] = field(default_factory=dict)
    subjects: dict[str, Stored] = field(default_factory=dict)
    idle: dict[str, list[Consumer]] = field(default_factory=dict)

    def awaits_as_old(self, version_ids: Collection[str]) -> bool:
        """Return whether a message on the change queue is about something at least as young as these versions."""
        youngest = max((each.serial for each in self.subjects.values() if each.version_id in version_ids), default=0)
        awaited = [self.subjects[letter_id] for letter_id in self.queue.messages if letter_id in self.subjects]
        return any(each.serial <= youngest for each in awaited)

    def take_container(self, queue: MemoryQueue, choices: Choices) -> Consumer:
        """Return a container for a batch of this queue: one that is idle, and sometimes a new one."""
        idle = self.idle.setdefault(queue.name, [])
        if idle and not (self.gated and choices.chance(10)):
            return idle.pop()
        return self._start_container(queue)

    def put_back(self, queue_name: str, container: Consumer) -> None:
        """Note that a container is idle again. One whose function was killed is not put back."""
        self.idle[queue_name].append(container)

    def _start_container(self, queue: MemoryQueue) -> Consumer:
        if not self.gated:
            return replace(self.consumer, queue=queue)
        now = self.consumer.services.now
        gatekeeper = Gatekeeper(self.parked.gates, now, self.log)
        services = replace(self.consumer.services, gatekeeper=gatekeeper, enlist=gatekeeper.enlist)
        if self.aside:
            services = replace(services, shares=Shares(-1, now, least=1))
        closing = self.consumer.closing
        recorder = replace(closing.recorder, enlist=gatekeeper.enlist)  # type: ignore[type-var]
        return replace(self.consumer, services=services, queue=queue, closing=replace(closing, recorder=recorder))


def build_stack(
    sources: tuple[str, ...],
    setting: Setting,
    uploads: UploadStore,
    turns: Turns,
    choices: Choices,
    *,
    weather: Weather | None,
    send_to: Callable[[str, str], object],
) -> Stack:
    """Return the stack of one source bucket, or of several, with its rules in place.

    send_to: puts a message on the queue of the stack that serves a bucket.
    """
    bucket = sources[0]
    s3, journal = uploads.s3, MemoryJournal(turns)
    queue = MemoryQueue(s3.clock, turns)
    parts = MemoryQueue(s3.clock, turns, timeout=1800.0, name="parts")
    log, rules = MemoryLog(), _rules(sources, setting)
    upload_journal = MemoryUploadJournal(turns)
    services = Services(
        buckets=MemoryBuckets(s3, turns, principal(bucket)),
        rules=(lambda name: weather.rules(name, rules, s3.clock.now)) if weather else rules.of,
        journal=journal,
        marks=Marks(),
        limits=Limits(),
        side_by_side=turns.side_by_side,
        threads=TurnThreads(turns),
        now=s3.clock.milliseconds,
        own_principals=frozenset(principal(name) for name in setting.sources) if setting.filtered else frozenset(),
        forwarding=MemoryForwarding(sources, send_to, turns, setting.recorded),
        warn=lambda _: None,
    )
    if setting.large:
        services = with_parts(services, uploads, turns, principal(bucket), parts=parts, journal=upload_journal)
    parked = Parked(
        MemoryGates(turns),
        ThriftyParking(journal, upload_journal, points=turns),
        MemoryOrders(turns),
        MemoryOutbox(queue, parts, turns),
        queue,
        turns,
        s3.clock,
        s3.clock.now,
    )
    jitter = lambda: choices.below(100) / 100  # noqa: E731
    enlist = partial(_enlist, parked)
    recorder = Recorder(journal, queue, MemoryNotices(turns), s3.clock.milliseconds, enlist, jitter)
    services = replace(services, enlist=enlist)
    closing = Closing(recorder, MemoryMeasures(), log, services.multipart)
    consumer = Consumer(services, queue, closing, jitter)
    gated = weather is not None or (setting.later and setting.large)  # who waits for a lease is parked in the end
    return Stack(bucket, queue, parts, journal, consumer, parked, gated, log, aside=setting.aside)


def _enlist(parked: Parked, destination: str) -> None:
    """Make sure that what is parked is found, where no container has a view of the gates."""
    gate = parked.gates.gates.get(destination)
    if gate is None or gate.quiet:
        parked.gates.enlist(destination, parked.clock.milliseconds())


def _rules(sources: tuple[str, ...], setting: Setting) -> MemoryRules:
    return MemoryRules({bucket: RuleSet(bucket, _rules_of(bucket, setting)) for bucket in sources})


def _rules_of(bucket: str, setting: Setting) -> tuple[Rule, ...]:
    routes = [route for route in setting.routes if route.source == bucket]
    return tuple(
        rule(
            route.destination,
            rule_id=f"to {route.destination}",
            tags=route.tags,
            delete_markers=route.markers,
            storage_class=route.storage_class,
            replica_modifications=bucket in setting.modifications,
            annotation_deletions=setting.removals,
        )
        for route in routes
    )
