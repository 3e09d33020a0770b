"""The worlds that histories are played in: buckets, rules, who writes where, and what may happen there.

Each is one row; what its name means for the promises stands in promises.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

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

    def takes_nothing(self, bucket: str) -> bool:
        """Return whether nothing may be written to a destination, because it keeps no versions."""
        return any(route.destination == bucket for route in self.routes) and bucket in self.versioning

    @property
    def buckets(self) -> tuple[str, ...]:
        """All buckets, in the order in which the routes name them."""
        routes = (*self.routes, *self.native)
        return tuple(dict.fromkeys(name for route in routes for name in (route.source, route.destination)))

    @property
    def sources(self) -> tuple[str, ...]:
        """The buckets with rules, each with a stack of its own."""
        return tuple(dict.fromkeys(route.source for route in self.routes))


def _from(source: str, *destinations: str) -> tuple[Route, ...]:
    return tuple(Route(source, destination) for destination in destinations)


def _both_ways(*buckets: str) -> tuple[Route, ...]:
    return tuple(Route(one, other) for one in buckets for other in buckets if one != other)


ARCHIVING = (Route("east", "west", storage_class="GLACIER"),)
ARCHIVING_TWO_WAY = (*ARCHIVING, Route("west", "east", storage_class="GLACIER"))
TAGS = {"replicate": "yes"}
ONE_WAY = (Route("east", "west"),)
TWO_WAY = _both_ways("east", "west")
SUSPENDED = {"east": "Suspended"}
UNVERSIONED = {"west": "Suspended"}
RESTORES = ("write", "write", "write", "restore")
BACK = (Route("west", "east"),)
RING = (Route("west", "north"), Route("north", "east"))
SAME_BYTES = "ETags cannot tell identical bytes apart"
BOTH = ("east", "west")
WRITES = ("write",)
DELETES = ("write", "write", "write", "delete")
FORGETS = (*DELETES, "forget", "forget")
LOSES = (*DELETES, "lose", "lose")
LARGE = ("large", "large", "write", "delete")
OUTAGE: Any = {"keys": ("k", "k/2", "l", "m", "n"), "writes": 12, "least": 4, "share": 0.1}
"""Of several keys that fail, the gate makes one trouble of all."""

TO_THREE = _from("east", "west", "north", "south")

SETTINGS = (
    Setting("one-way", (Route("east", "west", markers=False),), ("east",), Order.SOURCE, WRITES),
    Setting("one-way, delete markers", ONE_WAY, ("east",), Order.SOURCE, DELETES),
    Setting("one-way, users write at the destination", ONE_WAY, BOTH, Order.SOURCE, DELETES),
    Setting("one-way, users delete for good", ONE_WAY, ("east", "west"), Order.NOTHING, (*WRITES, "destroy")),
    Setting("one-way, users delete for good at the source", ONE_WAY, ("east",), Order.NO_OLDER, (*DELETES, "destroy")),
    Setting("one-way, lifecycle expires", ONE_WAY, ("east",), Order.SOURCE, (*DELETES, "expire")),
    Setting("one-way, tag filter", (Route("east", "west", False, TAGS),), ("east",), Order.SOURCE, (*WRITES, "tag")),
    Setting("one-way, replicas archived", ARCHIVING, ("east",), Order.SOURCE, DELETES),
    Setting("one-way, archived on both sides", ARCHIVING, ("east",), Order.SOURCE, (*DELETES, "archive")),
    Setting("two-way, replicas archived", ARCHIVING_TWO_WAY, BOTH, Order.SAME, DELETES),
    Setting("one-way, journal entries expire", ONE_WAY, ("east",), Order.SOURCE, FORGETS, writes=10),
    Setting("one-way, journal entries lost", ONE_WAY, ("east",), Order.SOURCE, (*WRITES, "lose"), writes=10),
    Setting("one-way, null versions", ONE_WAY, ("east",), Order.SOURCE, DELETES, apart=1, versioning=SUSPENDED),
    Setting("one-way, null versions within a second", ONE_WAY, ("east",), Order.SOURCE, DELETES, versioning=SUSPENDED),
    Setting(
        "one-way, destination unversioned", ONE_WAY, BOTH, Order.NOTHING, DELETES, versioning=UNVERSIONED, share=0.3
    ),
    Setting("one-way, 12 writes", ONE_WAY, ("east",), Order.SOURCE, DELETES, writes=12, share=0.5),
    Setting("one to many", _from("east", "west", "north"), ("east",), Order.SOURCE, DELETES),
    Setting("chain", (Route("east", "west"), Route("west", "north")), BOTH, Order.NOTHING, DELETES),
    Setting("one-way, sequencers of two lengths", ONE_WAY, ("east",), Order.SOURCE, DELETES, digits=(18, 16, 18)),
    Setting("two-way, sequencers of two lengths", TWO_WAY, BOTH, Order.SAME, DELETES, digits=(18, 16, 18)),
    Setting("one-way, S3 replicates back", ONE_WAY, ("east",), Order.SOURCE, DELETES, native=BACK),
    Setting("one-way, S3 replicates back, users at both", ONE_WAY, BOTH, Order.SOURCE, DELETES, native=BACK),
    Setting("one-way, beside S3", ONE_WAY, ("east",), Order.SOURCE, WRITES, native=ONE_WAY),
    Setting("two-way, beside S3 in both directions", TWO_WAY, BOTH, Order.NOTHING, DELETES, native=TWO_WAY),
    Setting("ring that S3 closes", ONE_WAY, BOTH, Order.NOTHING, DELETES, native=RING),
    Setting("two keys", ONE_WAY, ("east",), Order.SOURCE, DELETES, keys=("k", "k/2")),
    Setting("two-way, no deletes", TWO_WAY, BOTH, Order.SAME, WRITES),
    Setting("two-way", TWO_WAY, BOTH, Order.SAME, DELETES),
    Setting("two-way, nothing known of who wrote", TWO_WAY, BOTH, Order.SAME, DELETES, filtered=False),
    Setting("two-way, clocks 3 s apart", TWO_WAY, BOTH, Order.SAME, DELETES, skew={"west": 3.0}),
    Setting("two-way, 12 writes", TWO_WAY, BOTH, Order.SAME, DELETES, writes=12, share=0.5),
    Setting("two-way, hot key", TWO_WAY, BOTH, Order.SAME, DELETES, writes=30, hurried=True, share=0.1),
    Setting("two-way, lifecycle expires", TWO_WAY, BOTH, Order.SAME, (*DELETES, "expire")),
    Setting("two-way, uploads that take long", TWO_WAY, BOTH, Order.SAME, (*DELETES, "upload")),
    Setting("two-way, journal entries lost", TWO_WAY, BOTH, Order.SAME, LOSES, writes=10),
    Setting("two-way, old versions put back", TWO_WAY, BOTH, Order.SAME, RESTORES),
    Setting("two-way, users delete for good", TWO_WAY, BOTH, Order.NOTHING, (*DELETES, "destroy")),
    Setting(
        "two-way, identical bytes",
        TWO_WAY,
        BOTH,
        Order.SAME,
        DELETES,
        same_bytes=True,
        known_limit=SAME_BYTES,
        share=0.3,
    ),
    Setting("large, one-way", ONE_WAY, ("east",), Order.SOURCE, LARGE, large=True),
    Setting("large, one-way, users write at the destination", ONE_WAY, BOTH, Order.SOURCE, LARGE, large=True),
    Setting("large, one-way, users delete for good", ONE_WAY, BOTH, Order.NOTHING, ("large", "destroy"), large=True),
    Setting(
        "large, one-way, users delete for good at the source",
        ONE_WAY,
        ("east",),
        Order.NO_OLDER,
        (*LARGE, "destroy"),
        large=True,
    ),
    Setting("large, one to many", _from("east", "west", "north"), ("east",), Order.SOURCE, LARGE, large=True),
    Setting("large, two-way", TWO_WAY, BOTH, Order.SAME, LARGE, large=True),
    Setting("large, two-way, clocks 3 s apart", TWO_WAY, BOTH, Order.SAME, LARGE, large=True, skew={"west": 3.0}),
    Setting("large, two-way, users delete for good", TWO_WAY, BOTH, Order.NOTHING, (*LARGE, "destroy"), large=True),
    Setting("large, two-way, by completion", TWO_WAY, BOTH, Order.SAME, LARGE, large=True, by_completion=True),
    Setting("outage, one-way", ONE_WAY, ("east",), Order.SOURCE, DELETES, outage="west", **OUTAGE),
    Setting("outage, one of three", TO_THREE, ("east",), Order.SOURCE, DELETES, outage="west", **OUTAGE),
    Setting("outage, two-way", TWO_WAY, BOTH, Order.SAME, DELETES, outage="west", **OUTAGE),
    Setting("outage, one key", ONE_WAY, ("east",), Order.SOURCE, DELETES, outage="west", writes=9, share=0.1),
    Setting("outage, two-way, one key", TWO_WAY, BOTH, Order.SAME, DELETES, outage="west", writes=9, share=0.1),
    Setting("outage, large", ONE_WAY, ("east",), Order.SOURCE, LARGE, large=True, outage="west", **OUTAGE),
    Setting("outage, large, two-way", TWO_WAY, BOTH, Order.SAME, LARGE, large=True, outage="west", **OUTAGE),
    Setting("full mesh", _both_ways("east", "west", "north"), ("east", "west", "north"), Order.NOTHING, DELETES),
    Setting("full mesh, one writer", _both_ways("east", "west", "north"), ("east",), Order.SOURCE, DELETES),
)

BY_NAME = {setting.name: setting for setting in SETTINGS}
