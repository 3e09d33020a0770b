"""What tests of several accounts have in common: their ids, clients with other credentials, and callers with a role."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import count
from typing import Any

import boto3
from botocore.config import Config

from emulator.iam.principals import Credentials
from emulator.running import Running

OURS, THEIRS, OTHERS = "123456789012", "210987654321", "333333333333"
_numbers = count(1)


def policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def on_bucket(bucket: str, *actions: str, **more: Any) -> dict[str, Any]:
    """Allow actions of S3 on a bucket and its objects."""
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    return allow([f"s3:{each}" for each in actions], resources, **more)


def trust(principal: str, **condition: Any) -> dict[str, Any]:
    """Let somebody assume a role."""
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    return statement | ({"Condition": condition} if condition else {})


def role(emulator: Running, account: str, trusts: Mapping[str, Any] | None, *statements: Any, **settings: Any) -> str:
    """Create a role in an account that allows these statements; return its ARN."""
    iam, name = emulator.client("iam", account=account), f"role-{next(_numbers)}"
    document = policy(*([trusts] if trusts else []))
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document, **settings)["Role"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=policy(*statements))
    return str(made["Arn"])


def function(emulator: Running, role_arn: str, name: str = "replicate") -> Credentials:
    """Return the credentials of a function with a role."""
    account = role_arn.split(":")[4]
    role_id = emulator.client("iam", account=account).get_role(RoleName=role_arn.rpartition("/")[2])["Role"]["RoleId"]
    return emulator.emulator.principals.issue(role_id, name, "us-east-1", role_arn)


def of(credentials: Mapping[str, str]) -> Credentials:
    """Return credentials as an answer of STS has them."""
    return Credentials(*(credentials[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")))


def using(emulator: Running, credentials: Credentials, service: str = "s3", region: str = "us-east-1") -> Any:
    """Return a client with credentials, that sends each request once."""
    return boto3.client(  # type: ignore[call-overload]
        service,
        region_name=region,
        endpoint_url=emulator.endpoint,
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token or None,
        config=Config(retries={"total_max_attempts": 1}),
    )


def assumed(sts: Any, role_arn: str, **settings: Any) -> Credentials:
    """Return the credentials of a session named `session`."""
    return of(sts.assume_role(**{"RoleArn": role_arn, "RoleSessionName": "session", **settings})["Credentials"])
