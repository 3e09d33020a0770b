"""What a version and its replicas have of what may change after the write, and what would be written: one row a field.

Separate from both outputs because people and machines read the same rows.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from replicator.core.aspects.state import NO_HOLD, Value
from replicator.flows.amend.sync import Step

NOTHING: tuple[Value, ...] = (None, False, (), ("", ""), NO_HOLD)
"""Values of fields that are not set."""


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
            yield f"{text_of(self.source)}, here and there"
            return
        yield f"{text_of(self.source)} at the source"
        for version_id, value in self.replicas.items():
            yield f"{text_of(value)} at the replica {version_id}"
        for version_id, value in self.writes.items():
            yield f"now {text_of(value)} would be written to {version_id}"
        if not self.writes:
            yield "now nothing would be written: somebody changed the replica, and that stays there"

    def document(self) -> dict[str, Any]:
        """Return what machines read of it."""
        return {
            "aspect": self.aspect,
            "field": self.field,
            "source": text_of(self.source),
            "replicas": {version_id: text_of(value) for version_id, value in self.replicas.items()},
            "writes": {version_id: text_of(value) for version_id, value in self.writes.items()},
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


def text_of(value: Value) -> str:
    """Return a value of a field as text."""
    if value in NOTHING:
        return "none"
    if isinstance(value, tuple):
        return ", ".join("=".join(map(str, each)) if isinstance(each, tuple) else str(each) for each in value if each)
    return "ON" if value is True else str(value)
