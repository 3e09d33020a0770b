"""The worlds in which users change tags, ACLs, locks and annotations of versions after the write, on both sides.

Separate from the other worlds because each row has promises of its own (aspect_promises.py). Annotations and retention
are in different worlds: S3 annotates nothing that is under retention.
"""

from typing import Any

from tests.simulation.setting import Order, Route, Setting, both_ways, from_one

TAGS = {"replicate": "yes"}
ONE_WAY = (Route("east", "west"),)
TWO_WAY = both_ways("east", "west")
MESH = both_ways("east", "west", "north")
BOTH = ("east", "west")
ALL = ("east", "west", "north")
CHANGES = ("retag", "retag", "grant", "annotate")
USUAL = ("write", *CHANGES, *CHANGES, "write", "delete")
OLD = ("write", *CHANGES, *CHANGES, "write", "edit")
LOCKS = ("write", "write", "retain", "retain", "hold", "hold", "retag")
UNNAMED_CHANGES = ("write", "write", "retag", "retag", "grant")
DESTROYS = ("write", "write", *CHANGES, "destroy")
LARGE = ("large", "large", *CHANGES)
UNDELETES = ("write", "delete", "delete", "undelete", "undelete", "retag")
REMOVES = ("write", "write", "delete", "undelete", "undelete", "undelete")
EVENT_HOLDS = ("write", "write", "retain", "event hold", "event hold", "event hold", "hold", "retag")
STRIPS = ("full", "full", "strip", "strip", "retag", "cold")
TAGGED = ("write", "write", "retag", "retag", "retag")
HOLDS = ("full", "hold", "hold", "hold", "event hold", "event hold", "retain")
LATER: Any = {"later": True, "writes": 9, "least": 2, "share": 0.3}
BACK: Any = {**LATER, "modifications": BOTH}

ASPECT_SETTINGS = (
    Setting("later, one-way", ONE_WAY, ("east",), Order.SOURCE, USUAL, **LATER),
    Setting("later, one-way, locks", ONE_WAY, ("east",), Order.SOURCE, LOCKS, locks=True, **LATER),
    Setting(
        "later, one-way, annotations removed",
        ONE_WAY,
        ("east",),
        Order.SOURCE,
        ("write", "annotate", "annotate", "unannotate"),
        removals=True,
        **LATER,
    ),
    Setting(
        "later, one-way, deletions of annotations stay",
        ONE_WAY,
        ("east",),
        Order.SOURCE,
        ("write", "annotate", "annotate", "unannotate"),
        **LATER,
    ),
    Setting("later, one-way, users change replicas", ONE_WAY, BOTH, Order.SOURCE, OLD, **LATER),
    Setting(
        "later, one-way, events without versions",
        ONE_WAY,
        ("east",),
        Order.SOURCE,
        USUAL,
        names_versions=False,
        **LATER,
    ),
    Setting(
        "later, one-way, nothing known of who wrote",
        ONE_WAY,
        ("east",),
        Order.SOURCE,
        UNNAMED_CHANGES,
        filtered=False,
        **LATER,
    ),
    Setting(
        "later, one-way, tag filter",
        (Route("east", "west", False, TAGS),),
        ("east",),
        Order.SOURCE,
        ("write", "write", "retag", "retag", "retag", "annotate"),
        **LATER,
    ),
    Setting("later, one-way, users delete for good", ONE_WAY, BOTH, Order.NOTHING, DESTROYS, **LATER),
    Setting("later, one-way, large", ONE_WAY, ("east",), Order.SOURCE, LARGE, large=True, **{**LATER, "share": 0.1}),
    Setting("later, one to many", from_one("east", "west", "north"), ("east",), Order.SOURCE, USUAL, **LATER),
    Setting(
        "later, one to many, one fails",
        from_one("east", "west", "north"),
        ("east",),
        Order.SOURCE,
        USUAL,
        outage="west",
        **{**LATER, "share": 0.1},
    ),
    Setting("later, two-way", TWO_WAY, BOTH, Order.SAME, USUAL, **BACK),
    Setting("later, two-way, old versions", TWO_WAY, BOTH, Order.SAME, OLD, **BACK),
    Setting("later, two-way, locks", TWO_WAY, BOTH, Order.SAME, LOCKS, locks=True, **BACK),
    Setting(
        "later, two-way, annotations removed",
        TWO_WAY,
        BOTH,
        Order.SAME,
        ("write", "annotate", "annotate", "unannotate"),
        removals=True,
        **BACK,
    ),
    Setting("later, two-way, nothing goes back", TWO_WAY, BOTH, Order.SAME, USUAL, **LATER),
    Setting("later, two-way, one side sends back", TWO_WAY, BOTH, Order.SAME, USUAL, modifications=("east",), **LATER),
    Setting("later, two-way, events without versions", TWO_WAY, BOTH, Order.SAME, USUAL, names_versions=False, **BACK),
    Setting(
        "later, two-way, nothing known of who wrote", TWO_WAY, BOTH, Order.SAME, UNNAMED_CHANGES, filtered=False, **BACK
    ),
    Setting("later, two-way, users delete for good", TWO_WAY, BOTH, Order.NOTHING, DESTROYS, **BACK),
    Setting("later, two-way, large", TWO_WAY, BOTH, Order.SAME, LARGE, large=True, **{**BACK, "share": 0.1}),
    Setting("later, two-way, one stack", TWO_WAY, BOTH, Order.SAME, USUAL, one_stack=True, **BACK),
    Setting("later, full mesh", MESH, ALL, Order.NOTHING, USUAL, **{**BACK, "modifications": ALL}),
    Setting("later, one-way, undelete", ONE_WAY, ("east",), Order.SOURCE, UNDELETES, **LATER),
    Setting("later, one-way, undelete at rest", ONE_WAY, ("east",), Order.SOURCE, REMOVES, calm=True, **LATER),
    Setting(
        "later, one-way, undelete, markers stay",
        (Route("east", "west", markers=False),),
        ("east",),
        Order.SOURCE,
        UNDELETES,
        **LATER,
    ),
    Setting("later, two-way, undelete", TWO_WAY, BOTH, Order.SAME, UNDELETES, **BACK),
    Setting("later, two-way, undelete at rest", TWO_WAY, BOTH, Order.SAME, REMOVES, calm=True, **BACK),
    Setting("later, one-way, event holds", ONE_WAY, ("east",), Order.SOURCE, EVENT_HOLDS, locks=True, **LATER),
    Setting("later, two-way, event holds", TWO_WAY, BOTH, Order.SAME, EVENT_HOLDS, locks=True, **BACK),
    Setting("later, one-way, marks are tags", ONE_WAY, BOTH, Order.SOURCE, STRIPS, **LATER),
    Setting("later, two-way, marks are tags", TWO_WAY, BOTH, Order.SAME, STRIPS, **BACK),
    Setting("later, one-way, tags", ONE_WAY, ("east",), Order.SOURCE, TAGGED, **LATER),
    Setting("later, two-way, tags", TWO_WAY, BOTH, Order.SAME, TAGGED, **BACK),
    Setting("later, one-way, holds of unmarked", ONE_WAY, BOTH, Order.SOURCE, HOLDS, locks=True, **LATER),
    Setting("later, two-way, holds of unmarked", TWO_WAY, BOTH, Order.SAME, HOLDS, locks=True, **BACK),
)
