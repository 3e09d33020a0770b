"""Buckets and journal that read each thing of one key only once, and write nothing: while one key is examined.

All versions of a key are decided about by the same two histories, so these are listed once, in the order in which they
must be: all destinations, then the source (see Histories). There are no methods that write: whatever tried to would
fail.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from replicator.core.aspects.base import Agreement
from replicator.core.deciding.facts import Absent, Top
from replicator.core.deciding.journal import Memory, Pair
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Side
from replicator.core.versions.version import Grant, Head, History
from replicator.flows.ports import Amendable, Buckets, Earlier, Journal, Objects, Replicas

T = TypeVar("T")


@dataclass(slots=True)
class KeptObjects:
    """One bucket as it was when it was first asked. objects: the bucket itself."""

    objects: Amendable
    _kept: dict[tuple[str, ...], Any] = field(default_factory=dict)

    def _once(self, asked: tuple[str, ...], ask: Callable[[], T]) -> T:
        if asked not in self._kept:
            self._kept[asked] = ask()
        return cast("T", self._kept[asked])

    def keep_history(self, key: str, history: History) -> None:
        """Take a history that was listed a moment ago."""
        self._kept["history", key] = history

    def head(self, key: str, version_id: str) -> Head | Absent:
        """Read one version."""
        return self._once(("head", key, version_id), lambda: self.objects.head(key, version_id))

    def exists(self, key: str, version_id: str) -> bool:
        """Return whether there is an entry with this id: always asked anew, because a list lacks it."""
        return self.objects.exists(key, version_id)

    def top(self, key: str) -> Top:
        """Read the current object of a key."""
        return self._once(("top", key), lambda: self.objects.top(key))

    def history(self, key: str) -> History:
        """List all entries of a key."""
        return self._once(("history", key), lambda: self.objects.history(key))

    def tags(self, key: str, version_id: str) -> Mapping[str, str]:
        """Read the tags of one version, unless a HEAD said that there are none."""
        head = self._kept.get(("head", key, version_id))
        if isinstance(head, Head) and head.tag_count == 0:
            return {}
        return self._once(("tags", key, version_id), lambda: self.objects.tags(key, version_id))

    def grants(self, key: str, version_id: str) -> tuple[Grant, ...]:
        """Read the ACL of one version."""
        return self._once(("grants", key, version_id), lambda: self.objects.grants(key, version_id))

    def annotations(self, key: str, version_id: str) -> Mapping[str, str] | None:
        """Return the ETags of a version's annotations."""
        return self._once(("annotations", key, version_id), lambda: self.objects.annotations(key, version_id))


@dataclass(slots=True)
class KeptBuckets:
    """The buckets, each kept for one key."""

    buckets: Buckets
    _kept: dict[tuple[str, Side], KeptObjects] = field(default_factory=dict)

    def source(self, bucket: str) -> Objects:
        """Return a source bucket."""
        return self._bucket(Target(bucket), Side.SOURCE)

    def source_has_acls(self, bucket: str) -> bool:
        """Return whether ACLs are enabled in a source bucket."""
        return self.buckets.source_has_acls(bucket)

    def replicas(self, target: Target) -> Replicas:
        """Return a destination bucket."""
        return cast("Replicas", self._bucket(target, Side.DESTINATION))

    def amendable(self, target: Target, side: Side) -> Amendable:
        """Return a source or a destination for what may change after the write."""
        return cast("Amendable", self._bucket(target, side))

    def describe(self, target: Target, *, recent: bool = False) -> Target:
        """Return a destination with its Region and capabilities."""
        return self.buckets.describe(target, recent=recent)

    def keep_history(self, target: Target, side: Side, key: str, history: History) -> None:
        """Take the history of a key that was listed a moment ago."""
        self._bucket(target, side).keep_history(key, history)

    def _bucket(self, target: Target, side: Side) -> KeptObjects:
        if (target.bucket, side) not in self._kept:
            self._kept[target.bucket, side] = KeptObjects(self.buckets.amendable(target, side))
        return self._kept[target.bucket, side]


@dataclass(slots=True)
class KeptJournal:
    """The journal, whose entry of a pair is read once. Only reads."""

    journal: Journal
    _memories: dict[Pair, Memory] = field(default_factory=dict)

    def read(self, pair: Pair) -> Memory:
        """Read the entry of a pair."""
        if pair not in self._memories:
            self._memories[pair] = self.journal.read(pair)
        return self._memories[pair]

    def earlier(self, pair: Pair, item_id: str) -> Earlier | None:
        """Read what earlier deliveries of a change recorded."""
        return self.journal.earlier(pair, item_id)

    def agreement(self, pair: Pair, version_id: str) -> Agreement:
        """Read what one version and its replicas agreed on."""
        return self.journal.agreement(pair, version_id)
