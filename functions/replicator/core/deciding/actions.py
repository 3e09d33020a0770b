"""What a decision can be: nothing to do, one copy, a plan, or a request for more facts.

Values only. The flow executes them as they are, `explain` prints them instead.
"""

from dataclasses import dataclass

from replicator.core.deciding.copy import Guard
from replicator.core.deciding.facts import Ref
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.rules.rule import Rule
from replicator.core.versions.origin import Origin
from replicator.core.versions.version import Entry, Replica


@dataclass(frozen=True, slots=True)
class Need:
    """Facts that must be read before a decision is possible: see `Facts`.

    verdicts: version ids of the source. top: the destination's top. histories: both.
    """

    marks: frozenset[Ref] = frozenset()
    verdicts: frozenset[str] = frozenset()
    top: bool = False
    histories: bool = False


@dataclass(frozen=True, slots=True)
class Finish:
    """There is nothing to do, for this reason; COMPLETED without one if the change was completed before."""

    status: Status
    reason: Reason | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CopyVersion:
    """Copy one native version of the source on top of the destination.

    undoes: what users did there to an earlier replica of it does not count any more.
    """

    version_id: str
    rule: Rule
    why: str
    undoes: bool = False


@dataclass(frozen=True, slots=True)
class PutBack:
    """Copy one version of the destination on top of its own history, so that it is current again."""

    version_id: str
    origin: Origin
    why: str


@dataclass(frozen=True, slots=True)
class MarkDeleted:
    """Write a delete marker on top of the destination."""

    why: str


Step = CopyVersion | PutBack | MarkDeleted


@dataclass(frozen=True, slots=True)
class FastCopy:
    """The usual case: one copy, guarded by what the journal says is on top of the destination."""

    copy: CopyVersion
    guard: Guard


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in order. The first is guarded by `guard`, each later one by what the step before it wrote.

    top: the version on top of the destination before the first step; None for a delete marker or nothing.
    present: source versions that are, or are known to have been, at the destination.
    top_entry: the entry on top, even if it is a delete marker.
    own_replica: the version id of the replica of the change's own version; empty if there is none.
    gone: the change's own version was permanently deleted at the source, so the steps settle nothing.
    doubled: versions that have more than one replica, so that one of these may have been written from what is out of
    date by now. marker: the id of the delete marker on top, if it is known to stand for one of the source.
    """

    steps: tuple[Step, ...]
    guard: Guard
    top: Replica | None
    present: tuple[str, ...]
    top_entry: Entry | None = None
    own_replica: str = ""
    gone: bool = False
    doubled: tuple[Origin, ...] = ()
    marker: str = ""


Decided = Finish | FastCopy | Plan
Decision = Need | Decided
