"""What a world is in which histories are played: buckets, rules, who writes where, and what may happen there.

Separate from the worlds themselves, which are in settings.py and aspect_settings.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from replicator.core.versions.version import ARCHIVED_CLASSES

from tests.fakes.stored import Content


class Order(StrEnum):
    """What is promised about the current versions at rest."""

    SOURCE = "the destination shows what the source shows"
    SAME = "both buckets show the same winner"
    NO_OLDER = "the destination shows what the source shows, or something newer that was deleted there for good"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Route:
    """One rule: from a bucket to a bucket."""

    source: str
    destination: str
    markers: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)
    storage_class: str | None = None

    def selects(self, content: Content) -> bool:
        """Return whether the rule wants a version, and S3 can copy it."""
        archived = content.storage_class in ARCHIVED_CLASSES
        return not archived and all(content.tags.get(key) == value for key, value in self.tags.items())


@dataclass(frozen=True, slots=True)
class Setting:
    """One world.

    acts: what users may do, the more often named the more likely. writes, least: how many acts at most, and at least.
    hurried: they come faster than handlers can follow. batch: messages that one function gets at most. concurrency: how
    many functions run at a time. apart: seconds between two acts at least. filtered: events name who wrote.
    known_limit: why its violations are known and documented. share: of the histories played, next to other worlds.
    native: routes that S3's own replication serves. large: stacks copy in parts. by_completion: uploads stand where
    they were completed, as in stores that only speak S3's language, and a key that was written meanwhile is no
    conflict. digits: how long sequencers are, in turn. outage: the bucket that fails for a while, as weather.py has it.

    later: later changes are replicated, and promised. modifications: the sources whose rules replicate modifications of
    replicas back. removals: rules replicate deletions of annotations. names_versions: events of later changes name
    their version. one_stack: one stack serves all sources. locks: buckets have Object Lock. unheard: percent of events
    that never come; in the end an operator asks for all that there is. restores: and lets nothing else stand.
    calm: users wait until all changes before have arrived. aside: whatever comes for the first time steps aside.
    """

    name: str
    routes: tuple[Route, ...]
    writers: tuple[str, ...]
    order: Order
    acts: tuple[str, ...] = ("write", "write", "write", "delete")
    writes: int = 6
    least: int = 1
    hurried: bool = False
    batch: int = 3
    concurrency: int = 1000
    apart: float = 0.0
    keys: tuple[str, ...] = ("k",)
    filtered: bool = True
    skew: Mapping[str, float] = field(default_factory=dict)
    versioning: Mapping[str, str] = field(default_factory=dict)
    same_bytes: bool = False
    known_limit: str = ""
    share: float = 1.0
    large: bool = False
    by_completion: bool = False
    digits: tuple[int, ...] = (18,)
    native: tuple[Route, ...] = ()
    outage: str = ""
    later: bool = False
    modifications: tuple[str, ...] = ()
    removals: bool = False
    names_versions: bool = True
    one_stack: bool = False
    locks: bool = False
    unheard: int = 0
    restores: bool = False
    calm: bool = False
    aside: bool = False

    def takes_nothing(self, bucket: str) -> bool:
        """Return whether nothing may be written to a destination, because it keeps no versions."""
        return any(route.destination == bucket for route in self.routes) and bucket in self.versioning

    def sends_back(self, bucket: str, replica_bucket: str) -> bool:
        """Return whether what users change of a replica goes back to its version: both rules must say so."""
        pairs = {(route.source, route.destination) for route in self.routes}
        both = {(bucket, replica_bucket), (replica_bucket, bucket)} <= pairs
        return both and {bucket, replica_bucket} <= set(self.modifications)

    @property
    def recorded(self) -> frozenset[tuple[str, str]]:
        """For which bucket the queue of which destination's stack is recorded, as `rules put` does on both sides."""
        pairs = {(route.source, route.destination) for route in self.routes if route.destination in self.sources}
        return frozenset(pairs | {(destination, source) for source, destination in pairs})

    @property
    def buckets(self) -> tuple[str, ...]:
        """All buckets, in the order in which the routes name them."""
        routes = (*self.routes, *self.native)
        return tuple(dict.fromkeys(name for route in routes for name in (route.source, route.destination)))

    @property
    def sources(self) -> tuple[str, ...]:
        """The buckets with rules, each with a stack of its own unless `one_stack`."""
        return tuple(dict.fromkeys(route.source for route in self.routes))


def from_one(source: str, *destinations: str) -> tuple[Route, ...]:
    return tuple(Route(source, destination) for destination in destinations)


def both_ways(*buckets: str) -> tuple[Route, ...]:
    return tuple(Route(one, other) for one in buckets for other in buckets if one != other)
