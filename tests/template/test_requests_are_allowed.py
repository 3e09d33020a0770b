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
from tests.template.after_the_write import BUCKETS, HERE, STACKS, change_after_the_write
from tests.template.every_kind import STACK, WORLD, operations, replicate_every_kind

ROLES = (*stacks.ROLES.values(), stacks.JOBS_ROLE)
DEPLOYED = (STACK, HERE)
"""A stack that may only tag its sources, and one that may change them."""
# What no request of the run needs, with the reason why a role has it all the same.
NOT_SEEN: Mapping[str, str] = {
    "logs:CreateLogStream": "Lambda writes a function's log with the function's role; the emulator takes its output",
    "logs:PutLogEvents": "as above",
}
EXPECTED = {
    *("CopyObject", "HeadObject", "GetObjectAcl", "GetObjectTagging", "PutObjectTagging", "DeleteObject"),
    *("CreateMultipartUpload", "UploadPartCopy", "ListParts", "CompleteMultipartUpload", "AbortMultipartUpload"),
    *("ListMultipartUploads", "ListObjectAnnotations", "GetObjectAnnotation", "PutObjectAnnotation"),
    *("PutObjectAcl", "PutObjectRetention", "PutObjectLegalHold", "DeleteObjectAnnotation"),
    *(
        "GetItem",
        "BatchGetItem",
        "UpdateItem",
        "Query",
        "SendMessage",
        "ChangeMessageVisibility",
        "PutEvents",
        "GetQueueAttributes",
    ),
}


@dataclass(frozen=True)
class Run:
    """What the functions were checked for, what they asked for, and the ARN and statements of each role.

    roles: by stack and logical id.
    """

    checks: list[Authorization]
    operations: set[str]
    roles: Mapping[tuple[str, str], tuple[str, list[dict[str, Any]]]]

    def needs(self, role: str) -> dict[str, bool]:
        """Return what a role has, in any of the stacks, with whether some request needs it."""
        needed: dict[str, bool] = {}
        for stack in DEPLOYED:
            arn, statements = self.roles[stack, role]
            checks = [check for check in self.checks if check.role == arn]
            for index, statement in enumerate(statements):
                for action in stacks.listed(statement["Action"]):
                    name = f"{statement['Sid']}: {action}"
                    missed = _is_missed(action, checks, without(statements, index, action))
                    needed[name] = needed.get(name, False) or missed
        return needed


@pytest.fixture(scope="module")
def aws() -> Iterator[Run]:
    world = {"buckets": [*WORLD["buckets"], *BUCKETS], "stacks": [*WORLD["stacks"], *STACKS]}
    with running(world) as emulator:
        replicate_every_kind(emulator)
        change_after_the_write(emulator)
        yield Run(
            checks=[Authorization(**row) for row in emulator.get("/authorizations")],
            operations={operation for operation, _ in operations(emulator)},
            roles={(stack, role): deployed(emulator, stack, role) for stack in DEPLOYED for role in ROLES},
        )


def deployed(aws: Running, stack: str, role: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the ARN and the statements of a deployed role, every reference in them resolved."""
    [resource] = aws.client("cloudformation").describe_stack_resources(StackName=stack, LogicalResourceId=role)[
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
    assert {aws.roles[STACK, role][0] for role in ROLES} - {check.role for check in aws.checks} == set()


def test_no_request_of_a_function_was_denied(aws: Run) -> None:
    assert sorted({check.reason for check in aws.checks if not check.allowed}) == []


def without(statements: list[dict[str, Any]], index: int, action: str) -> Policy:
    """Return the policy of a role whose statement lacks one action."""
    less = dict(statements[index])
    less["Action"] = [each for each in stacks.listed(less["Action"]) if each != action]
    return Policy((*statements[:index], less, *statements[index + 1 :]))


@pytest.mark.parametrize("role", ROLES)
def test_every_action_of_a_role_is_needed_by_some_request(aws: Run, role: str) -> None:
    needs = aws.needs(role)
    assert [name for name, needed in needs.items() if not needed and name.partition(": ")[2] not in NOT_SEEN] == []


def _is_missed(action: str, checks: list[Authorization], reduced: Policy) -> bool:
    """Return whether the reduced policy denies a request. Keys are of another account, whose own policies allow all."""
    found = (check._replace(account=check.role.split(":")[4]) for check in checks if check.action == action)
    return any(not evaluate(check.context(), [reduced]).allowed for check in found)


def test_what_no_request_needs_is_not_needed_indeed(aws: Run) -> None:
    assert NOT_SEEN.keys() & {check.action for check in aws.checks} == set()
    granted = {name.partition(": ")[2] for role in ROLES for name in aws.needs(role)}
    assert NOT_SEEN.keys() - granted == set()
