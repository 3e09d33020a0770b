"""What a version and its replicas have of what may change after the write, and what would be written: one row a field.

Separate from both outputs because people and machines read the same rows.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from replicator.core.aspects.state import Value
from replicator.core.verifying.stating import NOTHING, in_words
from replicator.flows.amend.sync import Step


@dataclass(frozen=True, slots=True)
class Row:
    """One field. source: the version's value. replicas: theirs, by version id. writes: what would be written where."""

    aspect: str
    field: str
    source: Value
    replicas: Mapping[str, Value]
    writes: Mapping[str, Value]

    @property
    def style(self) -> str:
        """The style of its lines: what differs and stays, or would be written, stands out."""
        same = all(value == self.source for value in self.replicas.values())
        return "cyan" if self.writes else "green" if same else "yellow"

    def lines(self) -> Iterator[str]:
        """Yield what people read of it."""
        if all(value == self.source for value in self.replicas.values()):
            yield f"{in_words(self.source)}, here and there"
            return
        yield f"{in_words(self.source)} at the source"
        for version_id, value in self.replicas.items():
            yield f"{in_words(value)} at the replica {version_id}"
        for version_id, value in self.writes.items():
            yield f"now {in_words(value)} would be written to {version_id}"
        if not self.writes:
            yield "now nothing would be written: somebody changed the replica, and that stays there"

    def document(self) -> dict[str, Any]:
        """Return what machines read of it."""
        return {
            "aspect": self.aspect,
            "field": self.field,
            "source": in_words(self.source),
            "replicas": {version_id: in_words(value) for version_id, value in self.replicas.items()},
            "writes": {version_id: in_words(value) for version_id, value in self.writes.items()},
        }


def rows_of(steps: Iterable[Step]) -> list[Row]:
    """Return the rows of all fields of which some side has something."""
    rows = [_row(step, name) for step in steps for name in step.sides]
    return [row for row in rows if any(value not in NOTHING for value in (row.source, *row.replicas.values()))]


def _row(step: Step, name: str) -> Row:
    sides, settled = step.sides[name], step.settled[name]
    ids = [found.place.version_id for found in (step.source, *step.replicas)]
    now, then = (sides.source, *sides.replicas), (settled.source, *settled.replicas)
    writes = {each: new for each, old, new in zip(ids, now, then, strict=True) if new != old}
    return Row(step.aspect.value, name, sides.source, dict(zip(ids[1:], sides.replicas, strict=True)), writes)
