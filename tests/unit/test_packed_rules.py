"""Rules by index, rules by scan and packed rules: the same rules win, whatever the prefixes, tags and priorities."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from replicator.core.rules.matching import RuleSet
from replicator.core.rules.packed import PackedRules
from replicator.core.rules.rule import Destination, Rule

KEYS = st.text("ab/\0\1" + "1", max_size=5)
"""Among them those that packed rules have a meaning of their own for."""
TAGS = st.dictionaries(st.sampled_from("xy"), st.sampled_from("12"), max_size=2)
DESTINATIONS = st.builds(
    Destination,
    bucket=st.sampled_from(["west", "north"]),
    account=st.sampled_from([None, "111122223333"]),
    storage_class=st.sampled_from([None, "GLACIER"]),
    owner_override=st.booleans(),
)


@st.composite
def rule_sets(draw: st.DrawFn) -> RuleSet:
    priorities = draw(st.lists(st.integers(0, 2**31 - 1), unique=True, max_size=12))
    return RuleSet("east", tuple(draw(_rules(f"rule {index}", each)) for index, each in enumerate(priorities)))


def _rules(name: str, priority: int) -> st.SearchStrategy[Rule]:
    return st.builds(
        Rule,
        id=st.just(name),
        enabled=st.booleans(),
        priority=st.just(priority),
        prefix=KEYS,
        tags=TAGS.map(lambda tags: frozenset(tags.items())),
        destination=DESTINATIONS,
        kms_selected=st.booleans(),
        delete_markers=st.booleans(),
        threshold_minutes=st.sampled_from([None, 15, 0.5]),
        version=st.sampled_from([1, 2]),
    )


def winners(rules: RuleSet, key: str, tags: dict[str, str]) -> dict[str, Rule | None]:
    return {each.destination: each.select(tags) for each in rules.candidates(key)}


def scanned(rules: Sequence[Rule], key: str, tags: dict[str, str]) -> dict[str, Rule | None]:
    """Look at every rule: of those of a destination that match key and tags, the one of highest priority wins."""
    named = [rule for rule in rules if rule.enabled and key.startswith(rule.prefix)]
    found: dict[str, Rule | None] = {rule.destination.bucket: None for rule in named}
    for rule in sorted(named, key=lambda rule: rule.priority):
        if rule.matches_tags(tags):
            found[rule.destination.bucket] = rule
    return found


@given(rule_sets(), KEYS, TAGS)
def test_the_index_finds_the_rule_that_a_scan_finds(rules: RuleSet, key: str, tags: dict[str, str]) -> None:
    assert winners(rules, key, tags) == scanned(rules.rules, key, tags)
    matching = [rule for rule in rules.rules if key.startswith(rule.prefix)]
    assert rules.only_disabled(key) == (bool(matching) and not any(rule.enabled for rule in matching))


@given(rule_sets(), st.lists(KEYS, min_size=1, max_size=3), TAGS)
def test_packed_rules_answer_what_the_rules_do(rules: RuleSet, keys: list[str], tags: dict[str, str]) -> None:
    packed = PackedRules(rules)
    for key in keys:
        assert packed.candidates(key) == rules.candidates(key)
        assert packed.only_disabled(key) == rules.only_disabled(key)
        assert packed.match_all(key, tags) == rules.match_all(key, tags)
    assert (packed.bucket, packed.rules, packed.destinations) == (rules.bucket, rules.rules, rules.destinations)
    assert (packed.targets, packed.unpacked()) == (rules.targets, rules)


def test_packed_rules_take_a_tenth_of_the_memory() -> None:
    """A thousand rules that differ in what rules of one bucket mostly differ in. A rule takes about 700 bytes."""
    rules = [
        Rule(f"rule-{number:04}", True, number, f"teams/{number:04}/", frozenset(), Destination(f"copy-{number % 5}"))
        for number in range(1000)
    ]
    assert PackedRules(RuleSet("east", tuple(rules))).size < 80 * 1000
