"""What `s3replicator grants` prints, put in place with the credentials of each account."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from s3replicator.main import app
from typer.testing import CliRunner

from emulator.iam.principals import ACCOUNT
from emulator.running import Running
from tests.emulator.reasons import STACK


def printed(emulator: Running, bucket: str, stack: str = STACK, account: str = ACCOUNT) -> Mapping[str, Any]:
    """Return what is printed for each account."""
    environment = {**emulator.environment(emulator.stacks[stack].region, account), "COLUMNS": "200"}
    done = CliRunner().invoke(app, ["grants", bucket, "--format", "json", "--stack", stack], env=environment)
    assert done.exit_code == 0, done.output
    accounts: Mapping[str, Any] = json.loads(done.stdout)["accounts"]
    return accounts


def account_profiles(emulator: Running, folder: Path, patch: pytest.MonkeyPatch) -> list[str]:
    """Configure a profile for each account; return the options of commands that name them."""
    file = folder / "credentials"
    lines = [
        f"[{account}]\naws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}"
        for account, key in emulator.accounts.items()
    ]
    file.write_text("\n".join(lines))
    patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    return [f"--account-profile={account}={account}" for account in emulator.accounts]


def put_in_place(emulator: Running, accounts: Mapping[str, Any]) -> None:
    """Put everything in place: roles first, which policies name."""
    for account, documents in accounts.items():
        _create_roles(emulator, account, documents.get("roles", {}))
    for account, documents in accounts.items():
        _put_policies(emulator, account, documents)
        _send_events(emulator, account, documents)


def _create_roles(emulator: Running, account: str, roles: Mapping[str, Any]) -> None:
    iam = emulator.client("iam", account=account)
    for name, role in roles.items():
        path = role["arn"].partition(":role")[2].removesuffix(name)
        iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(role["trust"]))
        iam.put_role_policy(RoleName=name, PolicyName="replicate", PolicyDocument=json.dumps(role["policy"]))


def _put_policies(emulator: Running, account: str, documents: Mapping[str, Any]) -> None:
    for bucket, policy in documents.get("bucket_policies", {}).items():
        emulator.client("s3", account=account).put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    for key, statements in documents.get("key_policies", {}).items():
        kms = emulator.client("kms", key.split(":")[3], account)
        policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
        policy["Statement"] += statements
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))


def _send_events(emulator: Running, account: str, documents: Mapping[str, Any]) -> None:
    for bucket, configuration in documents.get("notifications", {}).items():
        s3 = emulator.client("s3", account=account)
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    for name, each in documents.get("event_rules", {}).items():
        events = emulator.client("events", each["region"], account)
        events.put_rule(Name=name, EventPattern=json.dumps(each["pattern"]))
        events.put_targets(Rule=name, Targets=each["targets"])
