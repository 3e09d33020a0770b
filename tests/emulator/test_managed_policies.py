"""Managed policies of a stack; and the quotas of policies and patterns, in AWS's words."""

from __future__ import annotations

import json
from typing import Any

from emulator.cloudformation import stacks
from tests.emulator.callers import allow, role
from tests.emulator.plain import Plain, refused

NAME = "managed"


def document(*actions: str) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [allow(list(actions), "*")]}


def template(*actions: str) -> str:
    trusting = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [trusting]}
    policy = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document(*actions)}}
    properties = {"AssumeRolePolicyDocument": trust, "ManagedPolicyArns": [{"Ref": "Policy"}]}
    resources = {"Policy": policy, "Role": {"Type": "AWS::IAM::Role", "Properties": properties}}
    return json.dumps({"Resources": resources, "Outputs": {"Role": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}}})


def policy_of_the_stack(aws: Plain) -> str:
    [found] = [
        each["PhysicalResourceId"]
        for each in aws.client("cloudformation").describe_stack_resources(StackName=NAME)["StackResources"]
        if each["LogicalResourceId"] == "Policy"
    ]
    return str(found)


def test_a_stack_creates_changes_and_deletes_a_policy_that_its_role_has(aws: Plain) -> None:
    """A policy has five versions at most; so many updates show that old ones are deleted."""
    stacks.install()
    url, _ = aws.queue()
    cloudformation, capabilities = aws.client("cloudformation"), ["CAPABILITY_IAM"]
    cloudformation.create_stack(StackName=NAME, TemplateBody=template("sqs:ListQueues"), Capabilities=capabilities)
    [stack] = cloudformation.describe_stacks(StackName=NAME)["Stacks"]
    arn, policy = stack["Outputs"][0]["OutputValue"], policy_of_the_stack(aws)
    theirs = aws.client("sqs", credentials=aws.emulator.principals.issue("AROA1", "f", role_arn=arn))
    with refused("AccessDenied", 403):
        theirs.receive_message(QueueUrl=url)
    for number in range(6):
        changed = template("sqs:ReceiveMessage", f"sqs:Get{number}")
        cloudformation.update_stack(StackName=NAME, TemplateBody=changed, Capabilities=capabilities)
    theirs.receive_message(QueueUrl=url)
    assert policy_of_the_stack(aws) == policy
    cloudformation.delete_stack(StackName=NAME)
    kept = aws.client("iam").list_policies(Scope="Local")["Policies"]
    assert policy not in {each["Arn"] for each in kept}


def test_a_role_has_at_most_ten_managed_policies(aws: Plain) -> None:
    iam, name = aws.client("iam"), role(aws).rpartition("/")[2]
    made = [
        iam.create_policy(PolicyName=f"{name}-{number}", PolicyDocument=json.dumps(document("s3:GetObject")))
        for number in range(11)
    ]
    arns = [each["Policy"]["Arn"] for each in made]
    for arn in (*arns[:10], arns[0]):
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    with refused("LimitExceeded", 409) as error:
        iam.attach_role_policy(RoleName=name, PolicyArn=arns[10])
    assert error["Message"] == "Cannot exceed quota for PoliciesPerRole: 10"
    with refused("DeleteConflict", 409):
        iam.delete_policy(PolicyArn=arns[0])
    iam.detach_role_policy(RoleName=name, PolicyArn=arns[0])
    iam.delete_policy(PolicyArn=arns[0])


def test_no_version_of_a_managed_policy_is_larger_than_the_quota(aws: Plain) -> None:
    iam = aws.client("iam")
    large = json.dumps(document(*(f"s3:Get{number:05}" for number in range(500))))
    arn = iam.create_policy(PolicyName="small", PolicyDocument=json.dumps(document("s3:GetObject")))["Policy"]["Arn"]
    with refused("LimitExceeded", 409) as error:
        iam.create_policy(PolicyName="large", PolicyDocument=large)
    assert error["Message"] == "Cannot exceed quota for PolicySize: 6144"
    with refused("LimitExceeded", 409):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=large)


def test_the_policy_of_a_queue_has_at_most_8192_bytes(aws: Plain) -> None:
    url, arn = aws.queue()
    statement = allow("sqs:SendMessage", arn, Principal="*")
    sources = [f"arn:aws:s3:::{number:03}{'x' * 57}" for number in range(120)]
    conditions = {"ArnLike": {"aws:SourceArn": sources}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Condition": conditions}]})
    assert len(policy) > 8192
    with refused("OverLimit", 403):
        aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


def test_a_pattern_of_event_bridge_has_at_most_4096_characters(aws: Plain) -> None:
    events, frame = aws.client("events"), len(json.dumps({"source": [""]}))
    events.put_rule(Name="longest", EventPattern=json.dumps({"source": ["x" * (4096 - frame)]}))
    with refused("ValidationException", 400) as error:
        events.put_rule(Name="longer", EventPattern=json.dumps({"source": ["x" * (4097 - frame)]}))
    assert "length less than or equal to 4096" in error["Message"]
