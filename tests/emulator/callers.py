"""Callers with a role of their own, and the statements of its policy."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from tests.emulator.plain import Plain

ACCOUNT = "123456789012"
_numbers = count(1)


def allow(action: str | list[str], resource: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def on(bucket: str, *actions: str, **more: Any) -> dict[str, Any]:
    """Allow actions on a bucket and its objects."""
    return {
        **allow([f"s3:{each}" for each in actions], ""),
        "Resource": [f"arn:aws:s3:::{bucket}", objects(bucket)],
    } | more


def objects(bucket: str) -> str:
    return f"arn:aws:s3:::{bucket}/*"


def role(aws: Plain, *statements: dict[str, Any]) -> str:
    """Create a role with these statements; return its ARN."""
    iam, name = aws.client("iam"), f"role-{next(_numbers)}"
    trust = {"Version": "2012-10-17", "Statement": []}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    if statements:
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document)
    return str(arn)


def caller(aws: Plain, *statements: dict[str, Any], service: str = "s3", region: str = "us-east-1") -> Any:
    """Return a client with the credentials of a function that has a role with these statements."""
    arn = role(aws, *statements)
    credentials = aws.emulator.principals.issue("AROA1", "replicate", region, arn)
    return aws.client(service, region, credentials)
