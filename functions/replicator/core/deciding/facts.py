"""What is known about an attempt, and what has not been read yet.

Facts grow: the decision names what it lacks, the flow reads just that and decides again. So the fast path reads little,
the slow path reads what it must, and both use the same function.
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
    """A version or an object that does not exist, or not any more."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT

Top = Head | MarkerHead | Absent
"""What a HEAD of a key without a version id returns."""

Verdict = Rule | Refusal | Absent
"""The rule under which a version is copied, or why it is not."""


class Ref(NamedTuple):
    """One version of the key: bucket and version id. A tuple, because facts are looked up by it very often."""

    bucket: str
    version_id: str


@dataclass(frozen=True, slots=True)
class Histories:
    """The key's entries on both sides, oldest to newest. The destination must be listed *before* the source.

    Then every replica that is seen has its native version among the facts. In the opposite order, a version that was
    written between the two listings would look like one that was deleted.
    """

    destination: History
    source: History


@dataclass(frozen=True, slots=True)
class Facts:
    """What the decision knows about an attempt. A missing key of `marks` or `verdicts`, or None, has not been read.

    markers: the rule replicates delete markers.
    repeated: the message was processed before, or an earlier try met a conflict; so the memory is not trusted.
    large: versions of more bytes are copied in parts, and only by their own change; None: no version is.
    marks: the origin of a version that is a replica; None for a native one.
    verdicts: for native versions of the source.
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
        """The change to decide about."""
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
        """Return whether the destination is versioned. If not, even a delete marker could destroy something."""
        return self.attempt.target.capabilities.versions

    def source(self, entry: Entry) -> Ref:
        """Return the reference to an entry of the source."""
        return Ref(self.attempt.change.bucket, entry.version_id)

    def destination(self, entry: Entry) -> Ref:
        """Return the reference to an entry of the destination."""
        return Ref(self.attempt.target.bucket, entry.version_id)
