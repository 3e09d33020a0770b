"""What a decision can be: a finished change, a copy, a plan, or a wish for more facts.

Values only. The flow carries them out without thinking, `explain` prints them instead.
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
    """Read these first. Marks tell replica from native; verdicts are asked for versions of the source only."""

    marks: frozenset[Ref] = frozenset()
    verdicts: frozenset[str] = frozenset()
    top: bool = False
    histories: bool = False


@dataclass(frozen=True, slots=True)
class Finish:
    """Nothing is to be done."""

    status: Status
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CopyVersion:
    """Copy one native version of the source on top of the destination."""

    version_id: str
    rule: Rule
    why: str


@dataclass(frozen=True, slots=True)
class PutBack:
    """Copy one version of the destination on top of its own history."""

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
    """The usual case: one copy, guarded by what the journal says stands there."""

    copy: CopyVersion
    guard: Guard


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in order; each is guarded by the one before it, the first by `guard`.

    top: what stands at the top before the first step, None for a delete marker or nothing.
    present: source versions that stand, or were known to have stood, at the destination.
    over: what stands at the top, a delete marker too.
    arrived: the replica of the change's own version, by its version id; empty if it does not stand there.
    gone: the change's own version was deleted for good at the source: the steps settle nothing.
    """

    steps: tuple[Step, ...]
    guard: Guard
    top: Replica | None
    present: tuple[str, ...]
    over: Entry | None = None
    arrived: str = ""
    gone: bool = False


Decided = Finish | FastCopy | Plan
Decision = Need | Decided
