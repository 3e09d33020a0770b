"""Conflicts between the rules of one document: what S3 refuses, and rules that can never apply.

Separate from reading a single rule because nothing here looks at JSON. Every check is linear in the number of rules
(times the number of distinct prefix lengths), because a function reads documents of up to 1,000 rules.
"""

from collections.abc import Callable, Iterator, Sequence

from replicator.core.rules.rule import Problem, Rule


def conflicts(rules: Sequence[Rule]) -> Iterator[Problem]:
    """Yield every error for which S3 would refuse these rules together."""
    yield from _duplicate_ids(rules)
    yield from _mixed_versions(rules)
    yield from _duplicate_priorities(rules)
    yield from _several_destinations(rules)
    yield from _overlapping_prefixes(rules)


def never_wins(rules: Sequence[Rule]) -> Iterator[Problem]:
    """Yield a warning for each enabled rule whose objects a rule of higher priority selects already."""
    strongest: dict[tuple[str, str], Rule] = {}
    for rule in rules:
        scope = (rule.destination.bucket, rule.prefix)
        if rule.enabled and not rule.tags and (scope not in strongest or strongest[scope].priority < rule.priority):
            strongest[scope] = rule
    shorter = _shorter_prefixes(rules)
    for rule in rules if strongest else ():
        over = (strongest.get((rule.destination.bucket, prefix)) for prefix in shorter(rule.prefix))
        winner = next((other for other in over if other and other.priority > rule.priority), None)
        if rule.enabled and winner:
            yield Problem(rule.id, "Priority", f"never applies: {winner.id!r} covers it with a higher priority")


def _duplicate_ids(rules: Sequence[Rule]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for position, rule in enumerate(rules, 1):
        if rule.id in first:
            yield Problem(f"rule {position}", "ID", f"{rule.id!r} is also the id of rule {first[rule.id]}")
        first.setdefault(rule.id, position)


def _mixed_versions(rules: Sequence[Rule]) -> Iterator[Problem]:
    if {rule.version for rule in rules} == {1, 2}:
        for rule in rules:
            if rule.version == 1:
                yield Problem(
                    rule.id,
                    "Prefix",
                    "cannot be used beside rules that have Filter; write the prefix into a Filter",
                )


def _duplicate_priorities(rules: Sequence[Rule]) -> Iterator[Problem]:
    first: dict[tuple[str, int], str] = {}
    for rule in rules:
        scope = (rule.destination.bucket, rule.priority)
        if rule.version == 1 or not rule.destination.bucket:
            continue
        if scope in first:
            message = f"{rule.priority} is also the priority of {first[scope]!r} for {rule.destination.bucket}"
            yield Problem(rule.id, "Priority", message)
        first.setdefault(scope, rule.id)


def _several_destinations(rules: Sequence[Rule]) -> Iterator[Problem]:
    older = [rule for rule in rules if rule.version == 1 and rule.destination.bucket]
    for rule in older[1:]:
        if rule.destination.bucket != older[0].destination.bucket:
            message = "rules with Prefix must all name the same destination bucket; use Filter and Priority for several"
            yield Problem(rule.id, "Destination.Bucket", message)


def _overlapping_prefixes(rules: Sequence[Rule]) -> Iterator[Problem]:
    older = [rule for rule in rules if rule.version == 1]
    first: dict[str, Rule] = {}
    for rule in older:
        first.setdefault(rule.prefix, rule)
    shorter = _shorter_prefixes(older)
    for rule in older:
        over = (first.get(prefix) for prefix in shorter(rule.prefix))
        other = next((other for other in over if other and other is not rule), None)
        if other:
            message = f"{rule.prefix!r} overlaps with {other.prefix!r} of {other.id!r}; use Filter and Priority instead"
            yield Problem(rule.id, "Prefix", message)


def _shorter_prefixes(rules: Sequence[Rule]) -> Callable[[str], Iterator[str]]:
    """Return a function that lists the beginnings of a prefix, itself included, that are as long as a rule's prefix."""
    lengths = sorted({len(rule.prefix) for rule in rules})
    return lambda prefix: (prefix[:length] for length in lengths if length <= len(prefix))
