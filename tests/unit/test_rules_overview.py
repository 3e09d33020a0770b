"""The kinds that rules are counted by."""

from collections import Counter
from typing import Any

import pytest
from replicator.core.rules.document import parse
from replicator.core.rules.matching import RuleSet
from s3replicator.rules.overview import BucketRules, Kind, Place, counts, kinds_of
from s3replicator.stack_facts import StackFacts

from tests.unit.rule_documents import newer

HERE, OTHER = "111122223333", "444455556666"
STACK = StackFacts(
    name="prod",
    region="us-east-1",
    account=HERE,
    control_bucket="control",
    change_queue_url="https://queue",
    change_queue_arn=f"arn:aws:sqs:us-east-1:{HERE}:q",
    destination_buckets=frozenset({"near", "far", "gone", "unseen", "copy-*"}),
)
PLACES = {
    "near": Place(exists=True, region="us-east-1"),
    "far": Place(exists=True, region="eu-west-1"),
    "gone": Place(exists=False),
    "unseen": Place(),
    "copy-1": Place(exists=True, region="us-east-1"),
    "forbidden": Place(exists=True, region="us-east-1"),
}


def to(bucket: str, account: str = "", **fields: Any) -> dict[str, Any]:
    owner = {"Account": account} if account else {}
    return newer(ID=f"{bucket}{account}", Destination={"Bucket": f"arn:aws:s3:::{bucket}", **owner}, **fields)


def rules(*documents: dict[str, Any]) -> RuleSet:
    return parse("east", {"Role": "", "Rules": list(documents)})


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (to("near"), {Kind.SAME_REGION, Kind.SAME_ACCOUNT}),
        (to("near", HERE), {Kind.SAME_REGION, Kind.SAME_ACCOUNT}),
        (to("far", OTHER), {Kind.CROSS_REGION, Kind.CROSS_ACCOUNT}),
        (to("copy-1"), {Kind.SAME_REGION, Kind.SAME_ACCOUNT}),
        (to("unseen", OTHER), {Kind.UNKNOWN_REGION, Kind.CROSS_ACCOUNT}),
        (to("gone"), {Kind.INVALID_DESTINATION}),
        (to("forbidden"), {Kind.INVALID_DESTINATION}),
        (to("near", Status="Disabled"), set()),
    ],
    ids=[
        "here",
        "here, by its account",
        "elsewhere",
        "by a pattern",
        "of unknown Region",
        "gone",
        "not in DestinationBuckets",
        "disabled",
    ],
)
def test_the_kinds_of_a_rule(rule: dict[str, Any], expected: set[Kind]) -> None:
    assert set(kinds_of(rules(rule).rules, STACK, PLACES)) == expected


def test_counts_are_those_of_all_buckets_together() -> None:
    first = rules(to("near", Priority=1), to("far", Priority=2), to("gone", Priority=3, Status="Disabled"))
    found = [
        BucketRules("east", first, attached=True, kinds=kinds_of(first.rules, STACK, PLACES)),
        BucketRules("mute", rules(to("far")), attached=False, kinds=Counter({Kind.CROSS_REGION: 1})),
        BucketRules("odd", problem="no JSON"),
    ]
    expected = {"buckets": 3, "rules": 4, "enabled": 3, "same_region": 1, "cross_region": 2, "same_account": 2}
    assert {name: each for name, each in counts(found).items() if each} == expected | {
        "buckets_without_events": 1,
        "buckets_without_valid_rules": 1,
    }
    assert [each.is_fine for each in found] == [True, False, False]
