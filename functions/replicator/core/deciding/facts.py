"""What was observed of one change at one destination, and how much of it is still unread.

Facts grow: the decision names what it lacks, the flow reads just that and asks again. So the cheap path reads little,
the careful path reads what it must, and both run through the same function.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from replicator.core.deciding.attempt import Attempt
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
    """What the decision knows of an attempt. A missing entry of `marks` or `verdicts`, or None, is unread.

    marks: the origin of a version that is a replica, None for a native one.
    verdicts: for native versions of the source.
    repeated: the message came before, or an earlier try met a conflict: nothing is taken on trust.
    markers: the rule replicates delete markers.
    large: versions of more bytes take longer than a request, so that only their own change brings them; None: none do.
    """

    attempt: Attempt
    memory: Memory
    markers: bool = False
    repeated: bool = False
    large: int | None = None
    top: Top | None = None
    histories: Histories | None = None
    marks: Mapping[Ref, Origin | None] = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)

    @property
    def change(self) -> Change:
        """The change that is decided about."""
        return self.attempt.change

    @property
    def pair(self) -> Pair:
        """The key, its source and its destination."""
        return self.attempt.pair

    @property
    def two_way(self) -> bool:
        """Return whether the destination may replicate back."""
        return self.attempt.target.listens

    @property
    def versioned(self) -> bool:
        """Return whether the destination keeps versions; where it does not, even a delete marker destroys something."""
        return self.attempt.target.capabilities.versions

    def source(self, entry: Entry) -> Ref:
        """Name an entry of the source's history."""
        return Ref(self.attempt.change.bucket, entry.version_id)

    def destination(self, entry: Entry) -> Ref:
        """Name an entry of the destination's history."""
        return Ref(self.attempt.target.bucket, entry.version_id)
