"""How rules are counted by kind for metrics."""

import pytest
from replicator.core.outcomes.metrics import Metric
from replicator.core.outcomes.rule_kinds import Home, RulesTo, count_rules

HOME = Home("us-east-1", "111122223333")


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (RulesTo(2, "", "us-east-1"), {Metric.RULES_SAME_REGION: 2, Metric.RULES_SAME_ACCOUNT: 2}),
        (RulesTo(3, HOME.account, "eu-west-1"), {Metric.RULES_CROSS_REGION: 3, Metric.RULES_SAME_ACCOUNT: 3}),
        (RulesTo(1, "444455556666", "us-east-1"), {Metric.RULES_SAME_REGION: 1, Metric.RULES_CROSS_ACCOUNT: 1}),
        (RulesTo(1, "444455556666", None), {Metric.RULES_CROSS_ACCOUNT: 1}),
        (RulesTo(4, "444455556666", ""), {Metric.RULES_INVALID: 4}),
    ],
    ids=["here", "another Region", "another account", "of unknown Region", "to no bucket"],
)
def test_the_kinds_of_rules_to_a_destination(rules: RulesTo, expected: dict[Metric, int]) -> None:
    found = count_rules([rules], HOME)
    assert {metric: count for metric, count in found.items() if count} == expected


def test_every_kind_has_a_count_and_those_of_several_destinations_add_up() -> None:
    assert set(count_rules([], HOME).values()) == {0}
    assert len(count_rules([], HOME)) == 5
    found = count_rules([RulesTo(2, "", "us-east-1"), RulesTo(5, "", "us-east-1")], HOME)
    assert found[Metric.RULES_SAME_REGION] == 7
