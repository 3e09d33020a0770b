"""The world of one history: buckets, stacks, users, and the events that go from one to the other.

Separate from the scheduler, which says in what order things happen here; the checks read this and nothing else.
"""

import itertools
from dataclasses import dataclass, field, replace

from replicator.core.deciding.journal import Pair
from replicator.core.versions.change import Change, ChangeKind, Wish
from replicator.core.versions.events import write
from replicator.core.versions.version import Lock

from tests.fakes.clock import Clock
from tests.fakes.native import NativeReplication
from tests.fakes.notifications import LATER, eventbridge, notification
from tests.fakes.s3 import Amendment, Bucket, Happening, MemoryS3
from tests.fakes.uploads import UploadStore
from tests.simulation.aspect_promises import AspectWatch
from tests.simulation.choices import Choices
from tests.simulation.parking_promises import ParkingWatch
from tests.simulation.setting import Setting
from tests.simulation.stacks import Stack, build_stack
from tests.simulation.story import Story
from tests.simulation.truth import is_native
from tests.simulation.turns import Turns
from tests.simulation.undeletes import Undeletes
from tests.simulation.users import Users
from tests.simulation.watch import Watch
from tests.simulation.weather import Weather, draw_weather

SCRAMBLE = "qdzkbwmhtrxcvnfpjgls"
"""Version ids begin with a letter that follows no order: nobody may sort by them."""


@dataclass(slots=True)
class Luck:
    """How many events in a hundred come twice; mishaps and needless deliveries so far."""

    duplicates: int = 0
    mishaps: int = 0
    extra: int = 0


@dataclass(slots=True)
class History:
    """Everything that exists in one history. deployed: all stacks, each once."""

    setting: Setting
    choices: Choices
    told: bool = False
    luck: Luck = field(default_factory=Luck)
    s3: MemoryS3 = field(init=False)
    uploads: UploadStore = field(init=False)
    watch: Watch = field(init=False)
    turns: Turns = field(init=False)
    users: Users = field(init=False)
    undeletes: Undeletes = field(init=False)
    weather: Weather | None = None
    parking: ParkingWatch | None = None
    aspects: AspectWatch | None = None
    stacks: dict[str, Stack] = field(default_factory=dict)
    deployed: list[Stack] = field(default_factory=list)
    natives: list[NativeReplication] = field(default_factory=list)

    def __post_init__(self) -> None:
        clock = Clock()
        numbers = itertools.count(1)
        by_completion, digits = self.setting.by_completion, self.setting.digits
        self.s3 = MemoryS3(
            clock,
            new_id=lambda: _version_id(next(numbers)),
            by_completion=by_completion,
            sequencer_digits=digits,
            names_versions=self.setting.names_versions,
        )
        self.uploads = UploadStore(self.s3, strict=not by_completion)
        self.watch = Watch(self.setting, self.s3, self._settled, Story(clock, clock.now) if self.told else None)
        self.turns = Turns(self.watch)
        for name in self.setting.buckets:
            self.s3.add(self._bucket(name))
        if self.setting.outage:
            setting = self.setting
            self.weather = draw_weather(setting.outage, setting.sources[0], setting.keys, clock.now, self.choices)
            self.parking = ParkingWatch(self)
            self.watch.also = self.parking.called
            self.tell("weather", str(self.weather))
        self._build_stacks()
        self.users = Users(self.setting, self.s3, self.stacks, self.choices, self.tell, self.watch.retagged, self.ask)
        self.undeletes = Undeletes(self.s3, self.stacks)
        self.s3.listeners += [self.watch.happened, self.undeletes.happened, self._send]
        if self.setting.later:
            self.aspects = AspectWatch(self.setting, self.s3, self.watch.violations)
            self.s3.listeners.append(self.aspects.happened)
            self.s3.witnesses += [self.aspects.amended, self._trail]
        for route in self.setting.native:
            native = NativeReplication(self.s3, route.source, route.destination, route.markers)
            self.natives.append(native)

    def _build_stacks(self) -> None:
        sources = self.setting.sources
        for served in [sources] if self.setting.one_stack else [(name,) for name in sources]:
            stack = build_stack(
                served,
                self.setting,
                self.uploads,
                self.turns,
                self.choices,
                weather=self.weather,
                send_to=lambda bucket, body: self.stacks[bucket].queue.send(body),
            )
            self.stacks |= dict.fromkeys(served, stack)
            self.deployed.append(stack)

    def tell(self, who: str, what: str) -> None:
        """Add a line to the story, if one is written."""
        if self.watch.story:
            self.watch.story.tell(who, what)

    def _settled(self, pair: Pair, version_id: str) -> bool:
        memory = self.stacks[pair.source].journal.entries.get(pair) if pair.source in self.stacks else None
        return memory is not None and version_id in memory.settled

    def _bucket(self, name: str) -> Bucket:
        setting = self.setting
        return Bucket(
            name,
            versioning=setting.versioning.get(name, "Enabled"),
            listens=name in setting.sources,
            skew=setting.skew.get(name, 0.0),
            acls_enabled=setting.later,
            object_lock=setting.locks,
        )

    def _send(self, happening: Happening) -> None:
        """Send the event of an entry to the stack beside its bucket, sometimes more than once."""
        stack = self.stacks.get(happening.bucket)
        if stack is None:
            return
        if self.choices.chance(self.setting.unheard):
            return
        body = notification(happening) if self.setting.filtered else eventbridge(happening)
        self._put(stack, body, happening)
        while self.choices.chance(self.luck.duplicates):
            self.luck.extra += 1
            self._put(stack, body, happening)

    def ask(self, bucket: str, key: str, wish: Wish = Wish.EXISTING) -> None:
        """Ask for all entries of a key, as an operator does: in one message, the oldest first."""
        stored, now = self.s3.buckets[bucket].history(key), self.s3.clock.milliseconds()
        others = [self.s3.buckets[each].history(key) for each in self.setting.buckets if each != bucket]
        lone = len(stored) == 1 and stored[0].is_version and not any(others)
        asked = [
            Change(
                ChangeKind.CREATED if each.is_version else ChangeKind.MARKED_DELETED,
                *(bucket, key, each.version_id),
                time=now,
                wish=wish,
                lone=lone,
            )
            for each in stored
        ]
        if asked:
            self.tell("operator", f"asks for all of {bucket}/{key}")
            self.luck.extra += 1
            self.stacks[bucket].queue.send(write(*asked))

    def _put(self, stack: Stack, body: str, happening: Happening) -> None:
        message = stack.queue.send(body)
        if happening.name.startswith(LATER):
            stack.later[message.id] = happening
        elif happening.name != "ObjectRemoved:Delete" or is_native(happening.stored):
            stack.subjects[message.id] = happening.stored

    def _trail(self, amendment: Amendment) -> None:
        """Send what CloudTrail logs of a legal hold, for which S3 has no event."""
        before, after = amendment.before, amendment.after
        stack = self.stacks.get(amendment.bucket)
        if stack and isinstance(before, Lock) and isinstance(after, Lock) and before.legal_hold != after.legal_hold:
            stored, principal = amendment.stored, amendment.author if self.setting.filtered else ""
            now = self.s3.clock.milliseconds()
            change = Change(ChangeKind.LEGAL_HOLD, amendment.bucket, amendment.key, stored.version_id, now)
            stack.queue.send(write(replace(change, principal=principal)))


def _version_id(number: int) -> str:
    return f"{SCRAMBLE[number * 7 % len(SCRAMBLE)]}{number}"
