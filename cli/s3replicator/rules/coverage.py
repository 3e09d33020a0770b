"""What destinations had when their rules were stored: the record that tells the monitor what events cannot tell it.

Separate from storing rules, because the order is its own: what new rules select in addition is struck from the record
before they are stored, and a source is looked at for versions only after its events are attached. A crash in between
leaves a record that proves less, never one that proves too much.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from replicator.core.rules.coverage import FROM_THE_START, Coverage, Record, read_record, record_text
from replicator.core.rules.matching import RuleSet
from replicator.core.rules.rule import Rule


class CoverageDocuments(Protocol):
    """The records in the control bucket. Every method raises CallFailed."""

    def read(self, bucket: str) -> bytes | None:
        """Return the record of a source bucket, or None."""
        ...

    def write(self, bucket: str, text: bytes) -> None:
        """Store a record."""
        ...

    def remove(self, bucket: str) -> None:
        """Remove a record."""
        ...


@dataclass(frozen=True, slots=True)
class CoverageKeeper:
    """Keeps the records of one stack. Every method raises CallFailed.

    has_versions: returns whether a bucket has any version or delete marker. now: returns the time as ISO 8601.
    created: the bucket that the stack created, with the destination of its default rule; empty if there is none.
    """

    documents: CoverageDocuments
    has_versions: Callable[[str], bool]
    now: Callable[[], str]
    created: tuple[str, str] = ("", "")

    def strike(self, before: RuleSet | None, after: RuleSet) -> None:
        """Strike from the record what rules will select that the rules before did not. None: those are unknown."""
        record = self._record(after.bucket)
        kept = {name: each for name, each in record.items() if before and not _selects_more(name, before, after)}
        if kept != record:
            self._write(after.bucket, kept)

    def note(self, rules: RuleSet) -> list[str]:
        """Note the destinations that are not in the record. Return those that may lack older versions."""
        record = dict(self._record(rules.bucket))
        new = [each for each in rules.destinations if each not in record and _rules_for(each, rules)]
        if new:
            entry = Coverage(self.now(), self.has_versions(rules.bucket))
            record |= dict.fromkeys(new, entry)
            self._write(rules.bucket, record)
        return [name for name in rules.destinations if name in record and not record[name].is_complete]

    def forget(self, bucket: str) -> None:
        """Remove the record: events will no longer arrive."""
        if self.documents.read(bucket) is not None:
            self.documents.remove(bucket)

    def _record(self, bucket: str) -> Record:
        stored = self.documents.read(bucket)
        if stored is None:
            source, destination = self.created
            return {destination: FROM_THE_START} if source == bucket and destination else {}
        return read_record(stored)

    def _write(self, bucket: str, record: Record) -> None:
        self.documents.write(bucket, record_text(record))


def _rules_for(destination: str, rules: RuleSet) -> list[Rule]:
    return [rule for rule in rules.rules if rule.destination.bucket == destination and rule.enabled]


def _selects_more(destination: str, before: RuleSet, after: RuleSet) -> bool:
    """Return whether rules may select a version for a destination that those before did not.

    Rules that differ in what they take besides keys and tags hide each other by their priorities: of those, only the
    same ones select no more.
    """
    old, new = _rules_for(destination, before), _rules_for(destination, after)
    if not old:
        return True
    if len({(rule.delete_markers, rule.kms_selected) for rule in (*old, *new)}) > 1:
        return _ranked(old) != _ranked(new)
    return not all(any(_covers(each, rule) for each in old) for rule in new)


def _covers(old: Rule, new: Rule) -> bool:
    return new.prefix.startswith(old.prefix) and old.tags <= new.tags


def _ranked(rules: Iterable[Rule]) -> list[tuple[object, ...]]:
    ranked = sorted(rules, key=lambda rule: -rule.priority)
    return [(rule.prefix, rule.tags, rule.delete_markers, rule.kms_selected) for rule in ranked]
