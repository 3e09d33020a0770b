"""A bucket's rules in a tenth of their memory, for buckets whose rules are needed seldom: packed, and read by key.

Separate from matching, whose index is for rules that are needed all the time: one of a thousand rules takes most of a
megabyte, and a stack may have a thousand buckets. Packed rules answer the same questions with the same rules. Each
answer costs about a millisecond, where reading the document again would cost thirty.
"""

import marshal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, fields
from typing import Any

from replicator.core.rules.matching import Candidate, Match, RuleSet
from replicator.core.rules.rule import Destination, Rule

# Any: the fields of a destination, and those of a rule, in the order of their declaration.
Common = tuple[tuple[Any, ...], tuple[Any, ...]]
Row = tuple[str, str, int, frozenset[tuple[str, str]], Common]
"""prefix, id, priority, tags, and all other fields, which rules mostly have in common: those are stored once."""
_OWN = ("prefix", "id", "priority", "tags")
_COMMON = tuple(field.name for field in fields(Rule) if field.name not in (*_OWN, "destination"))
_ENABLED = _COMMON.index("enabled")


class PackedRules(RuleSet):
    """The rules of a `RuleSet`, packed. It has no warnings: those are for who writes rules."""

    __slots__ = ("_last", "_packed")
    _packed: bytes
    _last: tuple[str, RuleSet]

    def __init__(self, rules: RuleSet) -> None:
        object.__setattr__(self, "bucket", rules.bucket)
        object.__setattr__(self, "warnings", ())
        object.__setattr__(self, "_packed", _pack(rules.rules))
        object.__setattr__(self, "_last", ("", RuleSet(rules.bucket)))

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules, in the order of their document."""
        return tuple(_unpack(self._packed, lambda _prefix: True))

    @property
    def size(self) -> int:
        """Bytes that the rules take."""
        return len(self._packed)

    @property
    def targets(self) -> dict[str, tuple[str, int]]:
        """The destination buckets of enabled rules, each with its account, empty if none is named, and their number."""
        rows: list[Row] = marshal.loads(self._packed)  # noqa: S302 - made by this process, below
        found: dict[str, tuple[str, int]] = {}
        for *_, (where, common) in rows:
            if common[_ENABLED]:
                found[where[0]] = where[1] or "", found.get(where[0], ("", 0))[1] + 1
        return found

    def candidates(self, key: str) -> tuple[Candidate, ...]:
        """Return what the rules themselves would: rules whose prefix does not match decide nothing about a key."""
        return self._for(key).candidates(key)

    def only_disabled(self, key: str) -> bool:
        """Return whether rules have a prefix that matches this key, but all of those are disabled."""
        return self._for(key).only_disabled(key)

    def match_all(self, key: str, tags: Mapping[str, str]) -> tuple[Match, ...]:
        """Compare the object with every rule, in the order of the document."""
        return self.unpacked().match_all(key, tags)

    def unpacked(self) -> RuleSet:
        """Return the rules as they were."""
        return RuleSet(self.bucket, self.rules)

    def _for(self, key: str) -> RuleSet:
        """Return the rules that may apply to a key. A change asks several times for the same one."""
        known, rules = self._last
        if not key or key != known:
            rules = RuleSet(self.bucket, tuple(_unpack(self._packed, key.startswith)))
            object.__setattr__(self, "_last", (key, rules))
        return rules


def _pack(rules: Iterable[Rule]) -> bytes:
    known: dict[Common, Common] = {}
    rows = [_row(rule, known) for rule in rules]
    return marshal.dumps(rows)


def _row(rule: Rule, known: dict[Common, Common]) -> Row:
    common = (astuple(rule.destination), tuple(getattr(rule, name) for name in _COMMON))
    return rule.prefix, rule.id, rule.priority, rule.tags, known.setdefault(common, common)


def _unpack(packed: bytes, selects: Callable[[str], bool]) -> Iterable[Rule]:
    rows: list[Row] = marshal.loads(packed)  # noqa: S302 - made by this process, above
    for prefix, name, priority, tags, (destination, common) in rows:
        if selects(prefix):
            others = dict(zip(_COMMON, common, strict=True))
            yield Rule(
                id=name, priority=priority, prefix=prefix, tags=tags, destination=Destination(*destination), **others
            )
