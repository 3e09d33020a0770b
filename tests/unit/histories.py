"""Two histories as text, and the steps of their plan as text: shared by the tests of plans.

Names say what things are: v1, v2... are native versions of the source, w1... native ones of the destination, r1, r2...
replicas of v1, v2..., n1, n2... replicas of a third bucket's versions, and d... are delete markers. Numbers after the @
are seconds after noon.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from replicator.core.deciding.actions import CopyVersion, MarkDeleted, Plan, PutBack
from replicator.core.deciding.decision import decide
from replicator.core.deciding.eligibility import Refusal
from replicator.core.deciding.facts import Facts, Verdict
from replicator.core.deciding.journal import Memory
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.versions.change import Change
from replicator.core.versions.origin import Origin
from replicator.core.versions.version import Entry, History

from tests.unit.values import NOON, WEST, complete_facts, created, deleted, marker, origin_of, version

REFUSED = Refusal(Status.FAILED, Reason.TOO_LARGE)


def history(text: str) -> History:
    """Return the entries of `v1@0 d1@5`, oldest first; an entry without a time has its position as its second."""
    return tuple(_entry(word, place) for place, word in enumerate(text.split()))


def _entry(word: str, place: int) -> Entry:
    name, _, at = word.partition("@")
    return (marker if name.startswith("d") else version)(name, int(at or place))


def at(entries: History, name: str) -> int:
    return next((entry.modified for entry in entries if entry.version_id == name), NOON) - NOON


def replicas(source: History, destination: History) -> Mapping[str, Origin]:
    """Return the origins of r1, r2... and of s1, s2..., replicas in the source of the destination's w1, w2..."""
    origins = {f"r{name[1:]}": origin_of(name, at(source, name)) for name in ("v1", "v2", "v3", "v4")}
    origins |= {name: origin_of(name, at(destination, name), "north") for name in ("n1", "n2")}
    return origins | {f"s{name[1:]}": origin_of(name, at(destination, name), WEST) for name in ("w1", "w2")}


def facts_of(event: str, source: str, destination: str, **fields: object) -> Facts:
    """Return the facts of the change `event` (v1, d1...) with both histories read. `refused`: what cannot be copied."""
    here, there = history(source), history(destination)
    seconds = NOON + at(here, event)
    change: Change = (deleted if event.startswith("d") else created)(event, "0F", seconds)
    refused: dict[str, Verdict] = dict.fromkeys(str(fields.pop("refused", "")).split(), REFUSED)
    return complete_facts(change, here, there, replicas(here, there), repeated=True, verdicts=refused, **fields)


def steps(given: Facts) -> list[str]:
    """Return the steps of the plan for these facts, such as `copy v1`, `put back r2` and `delete`."""
    plan = decide(given)
    assert isinstance(plan, Plan), plan
    return [_in_words(step) for step in plan.steps]


def _in_words(step: CopyVersion | PutBack | MarkDeleted) -> str:
    if isinstance(step, MarkDeleted):
        return "delete"
    return f"{'copy' if isinstance(step, CopyVersion) else 'put back'} {step.version_id}"


Fields = dict[str, object]


@dataclass(frozen=True, slots=True)
class Example:
    """A change, the histories that it finds, and the steps of its plan. `known`: other facts, as in `facts_of`."""

    event: str
    source: str
    destination: str
    steps: list[str]
    known: Fields = field(default_factory=dict)

    def facts(self) -> Facts:
        return facts_of(self.event, self.source, self.destination, **self.known)


MARKERS: Fields = {"markers": True}
TWO_WAY: Fields = {"markers": True, "two_way": True}
DELETE_SETTLED: Fields = {"memory": Memory(2, None, "", ("d1",))}
