"""What users change of versions after the write, at any version of either side: one function per act.

Separate from users.py because these acts write no entry. Values are unique wherever S3 allows that, so that the
promises can tell who wrote what stands.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from replicator.core.versions.origin import MARK
from replicator.core.versions.version import Grant, Lock

from tests.fakes.s3 import MemoryS3, Refused
from tests.fakes.stored import Content, Stored
from tests.simulation.choices import Choices
from tests.simulation.setting import Setting
from tests.simulation.truth import is_native, root

Tell = Callable[[str, str], None]

FAR = datetime(2040, 1, 1, tzinfo=UTC)
NOTES = ("a", "b")
"""Names of annotations."""


@dataclass(slots=True)
class AspectUsers:
    """Users who change versions. retagged: versions whose tags were changed, by serial."""

    setting: Setting
    s3: MemoryS3
    choices: Choices
    tell: Tell
    retagged: set[int]
    values: int = 0
    by_name: Mapping[str, Callable[[str, str], None]] = field(init=False)

    def __post_init__(self) -> None:
        self.by_name = {
            "retag": self._retag,
            "grant": self._grant,
            "retain": self._retain,
            "hold": self._hold,
            "event hold": self._hold_for_event,
            "strip": self._strip,
            "annotate": self._annotate,
            "unannotate": self._unannotate,
        }

    def _retag(self, bucket: str, key: str) -> None:
        """Replace all tags, ours too, unless one is the mark: who takes that away makes a native version of it."""
        if stored := self._any_version(bucket, key):
            tags = {"value": self._value(), **self._wanted()}
            if mark := stored.content.tags.get(MARK):
                tags[MARK] = mark
            if self._wanted_tags:
                self.retagged.add(stored.serial)
            self._change(f"tags {_named(stored, key)} {tags}", lambda: self.s3.tag(*_place(stored, key), tags))

    def _grant(self, bucket: str, key: str) -> None:
        if stored := self._any_version(bucket, key):
            grants = (Grant("READ", f'id="{self._value()}"'),)
            self._change(
                f"grants {_named(stored, key)} to {grants[0].grantee}",
                lambda: self.s3.grant(*_place(stored, key), grants),
            )

    def _retain(self, bucket: str, key: str) -> None:
        if stored := self._any_version(bucket, key):
            days = self.choices.below(100)
            until = FAR + timedelta(days=days, seconds=int(self._value()))
            lock = Lock("GOVERNANCE", until.isoformat())
            self._change(
                f"retains {_named(stored, key)} until {lock.until}", lambda: self.s3.retain(*_place(stored, key), lock)
            )

    def _hold(self, bucket: str, key: str) -> None:
        if stored := self._any_version(bucket, key):
            on = not stored.content.lock.legal_hold
            self._change(
                f"{'holds' if on else 'lifts the hold of'} {_named(stored, key)}",
                lambda: self.s3.hold(*_place(stored, key), on=on),
            )

    def _hold_for_event(self, bucket: str, key: str) -> None:
        """Set an event hold, or release it: then its duration begins."""
        if stored := self._any_version(bucket, key):
            old = stored.content.lock
            hold = Lock("GOVERNANCE", event_hold=True, event_hold_days=10_000 + int(self._value()))
            self._change(
                f"{'releases' if old.event_hold else 'sets'} the event hold of {_named(stored, key)}",
                lambda: self.s3.retain(
                    *_place(stored, key), Lock(old.mode) if old.event_hold else hold, releases=old.event_hold
                ),
            )

    def _strip(self, bucket: str, key: str) -> None:
        """Replace all tags, the mark of a replica too.

        But not of a version that was put back in its own bucket: without its mark nobody could tell it from a user's.
        """
        stored = self._any_version(bucket, key)
        if stored and (is_native(stored) or root(stored).bucket != stored.bucket):
            tags = {"value": self._value()}
            self._change(
                f"replaces all tags of {_named(stored, key)} by {tags}", lambda: self.s3.tag(*_place(stored, key), tags)
            )

    def _annotate(self, bucket: str, key: str) -> None:
        if stored := self._any_version(bucket, key):
            name, payload = self.choices.one_of(NOTES), self._value().encode()
            self._change(
                f"annotates {_named(stored, key)} {name}={payload.decode()}",
                lambda: self.s3.annotate(*_place(stored, key), name, payload),
            )

    def _unannotate(self, bucket: str, key: str) -> None:
        if stored := self._any_version(bucket, key):
            name = self.choices.one_of(NOTES)
            self._change(
                f"removes annotation {name} of {_named(stored, key)}",
                lambda: self.s3.annotate(*_place(stored, key), name, None),
            )

    def _change(self, what: str, change: Callable[[], None]) -> None:
        self.tell("user", what)
        try:
            change()
        except Refused as refused:
            self.tell("S3", f"refuses: {refused}")

    def _any_version(self, bucket: str, key: str) -> Stored | None:
        versions = [stored for stored in self.s3.buckets[bucket].history(key) if stored.is_version]
        return self.choices.one_of(versions[::-1]) if versions else None

    def _value(self) -> str:
        self.values += 1
        return str(self.values)

    @property
    def _wanted_tags(self) -> Mapping[str, str]:
        return next((route.tags for route in self.setting.routes if route.tags), {})

    def _wanted(self) -> Mapping[str, str]:
        return self._wanted_tags if self._wanted_tags and self.choices.below(2) else {}


def edited(content: Content, number: int) -> Content:
    """Return what a user writes who edits metadata by a copy onto itself: the mark of a replica is copied along.

    In parts, whose number shows in its ETag: identical bytes that are written twice are a documented limit.
    """
    metadata = {**content.metadata, "edit": str(number)}
    return replace(content, metadata=metadata, parts=1 + number)


def _place(stored: Stored, key: str) -> tuple[str, str, str]:
    return stored.bucket, key, stored.version_id


def _named(stored: Stored, key: str) -> str:
    return f"{stored.bucket}/{key} {stored.version_id}"
