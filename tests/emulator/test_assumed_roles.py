"""Destinations that the functions reach by assuming a role."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.failures import take_failures
from tests.emulator.reasons import reasons
from tests.emulator.worlds import bucket, rule

ACCOUNT = "222222222222"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/replica-writer"
WORLD: dict[str, Any] = {
    "buckets": [bucket("east"), bucket("west")],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "parameters": {"DestinationRoles": f"west={ROLE}", "DestinationExternalId": "an-id"},
            "rules": {"east": {"Rules": [rule("east", "west")]}},
        }
    ],
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as emulator:
        yield emulator


def test_a_role_that_may_not_be_assumed_fails_changes_with_that_reason(emulator: Running) -> None:
    denial = {"service": "sts", "operation": "AssumeRole", "then": {"status": 403, "code": "AccessDenied"}}
    emulator.post("/faults", [denial])
    emulator.client("s3").put_object(Bucket="east", Key="k", Body=b"1")
    assert emulator.idle()
    failures = take_failures(emulator)
    assert reasons(failures) == {"k": "AssumeRoleNotPermitted"}
    assert ROLE in failures[0].attributes["Detail"]
    emulator.delete("/faults")
