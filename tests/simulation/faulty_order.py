"""Faults of mutations.py that concern what tells two writes of one key apart, and which of them came first.

Separate because both are small in the product and easy to get wrong: sequencers and `null` versions.
"""

from dataclasses import replace

from replicator.core.deciding import decision
from replicator.core.deciding.facts import Facts
from replicator.core.deciding.journal import Memory

IS_IN_ORDER = decision.is_in_order


def null_in_order(facts: Facts) -> bool:
    """Let null versions take the fast path."""
    change = replace(facts.change, version_id=facts.change.version_id.replace("null", "any"))
    return IS_IN_ORDER(replace(facts, attempt=replace(facts.attempt, change=change)))


def pad_right(sequencer: str, other: str) -> bool:
    """Compare sequencers of any length, as AWS's guide had it for a while."""
    width = max(len(sequencer), len(other)) if sequencer and other else 0
    return sequencer.ljust(width, "0")[:width] > other.ljust(width, "0")[:width]


def with_null(memory: Memory, *version_ids: str) -> tuple[str, ...]:
    """Remember null versions by their id."""
    return tuple(dict.fromkeys((*memory.settled, *version_ids)))


def fast_over_anything(facts: Facts) -> bool:
    """Ask everything but whose object the journal remembers on top."""
    as_if_first = replace(facts, memory=replace(facts.memory, generation=0))
    return IS_IN_ORDER(as_if_first) and facts.memory.is_in_order(facts.change)
