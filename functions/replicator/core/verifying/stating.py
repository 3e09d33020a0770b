"""Values of what may change after the write, in words. Separate because only people read them."""

from replicator.core.aspects.merge import Sides
from replicator.core.aspects.state import NO_HOLD, Value

NOTHING: tuple[Value, ...] = (None, False, (), ("", ""), NO_HOLD)
"""Values of fields that are not set."""


def differing_fields(name: str, sides: Sides) -> str:
    """Return what both sides have of one field."""
    there = next((replica for replica in sides.replicas if replica != sides.source), sides.source)
    return f"{name}: {in_words(there)}, the source has {in_words(sides.source)}"


def in_words(value: Value) -> str:
    """Return a value of a field as text."""
    if value in NOTHING:
        return "none"
    if isinstance(value, tuple):
        return ", ".join("=".join(map(str, each)) if isinstance(each, tuple) else str(each) for each in value if each)
    return "ON" if value is True else str(value)
