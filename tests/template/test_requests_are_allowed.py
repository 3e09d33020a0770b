"""The roles allow every request that the functions make, and no action that no request needs.

The emulator evaluates each call of a function against its role as deployed, and logs what it evaluated. So all that the
functions do is done once, and the log is evaluated again for each action of each role, as if the role lacked it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from emulator.iam.authorizations import Authorization
from emulator.iam.evaluation import evaluate
from emulator.iam.policies import Policy
from emulator.running import Running, running
from tests.template import stacks
from tests.template.every_kind import STACK, WORLD, operations, replicate_every_kind

# What no request of the run needs, with the reason why a role has it all the same.
NOT_SEEN: Mapping[str, str] = {
    "logs:CreateLogStream": "Lambda writes a function's log with the function's role; the emulator takes its output",
    "logs:PutLogEvents": "as above",
}
EXPECTED = {
    *("CopyObject", "HeadObject", "GetObjectAcl", "GetObjectTagging", "PutObjectTagging", "DeleteObject"),
    *("CreateMultipartUpload", "UploadPartCopy", "ListParts", "CompleteMultipartUpload", "AbortMultipartUpload"),
    *("ListMultipartUploads", "ListObjectAnnotations", "GetObjectAnnotation", "PutObjectAnnotation"),
    *("GetItem", "UpdateItem", "Query", "SendMessage", "ChangeMessageVisibility", "PutEvents", "GetQueueAttributes"),
}


@dataclass(frozen=True)
class Run:
    """What the functions were checked for, what they asked for, and the statements of the roles by logical id."""

    checks: list[Authorization]
    operations: set[str]
    statements: Mapping[str, list[dict[str, Any]]]
    arns: Mapping[str, str]


@pytest.fixture(scope="module")
def aws() -> Iterator[Run]:
    with running(WORLD) as emulator:
        replicate_every_kind(emulator)
        roles = {role: deployed(emulator, role) for role in stacks.ROLES.values()}
        yield Run(
            checks=[Authorization(**row) for row in emulator.get("/authorizations")],
            operations={operation for operation, _ in operations(emulator)},
            statements={role: found[1] for role, found in roles.items()},
            arns={role: found[0] for role, found in roles.items()},
        )


def deployed(aws: Running, role: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the ARN and the statements of a deployed role, every reference in them resolved."""
    [resource] = aws.client("cloudformation").describe_stack_resources(StackName=STACK, LogicalResourceId=role)[
        "StackResources"
    ]
    iam, name = aws.client("iam"), resource["PhysicalResourceId"]
    documents = (
        iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"]
        for each in iam.list_role_policies(RoleName=name)["PolicyNames"]
    )
    parsed = (json.loads(each) if isinstance(each, str) else each for each in documents)
    return iam.get_role(RoleName=name)["Role"]["Arn"], [each for document in parsed for each in document["Statement"]]


def test_the_functions_did_all_that_they_may_ever_do(aws: Run) -> None:
    assert EXPECTED - aws.operations == set()
    assert {check.role for check in aws.checks} == set(aws.arns.values())


def test_no_request_of_a_function_was_denied(aws: Run) -> None:
    assert sorted({check.reason for check in aws.checks if not check.allowed}) == []


def without(statements: list[dict[str, Any]], index: int, action: str) -> Policy:
    """Return the policy of a role whose statement lacks one action."""
    less = dict(statements[index])
    less["Action"] = [each for each in stacks.listed(less["Action"]) if each != action]
    return Policy((*statements[:index], less, *statements[index + 1 :]))


@pytest.mark.parametrize("role", stacks.ROLES.values())
def test_every_action_of_a_role_is_needed_by_some_request(aws: Run, role: str) -> None:
    statements = aws.statements[role]
    checks = [check for check in aws.checks if check.role == aws.arns[role]]
    unneeded = [
        f"{statement['Sid']}: {action}"
        for index, statement in enumerate(statements)
        for action in stacks.listed(statement["Action"])
        if action not in NOT_SEEN and not _is_missed(action, checks, without(statements, index, action))
    ]
    assert unneeded == []


def _is_missed(action: str, checks: list[Authorization], reduced: Policy) -> bool:
    return any(not evaluate(check.context(), [reduced]).allowed for check in checks if check.action == action)


def test_what_no_request_needs_is_not_needed_indeed(aws: Run) -> None:
    assert NOT_SEEN.keys() & {check.action for check in aws.checks} == set()
    granted = {
        action
        for role in stacks.ROLES.values()
        for each in aws.statements[role]
        for action in stacks.listed(each["Action"])
    }
    assert NOT_SEEN.keys() - granted == set()
