"""`s3replicator rules` on two stacks in opposite directions: what their writers are called need not be typed in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from s3replicator.main import app
from typer.testing import CliRunner

from emulator.running import Running, running
from tests.emulator.worlds import bucket, rule

REGIONS = {"rep-east": "us-east-1", "rep-west": "us-west-2"}
NOBODY = {"PeerPrincipals": ""}
WORLD: dict[str, Any] = {
    "buckets": [bucket("east"), bucket("west")],
    "stacks": [{"name": name, "region": region, "parameters": NOBODY} for name, region in REGIONS.items()],
}
DROPS = "drops echoes of"


@pytest.fixture
def aws() -> Iterator[Running]:
    with running(WORLD) as up:
        yield up


def run(aws: Running, stack: str, *arguments: str, given: str | None = None) -> dict[str, Any]:
    environment = {**aws.environment(REGIONS[stack]), "S3REPLICATOR_STACK": stack}
    done = CliRunner().invoke(app, ["rules", *arguments, "--json"], input=given, env=environment)
    assert done.exit_code == 0, done.output
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def put(aws: Running, source: str, destination: str) -> dict[str, Any]:
    return run(aws, f"rep-{source}", "put", source, "-", given=json.dumps({"Rules": [rule(source, destination)]}))


def about_echoes(document: dict[str, Any]) -> list[str]:
    return [each["message"] for each in document["findings"] if "echo" in each["message"]]


def test_the_second_put_tells_both_sides_whose_echoes_to_drop(aws: Running) -> None:
    first, second = put(aws, "east", "west"), put(aws, "west", "east")
    assert [each for each in first["done"] if DROPS in each] == [], "west sends its events to nobody yet"
    assert [each for each in second["done"] if DROPS in each] == [
        "rep-west in us-west-2 drops echoes of rep-east in us-east-1 from now on",
        "rep-east in us-east-1 drops echoes of rep-west in us-west-2 from now on",
    ]
    again = put(aws, "east", "west")
    assert ([each for each in again["done"] if DROPS in each], about_echoes(again)) == ([], [])
    for name, region in (("east", "us-east-1"), ("west", "us-west-2")):
        aws.client("s3", region).put_object(Bucket=name, Key=f"of-{name}", Body=b"x")
    assert aws.idle()
    invocations = aws.host.functions.invocations
    assert {name: invocations[f"{name}-replicate"] for name in REGIONS} == dict.fromkeys(REGIONS, 1 + TEST_EVENTS)


TEST_EVENTS = 1
"""S3's test event, when the notification was put."""


def test_check_finds_what_a_deployment_reset_and_put_completes_it(aws: Running) -> None:
    put(aws, "east", "west")
    put(aws, "west", "east")
    assert about_echoes(run(aws, "rep-east", "check", "east")) == []
    redeploy(aws, "rep-east")
    [missing] = about_echoes(run(aws, "rep-east", "check", "east"))
    assert missing.startswith("the functions of rep-west in us-west-2 are not known to its filter")
    assert about_echoes(run(aws, "rep-west", "check", "west")) == [missing]
    put(aws, "east", "west")
    assert about_echoes(run(aws, "rep-east", "check", "east")) == []


def redeploy(aws: Running, stack: str) -> None:
    """Deploy with another parameter of the mapping, as `sam deploy` would: it writes all that the template says."""
    cloudformation = aws.client("cloudformation", REGIONS[stack])
    [known] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    names = [each["ParameterKey"] for each in known["Parameters"] if each["ParameterKey"] != "MaximumConcurrency"]
    changed = {"ParameterKey": "MaximumConcurrency", "ParameterValue": "7"}
    kept = [{"ParameterKey": name, "UsePreviousValue": True} for name in names]
    cloudformation.update_stack(StackName=stack, UsePreviousTemplate=True, Parameters=[*kept, changed])
