"""What an event source mapping makes of a message and of an answer: filters, and batch item failures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.functions.filters import passes
from emulator.functions.poller import failed_ids
from emulator.functions.processes import Answer


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


@pytest.mark.parametrize(
    ("pattern", "body", "matches"),
    [
        ({"body": {"a": ["x"]}}, '{"a": "x"}', True),
        ({"body": {"a": ["x"]}}, '{"a": "y"}', False),
        ({"body": {"a": ["x"]}}, "no json", False),
        ({"body": {"a": ["x"]}}, "[1]", False),
        ({"body": ["text"]}, "text", True),
        ({"body": {"Records": {"who": ["me"]}}}, '{"Records": [{"who": "you"}, {"who": "me"}]}', True),
        ({"body": {"Records": {"who": ["me"]}}}, '{"Records": [{"who": "you"}]}', False),
        ({"body": {"a": {"b": {"c": ["x"]}}}}, '{"a": [{"b": [{"c": "y"}, {"c": "x"}]}]}', True),
        ({"messageAttributes": {"R": {"stringValue": [{"prefix": "w"}]}}}, "", True),
    ],
    ids=["a value that matches", "a value that does not", "a body that is no JSON", "a body that is no object",
         "a body that is a text", "one element of a list matches", "no element of a list matches",
         "one element of a list in a list matches", "the prefix of an attribute"],
)  # fmt: skip
def test_a_filter_looks_into_bodies_lists_and_attributes(pattern: dict[str, Any], body: str, matches: bool) -> None:
    record = {"body": body, "messageAttributes": {"R": {"stringValue": "why"}}}
    assert passes({"Filters": [{"Pattern": json.dumps(pattern)}]}, record) is matches


def test_without_filters_every_message_passes() -> None:
    assert passes(None, {"body": ""})
    assert passes({"Filters": []}, {"body": ""})
