"""What was observed of one change at one destination, and how much of it is still unread.

Facts grow: the decision names what it lacks, the flow reads just that and asks again. So the cheap path reads little,
the careful path reads what it must, and both run through the same function.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from replicator.core.deciding.eligibility import Refusal
from replicator.core.deciding.journal import Memory, Pair
from replicator.core.rules.rule import Rule
from replicator.core.versions.change import Change
from replicator.core.versions.origin import Origin
from replicator.core.versions.version import Entry, Head, History, MarkerHead


class Absent(Enum):
    """A version, or an object, that is not there (any more)."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT

Top = Head | MarkerHead | Absent
"""What a HEAD of a key without a version id finds."""

Verdict = Rule | Refusal | Absent
"""The rule that copies a version, or why none does."""


class Ref(NamedTuple):
    """One version of the key in question: bucket and version id. A tuple: facts are looked up by it all the time."""

    bucket: str
    version_id: str


@dataclass(frozen=True, slots=True)
class Histories:
    """The key's entries on both sides, oldest to newest. The destination is listed *before* the source.

    Every replica seen then has its native version among the facts; the other way round, a version that came between
    the two listings would be taken for one that is gone.
    """

    destination: History
    source: History


@dataclass(frozen=True, slots=True)
class Facts:
    """What the decision knows. A missing entry of `marks` or `verdicts`, or None, is unread.

    marks: the origin of a version that is a replica, None for a native one.
    verdicts: for native versions of the source.
    repeated: the message came before, or an attempt met a conflict: nothing is taken on trust.
    two_way: the destination may replicate back.
    versioned: the destination keeps versions; where it does not, even a delete marker destroys something.
    markers: the rule replicates delete markers.
    large: versions of more bytes take longer than a request, so that only their own change brings them; None: none do.
    """

    change: Change
    pair: Pair
    memory: Memory
    two_way: bool = False
    versioned: bool = True
    markers: bool = False
    repeated: bool = False
    large: int | None = None
    top: Top | None = None
    histories: Histories | None = None
    marks: Mapping[Ref, Origin | None] = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)

    def source(self, entry: Entry) -> Ref:
        """Name an entry of the source's history."""
        return Ref(self.pair.source, entry.version_id)

    def destination(self, entry: Entry) -> Ref:
        """Name an entry of the destination's history."""
        return Ref(self.pair.destination, entry.version_id)
