"""Which rule applies to an object: every feature of a filter has an object that it selects and one that it does not."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replicator.core.rules.document import parse
from replicator.core.rules.matching import Candidate, MatchResult, RuleSet
from replicator.core.rules.rule import Destination, Rule

WEST = "arn:aws:s3:::west"
NORTH = "arn:aws:s3:::north"


def rule(name: str, priority: int = 0, to: str = WEST, status: str = "Enabled", **fields: Any) -> dict[str, Any]:
    return {
        "ID": name,
        "Priority": priority,
        "Status": status,
        "Filter": {},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": to},
    } | fields


def older(name: str, prefix: str, status: str = "Enabled") -> dict[str, Any]:
    return {"ID": name, "Prefix": prefix, "Status": status, "Destination": {"Bucket": WEST}}


def tag(key: str, value: str) -> dict[str, str]:
    return {"Key": key, "Value": value}


ALL = [rule("all")]
PREFIX = [rule("logs", Filter={"Prefix": "logs/"})]
TAG = [rule("gold", Filter={"Tag": tag("class", "gold")})]
AND = [rule("both", Filter={"And": {"Prefix": "a/", "Tags": [tag("class", "gold"), tag("team", "x y")]}})]
RANKED = [rule("low", 1), rule("high", 2, Filter={"Tag": tag("class", "gold")}), rule("off", 3, status="Disabled")]
TWO = [rule("near", Filter={"Prefix": "a"}), rule("far", to=NORTH, Filter={"Prefix": "ab"})]
NESTED = [rule("outer", 2, Filter={"Prefix": "a/"}), rule("inner", 1, Filter={"Prefix": "a/b/"})]
OLDER = [older("one", "a/"), older("two", "b/"), older("three", "c/", "Disabled")]
UNICODE = [rule("é", Filter={"Prefix": "prüfung/ü +%2B"})]

WINNERS: dict[str, tuple[list[dict[str, Any]], str, dict[str, str], dict[str, str]]] = {
    "the empty filter takes every key": (ALL, "any/key", {}, {"west": "all"}),
    "a disabled rule takes none": ([rule("off", status="Disabled")], "any/key", {}, {}),
    "a prefix takes keys that start with it": (PREFIX, "logs/today", {}, {"west": "logs"}),
    "a prefix takes the key that is it": (PREFIX, "logs/", {}, {"west": "logs"}),
    "a prefix is not a folder name": (PREFIX, "logs", {}, {}),
    "a prefix is matched at the beginning only": (PREFIX, "old/logs/today", {}, {}),
    "a prefix is matched by case": (PREFIX, "Logs/today", {}, {}),
    "a tag filter takes objects with the tag": (TAG, "k", {"class": "gold", "more": "1"}, {"west": "gold"}),
    "a tag filter wants the value": (TAG, "k", {"class": "silver"}, {}),
    "a tag filter wants the case of the value": (TAG, "k", {"class": "Gold"}, {}),
    "a tag filter wants the key": (TAG, "k", {"gold": "class"}, {}),
    "a tag filter takes no untagged object": (TAG, "k", {}, {}),
    "And wants everything": (AND, "a/k", {"class": "gold", "team": "x y"}, {"west": "both"}),
    "And wants the prefix": (AND, "b/k", {"class": "gold", "team": "x y"}, {}),
    "And wants every tag": (AND, "a/k", {"class": "gold"}, {}),
    "the highest priority that matches wins": (RANKED, "k", {"class": "gold"}, {"west": "high"}),
    "a lower priority wins where the higher does not match": (RANKED, "k", {}, {"west": "low"}),
    "each destination has its own winner": (TWO, "ab", {}, {"west": "near", "north": "far"}),
    "a destination whose rules do not match gets nothing": (TWO, "ac", {}, {"west": "near"}),
    "priority wins, not the longer prefix": (NESTED, "a/b/c", {}, {"west": "outer"}),
    "rules of the older form match by prefix": (OLDER, "b/k", {}, {"west": "two"}),
    "rules of the older form can be disabled": (OLDER, "c/k", {}, {}),
    "rules of the older form take nothing else": (OLDER, "d/k", {}, {}),
    "prefixes are text as it is, nothing is decoded": (UNICODE, "prüfung/ü +%2Bx", {}, {"west": "é"}),
    "an encoded key is another key": (UNICODE, "prüfung/ü++x", {}, {}),
    "equal priorities for different destinations both count":
        ([rule("a", 1), rule("b", 1, NORTH)], "k", {}, {"west": "a", "north": "b"}),
}  # fmt: skip


def winners(rules: RuleSet, key: str, tags: dict[str, str]) -> dict[str, str]:
    selected = {each.destination: each.select(tags) for each in rules.candidates(key)}
    return {destination: rule.id for destination, rule in selected.items() if rule is not None}


@pytest.mark.parametrize(("document", "key", "tags", "expected"), WINNERS.values(), ids=WINNERS)
def test_a_rule_for_each_destination_applies_to_an_object(
    document: list[dict[str, Any]], key: str, tags: dict[str, str], expected: dict[str, str]
) -> None:
    assert winners(parse("east", {"Rules": document}), key, tags) == expected


@pytest.mark.parametrize(
    ("document", "needs"),
    [(ALL, False), (TAG, True), (RANKED, True), ([rule("top", 5), *RANKED[:2]], False)],
    ids=["no tag filter", "only a tag filter", "a tag filter on top", "a tag filter that can never win"],
)
def test_tags_are_needed_only_if_they_can_change_the_winner(document: list[dict[str, Any]], needs: bool) -> None:
    (candidate,) = parse("east", {"Rules": document}).candidates("k")
    assert candidate.needs_tags is needs


@pytest.mark.parametrize(
    ("document", "key", "disabled"),
    [([rule("off", status="Disabled")], "k", True), (ALL, "k", False), (PREFIX, "x", False), (RANKED, "k", False)],
    ids=["only a disabled one", "an enabled one", "none", "an enabled one beside a disabled one"],
)
def test_a_key_that_only_disabled_rules_select_differs_from_one_that_none_selects(
    document: list[dict[str, Any]], key: str, disabled: bool
) -> None:
    assert parse("east", {"Rules": document}).only_disabled(key) is disabled


def test_every_rule_is_listed_with_the_reason_why_it_does_not_apply() -> None:
    document = [
        rule("wins", 5),
        rule("beaten", 4),
        rule("gold", 6, Filter={"Tag": tag("class", "gold")}),
        rule("off", 7, status="Disabled"),
        rule("logs", 8, Filter={"Prefix": "logs/"}),
        rule("elsewhere", 1, NORTH),
    ]
    lines = parse("east", {"Rules": document}).match_all("k", {"class": "silver"})
    assert [(each.rule.id, each.result) for each in lines] == [
        ("wins", MatchResult.MATCHES),
        ("beaten", MatchResult.LOWER_PRIORITY),
        ("gold", MatchResult.TAG),
        ("off", MatchResult.DISABLED),
        ("logs", MatchResult.PREFIX),
        ("elsewhere", MatchResult.MATCHES),
    ]
    assert [str(each) for each in lines][:3] == [
        "wins -> west: matches",
        "beaten -> west: 'wins' has priority 5, this rule 4",
        "gold -> west: the object lacks the tag class=gold",
    ]


keys = st.text("ab/é", max_size=6)
tag_sets = st.dictionaries(st.sampled_from("xy"), st.sampled_from("12"), max_size=2)


@st.composite
def rule_sets(draw: st.DrawFn) -> RuleSet:
    def one(index: int) -> Rule:
        return Rule(
            id=f"r{index}",
            enabled=draw(st.booleans()),
            priority=index,
            prefix=draw(keys),
            tags=frozenset(draw(tag_sets).items()),
            destination=Destination(draw(st.sampled_from(["west", "north"]))),
        )

    rules = [one(index) for index in range(draw(st.integers(0, 12)))]
    return RuleSet("east", tuple(draw(st.permutations(rules))))


def linear_winners(rules: RuleSet, key: str, tags: dict[str, str]) -> dict[str, str]:
    """Return the winners by comparing every rule with the object: simple, and slow for 1,000 rules."""
    best: dict[str, Rule] = {}
    for each in rules.rules:
        matches = each.enabled and key.startswith(each.prefix) and each.tags <= frozenset(tags.items())
        known = best.get(each.destination.bucket)
        if matches and (known is None or each.priority > known.priority):
            best[each.destination.bucket] = each
    return {destination: each.id for destination, each in best.items()}


@given(rule_sets(), keys, tag_sets)
def test_the_lookup_by_prefix_finds_what_a_comparison_with_every_rule_finds(
    rules: RuleSet, key: str, tags: dict[str, str]
) -> None:
    assert winners(rules, key, tags) == linear_winners(rules, key, tags)


@given(rule_sets(), keys)
def test_candidates_have_every_enabled_rule_with_a_prefix_of_the_key_once(rules: RuleSet, key: str) -> None:
    found = [each.id for candidate in rules.candidates(key) for each in candidate.rules]
    assert sorted(found) == sorted(each.id for each in rules.rules if each.enabled and key.startswith(each.prefix))


@given(rule_sets(), keys, tag_sets)
def test_exactly_the_winners_are_listed_as_matching(rules: RuleSet, key: str, tags: dict[str, str]) -> None:
    matching = {
        each.rule.destination.bucket: each.rule.id for each in rules.match_all(key, tags) if each.result == "matches"
    }
    assert matching == winners(rules, key, tags)


@given(rule_sets(), keys, tag_sets)
def test_no_tags_change_the_winner_where_none_are_needed(rules: RuleSet, key: str, tags: dict[str, str]) -> None:
    for candidate in rules.candidates(key):
        if not candidate.needs_tags:
            assert candidate.select(tags) == candidate.select({})


def test_a_key_is_not_compared_with_each_of_a_thousand_prefixes() -> None:
    looked_up: list[str] = []

    class Counting(dict[str, tuple[Rule, ...]]):
        def __contains__(self, key: object) -> bool:
            looked_up.append(str(key))
            return super().__contains__(key)

    document = [rule(f"r{i}", i, Filter={"Prefix": f"{string.ascii_letters[i % 52]}{i:04}/"}) for i in range(1000)]
    rules = parse("east", {"Rules": document})
    object.__setattr__(rules, "_by_prefix", Counting(rules._by_prefix))
    (candidate,) = rules.candidates("a0000/some/key")
    assert [each.id for each in candidate.rules] == ["r0"]
    assert looked_up == ["a0000/"]


@pytest.mark.parametrize("shared", [False, True], ids=["one tag each", "a tag that all want, and one each"])
def test_an_object_is_not_compared_with_each_of_a_thousand_tag_filters(
    monkeypatch: pytest.MonkeyPatch, shared: bool
) -> None:
    def selection(index: int) -> dict[str, Any]:
        own = tag("customer", str(index))
        return {"And": {"Tags": [tag("class", "gold"), own]}} if shared else {"Tag": own}

    compared: list[str] = []
    wants = Rule.matches_tags

    def counting(self: Rule, tags: dict[str, str]) -> bool:
        compared.append(self.id)
        return wants(self, tags)

    monkeypatch.setattr(Rule, "matches_tags", counting)
    rules = parse("east", {"Rules": [rule(f"r{i}", i, Filter=selection(i)) for i in range(1000)]})
    assert winners(rules, "k", {"class": "gold", "customer": "7"}) == {"west": "r7"}
    assert compared == ["r7"]


def test_a_candidate_lists_its_rules_from_the_highest_priority_down() -> None:
    (candidate,) = parse("east", {"Rules": [rule("b", 2), rule("c", 3), rule("a", 1)]}).candidates("k")
    assert isinstance(candidate, Candidate)
    assert [each.id for each in candidate.rules] == ["c", "b", "a"]


def test_the_destinations_of_a_rule_set_are_listed_once_with_those_of_disabled_rules() -> None:
    rules = parse("east", {"Rules": [rule("a", 1), rule("b", 2), rule("c", 1, NORTH, "Disabled")]})
    assert rules.destinations == ("west", "north")
