"""The worlds that histories are played in, those of changes after the write excepted: aspect_settings.py has them.

Each is one row; what its name means for the promises stands in promises.py.
"""

from typing import Any

from tests.simulation.aspect_settings import ASPECT_SETTINGS
from tests.simulation.setting import Order, Route, Setting, both_ways, from_one

ARCHIVING = (Route("east", "west", storage_class="GLACIER"),)
ARCHIVING_TWO_WAY = (*ARCHIVING, Route("west", "east", storage_class="GLACIER"))
TAGS = {"replicate": "yes"}
ONE_WAY = (Route("east", "west"),)
TWO_WAY = both_ways("east", "west")
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
ASKS = (*DELETES, "ask")
LARGE = ("large", "large", "write", "delete")
OUTAGE: Any = {"keys": ("k", "k/2", "l", "m", "n"), "writes": 12, "least": 4, "share": 0.1}
"""Of several keys that fail, the gate makes one trouble of all."""

TO_THREE = from_one("east", "west", "north", "south")

ROWS = (
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
    Setting("one to many", from_one("east", "west", "north"), ("east",), Order.SOURCE, DELETES),
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
    Setting("large, one to many", from_one("east", "west", "north"), ("east",), Order.SOURCE, LARGE, large=True),
    Setting("large, two-way", TWO_WAY, BOTH, Order.SAME, LARGE, large=True),
    Setting("large, two-way, clocks 3 s apart", TWO_WAY, BOTH, Order.SAME, LARGE, large=True, skew={"west": 3.0}),
    Setting("large, two-way, users delete for good", TWO_WAY, BOTH, Order.NOTHING, (*LARGE, "destroy"), large=True),
    Setting("large, two-way, by completion", TWO_WAY, BOTH, Order.SAME, LARGE, large=True, by_completion=True),
    Setting("outage, one-way", ONE_WAY, ("east",), Order.SOURCE, DELETES, outage="west", **OUTAGE),
    Setting("outage, one of three", TO_THREE, ("east",), Order.SOURCE, DELETES, outage="west", **OUTAGE),
    Setting("outage, two-way", TWO_WAY, BOTH, Order.SAME, DELETES, outage="west", **OUTAGE),
    Setting("outage, one key", ONE_WAY, ("east",), Order.SOURCE, DELETES, outage="west", writes=9, share=0.1),
    Setting("outage, two-way, one key", TWO_WAY, BOTH, Order.SAME, DELETES, outage="west", writes=9, share=0.1),
    Setting("aside, one-way", ONE_WAY, ("east",), Order.SOURCE, DELETES, outage="west", aside=True, share=0.1),
    Setting("aside, two-way", TWO_WAY, BOTH, Order.SAME, DELETES, outage="west", aside=True, share=0.1),
    Setting("outage, large", ONE_WAY, ("east",), Order.SOURCE, LARGE, large=True, outage="west", **OUTAGE),
    Setting("outage, large, two-way", TWO_WAY, BOTH, Order.SAME, LARGE, large=True, outage="west", **OUTAGE),
    Setting("unheard, one-way", ONE_WAY, ("east",), Order.SOURCE, ASKS, unheard=40),
    Setting("unheard, one to many", from_one("east", "west", "north"), ("east",), Order.SOURCE, ASKS, unheard=40),
    Setting("unheard, two-way", TWO_WAY, BOTH, Order.SAME, ASKS, unheard=40),
    Setting("unheard, one-way, users write at the destination", ONE_WAY, BOTH, Order.SOURCE, DELETES, unheard=40),
    Setting(
        "unheard, restored", ONE_WAY, BOTH, Order.SOURCE, (*DELETES, "destroy"), unheard=40, restores=True, writes=8
    ),
    Setting("unheard, large", ONE_WAY, ("east",), Order.SOURCE, LARGE, large=True, unheard=40),
    Setting("unheard, large, two-way", TWO_WAY, BOTH, Order.SAME, LARGE, large=True, unheard=40),
    Setting("full mesh", both_ways("east", "west", "north"), ("east", "west", "north"), Order.NOTHING, DELETES),
    Setting("full mesh, one writer", both_ways("east", "west", "north"), ("east",), Order.SOURCE, DELETES),
)

SETTINGS = (*ROWS, *ASPECT_SETTINGS)
BY_NAME = {setting.name: setting for setting in SETTINGS}
