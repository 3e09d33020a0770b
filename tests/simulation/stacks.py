"""One replicator stack of the simulation: the product's own flow, with a queue, a journal and rules of its own."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from replicator.core.deciding.eligibility import Limits
from replicator.core.rules.matching import RuleSet
from replicator.flows.change.conclude import Closing
from replicator.flows.change.consume import Consumer
from replicator.flows.change.reading import Marks
from replicator.flows.change.record import Recorder
from replicator.flows.change.replicate import Services

from tests.fakes.journal import MemoryJournal
from tests.fakes.objects import MemoryBuckets
from tests.fakes.queue import MemoryQueue
from tests.fakes.reporting import MemoryLog, MemoryMeasures, MemoryNotices
from tests.fakes.rules import MemoryRules, rule
from tests.fakes.stored import Stored
from tests.fakes.uploads import UploadStore
from tests.simulation.choices import Choices
from tests.simulation.large import with_parts
from tests.simulation.settings import Setting
from tests.simulation.turns import Turns, TurnThreads


def principal(bucket: str) -> str:
    """Return the name under which the stack of a source bucket writes."""
    return f"AWS:ROLE-{bucket}:replicate"


@dataclass(slots=True)
class Stack:
    """One deployment, beside its source bucket. `subjects`: the entry that a message tells of, by message id.

    `parts`: the part queue, and `parts_desk` the consumer of its workers.
    """

    bucket: str
    queue: MemoryQueue
    parts: MemoryQueue
    journal: MemoryJournal
    consumer: Consumer
    parts_desk: Consumer
    log: MemoryLog = field(default_factory=MemoryLog)
    subjects: dict[str, Stored] = field(default_factory=dict)

    def awaits_as_old(self, version_ids: Collection[str]) -> bool:
        """Return whether a message on the change queue is about something at least as young as these versions."""
        youngest = max((each.serial for each in self.subjects.values() if each.version_id in version_ids), default=0)
        awaited = [self.subjects[letter_id] for letter_id in self.queue.messages if letter_id in self.subjects]
        return any(each.serial <= youngest for each in awaited)


def build_stack(bucket: str, setting: Setting, uploads: UploadStore, turns: Turns, choices: Choices) -> Stack:
    """Return the stack of one source bucket, with its rules in place."""
    s3, journal = uploads.s3, MemoryJournal(turns)
    queue = MemoryQueue(s3.clock, turns)
    parts = MemoryQueue(s3.clock, turns, timeout=1800.0, name="parts")
    log = MemoryLog()
    services = Services(
        buckets=MemoryBuckets(s3, turns, principal(bucket)),
        rules=_rules(bucket, setting).of,
        journal=journal,
        marks=Marks(),
        limits=Limits(),
        side_by_side=turns.side_by_side,
        threads=TurnThreads(turns),
        now=s3.clock.milliseconds,
        own_principals=frozenset(principal(name) for name in setting.sources) if setting.filtered else frozenset(),
    )
    if setting.large:
        services = with_parts(services, uploads, turns, principal(bucket), parts)
    recorder = Recorder(journal, queue, MemoryNotices(turns), s3.clock.milliseconds)
    closing = Closing(recorder, MemoryMeasures(), log, services.multipart)
    consumer = Consumer(services, queue, closing, jitter=lambda: choices.below(100) / 100)
    return Stack(bucket, queue, parts, journal, consumer, replace(consumer, queue=parts), log)


def _rules(bucket: str, setting: Setting) -> MemoryRules:
    routes = [route for route in setting.routes if route.source == bucket]
    rules = tuple(
        rule(
            route.destination,
            rule_id=f"to {route.destination}",
            tags=route.tags,
            delete_markers=route.markers,
            storage_class=route.storage_class,
        )
        for route in routes
    )
    return MemoryRules({bucket: RuleSet(bucket, rules)})
