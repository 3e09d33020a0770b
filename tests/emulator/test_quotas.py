"""What CloudFormation, Lambda and IAM refuse by its size, in their words; a deployment is rolled back with them."""

import json
from typing import Any

import pytest
from moto.cloudformation.exceptions import ValidationError
from moto.iam.exceptions import LimitExceededException

from emulator.cloudformation.resources import quotas
from emulator.cloudformation.template import StackIdentity, plain_template
from emulator.services import iam

BODY = json.dumps(
    {"Parameters": {"Names": {"Type": "CommaDelimitedList"}}, "Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}
)


def deploy(names: str) -> dict[str, Any]:
    return plain_template(BODY, {"Names": names}, StackIdentity("s", "us-east-1", "123456789012"))


def test_a_parameter_has_at_most_4096_characters() -> None:
    assert deploy("x" * 4096)
    with pytest.raises(ValidationError, match="length less than or equal to 4096"):
        deploy("x" * 4097)


def test_a_name_that_is_too_long_is_refused() -> None:
    quotas.check_name("FunctionName", "f" * 64, 64)
    with pytest.raises(ValidationError, match=r"at 'functionName' failed to satisfy constraint: .* or equal to 64"):
        quotas.check_name("FunctionName", "f" * 65, 64)


def test_an_environment_has_at_most_4_kb() -> None:
    quotas.check_environment({"A": "x" * 4087})
    with pytest.raises(ValidationError, match="exceeded the 4KB limit"):
        quotas.check_environment({"A": "x" * 4089})


def test_the_inline_policies_of_a_role_have_10240_characters_together() -> None:
    quotas.check_inline_policies("role", ["x" * 5118, "x" * 5118])
    with pytest.raises(ValidationError, match="Maximum policy size of 10240 bytes exceeded for role role"):
        quotas.check_inline_policies("role", ["x" * 5118, "x" * 5119])


def test_a_managed_policy_has_at_most_6144_characters_without_white_space() -> None:
    iam.check_policy_size(" " * 100 + "x" * 6144)
    with pytest.raises(LimitExceededException, match="Cannot exceed quota for PolicySize: 6144"):
        iam.check_policy_size("x" * 6145)
