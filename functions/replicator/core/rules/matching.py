"""Which rules an object falls under.

Reading and refusing documents is `document`'s business, so that matching, which runs for every change, stays small: a
key is looked up by its prefixes, never compared with every rule.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from replicator.core.rules.rule import Problem, Rule


@dataclass(frozen=True, slots=True)
class Candidate:
    """The enabled rules for one destination bucket whose prefix matches a key, highest priority first; never empty.

    Rules are found by the rarest of their tags, so that a thousand tag filters are not all tried for every object.
    """

    destination: str
    rules: tuple[Rule, ...]
    _by_tag: Mapping[tuple[str, str], tuple[int, ...]] = field(init=False, repr=False, compare=False)
    _untagged: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        untagged = next((place for place, rule in enumerate(self.rules) if not rule.tags), len(self.rules))
        # Below the first rule without a tag filter none can win.
        tagged = self.rules[:untagged]
        frequency = Counter(tag for rule in tagged for tag in rule.tags)
        by_tag: dict[tuple[str, str], list[int]] = {}
        for place, rule in enumerate(tagged):
            by_tag.setdefault(min(rule.tags, key=lambda tag: (frequency[tag], tag)), []).append(place)
        object.__setattr__(self, "_by_tag", {tag: tuple(places) for tag, places in by_tag.items()})
        object.__setattr__(self, "_untagged", untagged)

    @property
    def account(self) -> str:
        """The account that must own the destination; empty if its rules do not say."""
        return self.rules[0].destination.account or ""

    @property
    def needs_tags(self) -> bool:
        """Return whether the object's tags decide; without a tag filter on top, the top rule wins whatever they are."""
        return bool(self.rules[0].tags)

    def select(self, tags: Mapping[str, str]) -> Rule | None:
        """Return the rule of highest priority whose tag filter the object passes, or None."""
        places = (place for tag in tags.items() for place in self._by_tag.get(tag, ()))
        best = min((place for place in places if self.rules[place].wants(tags)), default=self._untagged)
        return self.rules[best] if best < len(self.rules) else None


class MatchResult(StrEnum):
    """What came of comparing one object with one rule."""

    MATCHES = "matches"
    DISABLED = "disabled"
    PREFIX = "prefix"
    TAG = "tag"
    LOWER_PRIORITY = "lower priority"


@dataclass(frozen=True, slots=True)
class Match:
    """What came of comparing one rule with one object, with the reason in words."""

    rule: Rule
    result: MatchResult
    reason: str

    def __str__(self) -> str:
        """Return the line that `explain` prints."""
        return f"{self.rule.id} -> {self.rule.destination.bucket}: {self.reason}"


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules of one source bucket, in the order of their document, with what is worth a warning about them."""

    bucket: str
    rules: tuple[Rule, ...] = ()
    warnings: tuple[Problem, ...] = ()
    _by_prefix: Mapping[str, tuple[Rule, ...]] = field(init=False, repr=False, compare=False)
    _lengths: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _candidates: dict[str, tuple[Candidate, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_prefix: dict[str, list[Rule]] = {}
        for rule in self.rules:
            by_prefix.setdefault(rule.prefix, []).append(rule)
        object.__setattr__(self, "_by_prefix", {prefix: tuple(rules) for prefix, rules in by_prefix.items()})
        object.__setattr__(self, "_lengths", tuple(sorted({len(prefix) for prefix in by_prefix}, reverse=True)))
        object.__setattr__(self, "_candidates", {})

    @property
    def destinations(self) -> tuple[str, ...]:
        """The destination buckets of all rules, disabled ones included, in the order of the document."""
        return tuple(dict.fromkeys(rule.destination.bucket for rule in self.rules))

    def candidates(self, key: str) -> tuple[Candidate, ...]:
        """Return one candidate for each destination bucket that an enabled rule names for this key.

        The longest prefix of the key that a rule has decides which other rules have one, so that there are no more
        different answers than prefixes, and each is put together once.
        """
        longest = next((key[:length] for length in self._lengths if key[:length] in self._by_prefix), None)
        if longest is None:
            return ()
        if longest not in self._candidates:
            self._candidates[longest] = self._put_together(longest)
        return self._candidates[longest]

    def only_disabled(self, key: str) -> bool:
        """Return whether rules name this key, but every one of them is disabled."""
        matching = tuple(self._with_prefix_of(key))
        return bool(matching) and not any(rule.enabled for rule in matching)

    def match_all(self, key: str, tags: Mapping[str, str]) -> tuple[Match, ...]:
        """Return one verdict for each rule, in the order of the document. Costs a look at every rule."""
        winners = {candidate.destination: candidate.select(tags) for candidate in self.candidates(key)}
        return tuple(_match(rule, key, tags, winners.get(rule.destination.bucket)) for rule in self.rules)

    def _put_together(self, key: str) -> tuple[Candidate, ...]:
        by_destination: dict[str, list[Rule]] = {}
        for rule in self._with_prefix_of(key):
            if rule.enabled:
                by_destination.setdefault(rule.destination.bucket, []).append(rule)
        return tuple(Candidate(bucket, _by_priority(rules)) for bucket, rules in by_destination.items())

    def _with_prefix_of(self, key: str) -> Iterator[Rule]:
        for length in self._lengths:
            if length <= len(key):
                yield from self._by_prefix.get(key[:length], ())


def _by_priority(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    return tuple(sorted(rules, key=lambda rule: -rule.priority))


def _match(rule: Rule, key: str, tags: Mapping[str, str], winner: Rule | None) -> Match:
    if not key.startswith(rule.prefix):
        return Match(rule, MatchResult.PREFIX, f"the key does not start with {rule.prefix!r}")
    if not rule.enabled:
        return Match(rule, MatchResult.DISABLED, "the rule is disabled")
    if not rule.wants(tags):
        missing = ", ".join(f"{name}={value}" for name, value in sorted(rule.tags - frozenset(tags.items())))
        return Match(rule, MatchResult.TAG, f"the object lacks the tag {missing}")
    if winner is not None and winner is not rule:
        return Match(
            rule, MatchResult.LOWER_PRIORITY, f"{winner.id!r} has priority {winner.priority}, this rule {rule.priority}"
        )
    return Match(rule, MatchResult.MATCHES, "matches")
