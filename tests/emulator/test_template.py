"""Templates: what parameters and conditions decide before any resource exists."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.cloudformation.exceptions import ValidationError

from emulator.cloudformation.intrinsics import Scope
from emulator.cloudformation.template import StackIdentity, plain_template

STACK = StackIdentity("s", "us-east-1", "123456789012")
SCOPE = Scope(
    {"One": "1", "Names": ["a", "b"], "None": "", "AWS::Region": "us-east-1"},
    {"Map": {"us-east-1": {"size": "3"}}},
    {
        "Yes": {"Fn::Equals": [{"Ref": "One"}, "1"]},
        "No": {"Fn::Not": [{"Condition": "Yes"}]},
        "Both": {"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]},
        "Either": {"Fn::Or": [{"Condition": "Yes"}, {"Condition": "No"}]},
        "Number": {"Fn::Equals": [1, {"Ref": "One"}]},
        "Switch": {"Fn::Equals": [True, "true"]},
        "Lists": {"Fn::Equals": [{"Fn::Join": ["", {"Ref": "Names"}]}, "ab"]},
    },
)
NOTHING = {"Ref": "AWS::NoValue"}
QUEUE = {"Fn::GetAtt": ["Queue", "Arn"]}


def test_conditions_hold_as_cloudformation_evaluates_them() -> None:
    expected = {"Yes": True, "No": False, "Both": False, "Either": True, "Number": True, "Switch": True, "Lists": True}
    assert {condition: SCOPE.holds(condition) for condition in expected} == expected


@pytest.mark.parametrize(
    ("node", "resolved"),
    [
        ({"Ref": "One"}, "1"),
        ({"Ref": "Names"}, ["a", "b"]),
        ({"Ref": "Queue"}, {"Ref": "Queue"}),
        ({"Fn::GetAtt": "Queue.Arn"}, QUEUE),
        ({"Fn::If": ["Yes", "a", {"Ref": "Nowhere"}]}, "a"),
        ({"Fn::If": ["No", "a", QUEUE]}, QUEUE),
        ([1, NOTHING, {"Fn::If": ["No", 2, NOTHING]}, 3], [1, 3]),
        ({"kept": {"Fn::If": ["Yes", 1, NOTHING]}, "gone": {"Fn::If": ["No", 1, NOTHING]}}, {"kept": 1}),
        ({"Fn::Join": ["-", ["x", {"Ref": "One"}]]}, "x-1"),
        ({"Fn::Join": ["-", {"Ref": "Names"}]}, "a-b"),
        ({"Fn::Join": ["-", [QUEUE, {"Ref": "One"}]]}, {"Fn::Join": ["-", [QUEUE, "1"]]}),
        ({"Fn::Split": [",", "a,b"]}, ["a", "b"]),
        ({"Fn::Split": [",", QUEUE]}, {"Fn::Split": [",", QUEUE]}),
        ({"Fn::Select": [1, {"Ref": "Names"}]}, "b"),
        ({"Fn::Select": ["0", {"Fn::Split": [",", "a,b"]}]}, "a"),
        ({"Fn::Select": [1, ["x", QUEUE]]}, QUEUE),
        ({"Fn::FindInMap": ["Map", {"Ref": "AWS::Region"}, "size"]}, "3"),
        ({"Fn::FindInMap": ["Map", "nowhere", "size", {"DefaultValue": {"Ref": "One"}}]}, "1"),
        ({"Fn::Sub": "x${One}y${Names}"}, "x1ya,b"),
        ({"Fn::Sub": "${One}${!One}"}, "1${One}"),
        ({"Fn::Sub": ["${Own}-${One}", {"Own": {"Ref": "Names"}}]}, "a,b-1"),
        ({"Fn::Sub": "${One}-${Queue.Arn}-${Queue}"}, {"Fn::Sub": "1-${Queue.Arn}-${Queue}"}),
        ({"Fn::Sub": ["${One}-${Own}", {"Own": QUEUE}]}, {"Fn::Sub": ["1-${Own}", {"Own": QUEUE}]}),
        ({"Fn::ToJsonString": {"a": {"Ref": "One"}}}, '{"a": "1"}'),
        ({"Fn::Length": {"Ref": "Names"}}, 2),
        ({"Statement": {"Condition": {"StringEquals": {"a": {"Ref": "One"}}}}},
         {"Statement": {"Condition": {"StringEquals": {"a": "1"}}}}),
    ],
)  # fmt: skip
def test_an_intrinsic_function_is_resolved_and_references_to_resources_are_kept(node: Any, resolved: Any) -> None:
    assert SCOPE.resolve(node) == resolved


@pytest.mark.parametrize(
    ("node", "complaint"),
    [
        ({"Fn::If": ["Nowhere", 1, 2]}, "unresolved condition dependency Nowhere"),
        ({"Fn::FindInMap": ["Map", "a", "b"]}, "Unable to get mapping for Map::a::b"),
        ({"Fn::Select": [5, ["a"]]}, "nonexistent value at index 5"),
    ],
)
def test_an_intrinsic_function_that_cannot_be_resolved_is_refused(node: Any, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        SCOPE.resolve(node)


def template(**sections: Any) -> str:
    return json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}, **sections})


def test_resources_and_outputs_whose_condition_does_not_hold_are_left_out_with_dependencies_on_them() -> None:
    plain = plain_template(
        template(
            Parameters={"Wanted": {"Type": "String", "Default": "no"}},
            Conditions={"IsWanted": {"Fn::Equals": [{"Ref": "Wanted"}, "yes"]}},
            Resources={
                "Perhaps": {"Type": "AWS::SQS::Queue", "Condition": "IsWanted"},
                "Always": {"Type": "AWS::SQS::Queue", "DependsOn": "Perhaps"},
                "Also": {"Type": "AWS::SQS::Queue", "DependsOn": ["Perhaps", "Always"]},
            },
            Outputs={"Perhaps": {"Condition": "IsWanted", "Value": {"Ref": "Perhaps"}}},
        ),
        {},
        STACK,
    )
    assert plain["Resources"] == {
        "Always": {"Type": "AWS::SQS::Queue"},
        "Also": {"Type": "AWS::SQS::Queue", "DependsOn": ["Always"]},
    }
    assert plain["Outputs"] == {}


@pytest.mark.parametrize(
    ("slot", "given", "complaint"),
    [
        ({"Type": "String"}, None, r"Parameters: \[P\] must have values"),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, "A1", r"Parameter 'P' is 'A1', but it must match \[a-z\]\+"),
        ({"Type": "String", "AllowedPattern": "x", "ConstraintDescription": "say x"}, "y", "but say x"),
        ({"Type": "String", "MaxLength": 2}, "abc", "violates MaxLength 2"),
        ({"Type": "String", "MinLength": "2"}, "a", "violates MinLength 2"),
        ({"Type": "Number", "MinValue": 2}, "1", "must be from 2"),
        ({"Type": "CommaDelimitedList", "AllowedPattern": "[a-z]+"}, "a,B", "Parameter 'P' is 'a,B'"),
    ],
)
def test_a_parameter_that_breaks_a_rule_of_its_template_is_refused(
    slot: dict[str, Any], given: str | None, complaint: str
) -> None:
    values = {} if given is None else {"P": given}
    with pytest.raises(ValidationError, match=complaint):
        plain_template(template(Parameters={"P": slot}), values, STACK)


def test_a_list_parameter_is_split_at_commas_and_trimmed() -> None:
    body = template(
        Parameters={"P": {"Type": "CommaDelimitedList", "Default": "a, b"}}, Outputs={"O": {"Value": {"Ref": "P"}}}
    )
    assert plain_template(body, {}, STACK)["Outputs"]["O"]["Value"] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "not valid JSON or YAML"),
        ("a: [", "not valid JSON or YAML"),
        ("{}", "At least one Resources member"),
        (template(Transform="My::Macro"), "No transform named My::Macro found"),
    ],
)
def test_a_text_that_is_no_template_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        plain_template(text, {}, STACK)
