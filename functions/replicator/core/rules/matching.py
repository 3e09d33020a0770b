"""Which rules apply to an object.

Separate from reading documents because matching runs for every change, and its cost must not grow with the number of
rules: a key is looked up by its prefixes, never compared with every rule.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from replicator.core.rules.rule import Problem, Rule


@dataclass(frozen=True, slots=True)
class Candidate:
    """The enabled rules for one destination bucket whose prefix matches a key, highest priority first; never empty.

    Rules with tag filters are indexed by the rarest of their tags, so that not all of a thousand filters are tried for
    every object.
    """

    destination: str
    rules: tuple[Rule, ...]
    _by_tag: Mapping[tuple[str, str], tuple[int, ...]] = field(init=False, repr=False, compare=False)
    _untagged: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        untagged = next((rank for rank, rule in enumerate(self.rules) if not rule.tags), len(self.rules))
        # The first rule without a tag filter matches every object: rules after it never apply.
        tagged = self.rules[:untagged]
        frequency = Counter(tag for rule in tagged for tag in rule.tags)
        by_tag: dict[tuple[str, str], list[int]] = {}
        for rank, rule in enumerate(tagged):
            by_tag.setdefault(min(rule.tags, key=lambda tag: (frequency[tag], tag)), []).append(rank)
        object.__setattr__(self, "_by_tag", {tag: tuple(ranks) for tag, ranks in by_tag.items()})
        object.__setattr__(self, "_untagged", untagged)

    @property
    def account(self) -> str:
        """The account that must own the destination; empty if the rules do not name one."""
        return self.rules[0].destination.account or ""

    @property
    def needs_tags(self) -> bool:
        """Return whether the object's tags decide which rule applies: only if the first rule has a tag filter."""
        return bool(self.rules[0].tags)

    def select(self, tags: Mapping[str, str]) -> Rule | None:
        """Return the rule of highest priority whose tag filter matches, or None."""
        ranks = (rank for tag in tags.items() for rank in self._by_tag.get(tag, ()))
        best = min((rank for rank in ranks if self.rules[rank].matches_tags(tags)), default=self._untagged)
        return self.rules[best] if best < len(self.rules) else None


class MatchResult(StrEnum):
    """Whether a rule applies to an object, and if not, what prevents it."""

    MATCHES = "matches"
    DISABLED = "disabled"
    PREFIX = "prefix"
    TAG = "tag"
    LOWER_PRIORITY = "lower priority"


@dataclass(frozen=True, slots=True)
class Match:
    """The result of comparing one rule with one object, with the reason in words."""

    rule: Rule
    result: MatchResult
    reason: str

    def __str__(self) -> str:
        """Return the line that `explain` prints."""
        return f"{self.rule.id} -> {self.rule.destination.bucket}: {self.reason}"


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules of one source bucket in the order of their document, with warnings about them."""

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

    @property
    def targets(self) -> dict[str, tuple[str, int]]:
        """The destination buckets of enabled rules, each with its account, empty if none is named, and their number."""
        found: dict[str, tuple[str, int]] = {}
        for rule in self.rules:
            if rule.enabled:
                _, number = found.get(rule.destination.bucket, ("", 0))
                found[rule.destination.bucket] = rule.destination.account or "", number + 1
        return found

    def candidates(self, key: str) -> tuple[Candidate, ...]:
        """Return one candidate for each destination bucket that an enabled rule names for this key.

        All keys with the same longest matching prefix have the same candidates, so there is one result per prefix, and
        each is built only once.
        """
        longest = next((key[:length] for length in self._lengths if key[:length] in self._by_prefix), None)
        if longest is None:
            return ()
        if longest not in self._candidates:
            self._candidates[longest] = self._build_candidates(longest)
        return self._candidates[longest]

    def only_disabled(self, key: str) -> bool:
        """Return whether rules have a prefix that matches this key, but all of those are disabled."""
        matching = tuple(self._with_prefix_of(key))
        return bool(matching) and not any(rule.enabled for rule in matching)

    def match_all(self, key: str, tags: Mapping[str, str]) -> tuple[Match, ...]:
        """Compare the object with every rule, in the order of the document. Costs time for each rule."""
        winners = {candidate.destination: candidate.select(tags) for candidate in self.candidates(key)}
        return tuple(_match(rule, key, tags, winners.get(rule.destination.bucket)) for rule in self.rules)

    def _build_candidates(self, key: str) -> tuple[Candidate, ...]:
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
    if not rule.matches_tags(tags):
        missing = ", ".join(f"{name}={value}" for name, value in sorted(rule.tags - frozenset(tags.items())))
        return Match(rule, MatchResult.TAG, f"the object lacks the tag {missing}")
    if winner is not None and winner is not rule:
        return Match(
            rule, MatchResult.LOWER_PRIORITY, f"{winner.id!r} has priority {winner.priority}, this rule {rule.priority}"
        )
    return Match(rule, MatchResult.MATCHES, "matches")
