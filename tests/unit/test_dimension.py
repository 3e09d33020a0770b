"""A rule's id in metrics: a value that CloudWatch takes, another one for each id, and readable again.

CloudWatch's rule: ASCII without control characters, 1 to 255 of them, one of them not blank (API reference, Dimension).
"""

import json
import random

import pytest
from replicator.aws.measures import EmbeddedMetrics
from replicator.aws.rule_shape import shape_problems
from replicator.core.outcomes.metrics import RULE, SOURCE, Metric
from replicator.core.rules.dimension import as_dimension, from_dimension
from replicator.core.rules.document import RulesRefused, parse

from tests.unit.rule_documents import newer

ESCAPED = {
    "blank": " ",
    "blanks around it": " photos ",
    "accents": "règle",
    "another script": "规则",
    "an emoji": "🪣",
    "a no-break space": "\u00a0",
    "what looks escaped": "utf-8''r%C3%A8gle",
}


def is_taken(value: str) -> bool:
    return value.isascii() and value.isprintable() and bool(value.strip()) and len(value) <= 255


@pytest.mark.parametrize("rule_id", ["everything", "50 % done", "a/b c", "'"])
def test_an_id_that_cloudwatch_takes_stays_as_it_is(rule_id: str) -> None:
    assert (as_dimension(rule_id), from_dimension(rule_id)) == (rule_id, rule_id)


@pytest.mark.parametrize("rule_id", ESCAPED.values(), ids=ESCAPED)
def test_any_other_id_is_escaped_and_readable_again(rule_id: str) -> None:
    value = as_dimension(rule_id)
    assert is_taken(value)
    assert value != rule_id
    assert from_dimension(value) == rule_id


def test_no_two_ids_have_the_same_value() -> None:
    chance = random.Random(7)  # noqa: S311 - the same ids in every run
    letters = "ab %2C'utf-8é规\u00a0"
    ids = {"".join(chance.choices(letters, k=chance.randint(1, 9))) for _ in range(5000)}
    values = {rule_id: as_dimension(rule_id) for rule_id in ids}
    assert len(set(values.values())) == len(ids)
    assert [rule_id for rule_id, value in values.items() if not is_taken(value)] == []
    assert [rule_id for rule_id, value in values.items() if from_dimension(value) != rule_id] == []


@pytest.mark.parametrize("rule_id", ESCAPED.values(), ids=ESCAPED)
def test_no_metric_loses_its_rule(rule_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    measures = EmbeddedMetrics("S3Replicator")
    measures.add(Metric.PENDING, 1, {SOURCE: "east", RULE: rule_id})
    measures.flush()
    assert from_dimension(json.loads(capsys.readouterr().out)[RULE]) == rule_id


def test_an_id_that_is_too_long_once_escaped_is_refused_with_a_reason() -> None:
    fits, exceeds = ({"Rules": [newer(ID="é" * count)]} for count in (41, 42))
    parse("east", fits, shape_problems(fits))
    with pytest.raises(RulesRefused, match="too long for metrics"):
        parse("east", exceeds, shape_problems(exceeds))
