"""What an event source mapping makes of a message and of an answer: filters, and batch item failures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.functions.poller import failed_ids
from emulator.functions.processes import Answer
from emulator.services.event_filters import passes


@pytest.mark.parametrize(
    ("value", "failed"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "a"}]}, {"a"}),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, None),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, None),
        ({"batchItemFailures": [{"badKey": "a"}]}, None),
        ({"batchItemFailures": "a"}, None),
        ("a", None),
    ],
    ids=["nothing", "an empty answer", "null instead of a list", "no failures", "one failure", "an id that is null",
         "an empty id", "no id", "a text instead of a list", "a text"],
)  # fmt: skip
def test_partial_answers_are_read_as_lambda_reads_them(value: Any, failed: set[str] | None) -> None:
    assert failed_ids(Answer(value), ["a", "b"], ["ReportBatchItemFailures"]) == failed


def test_without_partial_answers_any_answer_is_success() -> None:
    assert failed_ids(Answer({"batchItemFailures": [{"itemIdentifier": "a"}]}), ["a"], []) == set()
    assert failed_ids(Answer(error={"errorType": "E"}), ["a"], []) is None


A_WITHOUT_IS = {"a": [{"exists": True}], "is": [{"exists": False}]}
TWO = '{"Records": [{"who": "you", "is": 1}, {"who": "me"}]}'


@pytest.mark.parametrize(
    ("pattern", "body", "matches"),
    [
        ({"a": ["x"]}, '{"a": "x"}', True),
        ({"a": ["x"]}, '{"a": "y"}', False),
        ({"a": [1]}, '{"a": true}', False),
        ({"a": ["x"]}, "no json", False),
        ({"a": [{"exists": False}]}, "no json", False),
        ({"a": ["x"]}, "[1]", False),
        (["text"], "text", True),
        (["text"], "another", False),
        ([{"exists": True}], '{"a": "x"}', False),
        ({"Records": {"who": ["me"]}}, TWO, True),
        ({"Records": {"who": ["them"]}}, TWO, False),
        ({"Records": {"who": [{"anything-but": ["me"]}]}}, TWO, True),
        ({"Records": {"who": [{"anything-but": ["me", "you"]}]}}, TWO, False),
        ({"Records": {"is": [1], "who": ["me"]}}, TWO, False),
        ({"Records": {"is": [{"exists": False}]}}, TWO, False),
        ({"Records": {"who": [{"exists": True}], "zz": [{"exists": False}]}}, TWO, True),
        ({"Records": {"is": [{"exists": False}], "who": [{"exists": True}]}}, TWO, False),
        ({"Records": A_WITHOUT_IS}, '{"Records": [{"a": 1, "is": 1}, {"a": 1}]}', True),
        ({"Records": A_WITHOUT_IS}, '{"Records": [{"a": 1, "is": 1}, {}]}', False),
        ({"Records": {"who": [{"exists": False}]}}, '{"Records": [{"who": {"is": "me"}}]}', True),
        ({"Records": {"who": [{"exists": False}]}}, '{"Records": [{"who": null}]}', False),
        ({"Records": {"who": [{"exists": False}]}}, '{"Records": []}', True),
        ({"a": {"b": {"c": ["x"]}}}, '{"a": [{"b": [{"c": "y"}, {"c": "x"}]}]}', True),
        ({"a": ["x"]}, '{"a": ["y", "x"]}', True),
        ({"a": [{"prefix": "w"}]}, '{"a": "why"}', True),
        ({"a": [{"suffix": "w"}]}, '{"a": "why"}', False),
        ({"a": [{"equals-ignore-case": "WHY"}]}, '{"a": "why"}', True),
        ({"a": [{"numeric": [">", 1, "<=", 2]}]}, '{"a": 2}', True),
        ({"a": [{"numeric": [">", 1, "<=", 2]}]}, '{"a": "2"}', False),
        ({"$or": [{"a": ["x"]}, {"b": ["x"]}]}, '{"a": "y", "b": "x"}', True),
        ({"$or": [{"a": ["x"]}, {"b": ["x"]}]}, '{"a": "y", "b": "y"}', False),
    ],
    ids=["a value that matches", "a value that does not", "a number is not true", "a body that is no JSON",
         "not even an absent field in a body that is no JSON", "a body that is no object", "a body that is a text",
         "another text", "a pattern of a text, and a body that is JSON", "one element of a list matches",
         "no element of a list matches", "one element is something else", "no element is anything else",
         "two fields of different elements", "a field that one element has", "a field that no element has",
         "the element is settled by what comes before", "the element has no such field", "another element has none",
         "an object is no value", "null is a value", "an empty list has no values",
         "one element of a list in a list matches", "one value of a list", "a prefix", "no suffix", "case ignored",
         "a number in a range", "a text is no number", "one of two choices", "none of two choices"],
)  # fmt: skip
def test_a_filter_matches_as_event_ruler_does(pattern: Any, body: str, matches: bool) -> None:
    """https://github.com/aws/event-ruler, "JSON Array Matching" and "Exists matching"; the rest from Lambda's guide."""
    assert passes({"Filters": [{"Pattern": json.dumps({"body": pattern})}]}, {"body": body}) is matches


def test_one_of_several_filters_is_enough() -> None:
    filters = {"Filters": [{"Pattern": '{"body": {"a": ["x"]}}'}, {"Pattern": '{"body": ["text"]}'}]}
    assert [passes(filters, {"body": body}) for body in ('{"a": "x"}', "text", '{"a": "y"}')] == [True, True, False]


def test_without_filters_every_message_passes() -> None:
    assert passes(None, {"body": ""})
    assert passes({"Filters": []}, {"body": ""})
