"""A bucket's rules in a tenth of their memory, for buckets whose rules are needed seldom: packed, and read by key.

Separate from matching, whose index is for rules that are needed all the time: one of a thousand rules takes most of a
megabyte, and a stack may have a thousand buckets. Packed rules answer the same questions with the same rules, and only
those that may apply to a key are unpacked: prefixes stand one after the other in a text that is searched for the
beginnings of the key, one search for each length that a prefix has.
"""

import marshal
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, fields
from typing import Any

from replicator.core.rules.matching import Candidate, Match, RuleSet
from replicator.core.rules.rule import Destination, Rule

# Any: the fields of a destination, and those of a rule, in the order of their declaration.
Common = tuple[tuple[Any, ...], tuple[Any, ...]]
Row = tuple[str, str, int, frozenset[tuple[str, str]], int]
"""prefix, id, priority, tags, and which of the few sets of all other fields the rule has."""
_OWN = ("prefix", "id", "priority", "tags")
_COMMON = tuple(field.name for field in fields(Rule) if field.name not in (*_OWN, "destination"))
_ENABLED = _COMMON.index("enabled")
_BEFORE, _AFTER = "\0", "\1"
"""What stands around each prefix in the text; its number follows. Prefixes that contain one are all looked at."""


class PackedRules(RuleSet):
    """The rules of a `RuleSet`, packed. It has no warnings: those are for who writes rules."""

    __slots__ = ("_common", "_last", "_lengths_used", "_odd", "_offsets", "_prefixes", "_rows")
    _common: bytes
    _last: tuple[str, RuleSet]
    _lengths_used: tuple[int, ...]
    _odd: tuple[int, ...]
    _offsets: "array[int]"
    _prefixes: str
    _rows: bytes

    def __init__(self, rules: RuleSet) -> None:
        common: dict[Common, int] = {}
        rows = [marshal.dumps(_row(rule, common)) for rule in rules.rules]
        offsets = array("I", [0])
        for row in rows:
            offsets.append(offsets[-1] + len(row))
        prefixes = [rule.prefix for rule in rules.rules]
        odd = tuple(at for at, prefix in enumerate(prefixes) if _BEFORE in prefix or _AFTER in prefix)
        plain = [(at, prefix) for at, prefix in enumerate(prefixes) if at not in odd]
        text = "".join(f"{_BEFORE}{prefix}{_AFTER}{at}" for at, prefix in plain) + _BEFORE
        for name, value in (
            ("bucket", rules.bucket),
            ("warnings", ()),
            ("_common", marshal.dumps(list(common))),
            ("_last", ("", RuleSet(rules.bucket))),
            ("_lengths_used", tuple(sorted({len(prefix) for _, prefix in plain}))),
            ("_odd", odd),
            ("_offsets", offsets),
            ("_prefixes", text),
            ("_rows", b"".join(rows)),
        ):
            object.__setattr__(self, name, value)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules, in the order of their document."""
        return tuple(self._unpack(range(len(self._offsets) - 1)))

    @property
    def size(self) -> int:
        """Bytes that the rules take."""
        return len(self._rows) + len(self._prefixes) + len(self._common) + self._offsets.itemsize * len(self._offsets)

    @property
    def targets(self) -> dict[str, tuple[str, int]]:
        """The destination buckets of enabled rules, each with its account, empty if none is named, and their number."""
        common: list[Common] = marshal.loads(self._common)  # noqa: S302 - made by this process, above
        found: dict[str, tuple[str, int]] = {}
        for at in range(len(self._offsets) - 1):
            where, others = common[self._row(at)[4]]
            if others[_ENABLED]:
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
            found = self._unpack(sorted({*self._positions(key), *self._odd}))
            rules = RuleSet(self.bucket, tuple(rule for rule in found if key.startswith(rule.prefix)))
            object.__setattr__(self, "_last", (key, rules))
        return rules

    def _positions(self, key: str) -> Iterator[int]:
        """Yield the places of the rules whose prefix is a beginning of the key."""
        text = self._prefixes
        for length in self._lengths_used:
            if length > len(key):
                break
            wanted = f"{_BEFORE}{key[:length]}{_AFTER}"
            at = text.find(wanted)
            while at >= 0:
                start = at + len(wanted)
                end = text.index(_BEFORE, start)
                yield int(text[start:end])
                at = text.find(wanted, end)

    def _unpack(self, places: Iterable[int]) -> Iterator[Rule]:
        common: list[Common] = marshal.loads(self._common)  # noqa: S302 - made by this process, above
        for at in places:
            prefix, name, priority, tags, which = self._row(at)
            destination, others = common[which]
            named = dict(zip(_COMMON, others, strict=True))
            yield Rule(
                id=name, priority=priority, prefix=prefix, tags=tags, destination=Destination(*destination), **named
            )

    def _row(self, at: int) -> Row:
        row: Row = marshal.loads(self._rows[self._offsets[at] : self._offsets[at + 1]])  # noqa: S302 - as above
        return row


def _row(rule: Rule, known: dict[Common, int]) -> Row:
    common = (astuple(rule.destination), tuple(getattr(rule, name) for name in _COMMON))
    return rule.prefix, rule.id, rule.priority, rule.tags, known.setdefault(common, len(known))
