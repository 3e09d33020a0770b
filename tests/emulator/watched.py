"""A world for the monitor and the operator's command: two Regions, a stack, and short questions about it."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from s3replicator.main import app
from typer.testing import CliRunner

from emulator.running import Running

STACK = "rep"
RULE: dict[str, Any] = {
    "ID": "all",
    "Priority": 1,
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "DeleteMarkerReplication": {"Status": "Enabled"},
    "Destination": {"Bucket": "arn:aws:s3:::west"},
}


def world(**parameters: str) -> dict[str, Any]:
    """Return a world whose stack has these parameters."""
    return {
        "buckets": [{"name": "east", "region": "us-east-1"}, {"name": "west", "region": "us-west-2"}],
        "stacks": [
            {
                "name": STACK,
                "region": "us-east-1",
                "parameters": parameters,
                "rules": {"east": {"Rules": [RULE]}},
            }
        ],
    }


def run(aws: Running, *arguments: str) -> Any:
    """Run the command in this process."""
    environment = {**aws.environment("us-east-1"), "S3REPLICATOR_STACK": STACK, "COLUMNS": "60"}
    return CliRunner().invoke(app, list(arguments), env=environment)


def document(aws: Running, *arguments: str) -> dict[str, Any]:
    """Run the command and return its JSON document, whatever its exit status."""
    done = run(aws, *arguments, "--json")
    assert done.exit_code in {0, 1}, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def put(aws: Running, *keys: str, body: bytes = b"12345") -> dict[str, str]:
    """Write objects; return their version ids."""
    s3 = aws.client("s3", "us-east-1")
    return {key: s3.put_object(Bucket="east", Key=key, Body=body)["VersionId"] for key in keys}


def fail(aws: Running, key: str | None, **then: Any) -> None:
    """Let copies of a key, or of all keys, fail from now on."""
    about = {"key": key} if key else {}
    aws.post("/faults", [{"service": "s3", "operation": "CopyObject", "bucket": "west", **about, "then": then}])


def look(aws: Running) -> dict[str, Any]:
    """Run the monitor, and return its answer."""
    answer: dict[str, Any] = aws.post("/fire", {"stack": STACK, "function": "MonitorFunction"})["result"]
    assert "errorMessage" not in answer, answer
    return answer


def events(aws: Running) -> Counter[tuple[str, str]]:
    """Return the events so far, by kind and key."""
    return Counter((each["detail-type"], each["detail"]["object"]["key"]) for each in aws.get("/events"))


def measured(aws: Running, metric: str, **dimensions: str) -> list[float]:
    """Return the values of a metric under exactly these dimensions, in order."""
    return [
        value
        for each in aws.get("/metrics")
        if each["metric"] == metric and each["dimensions"] == dimensions
        for value in each["values"]
    ]


def place(**more: str) -> Mapping[str, str]:
    """Return S3's dimensions of the one rule."""
    return {"SourceBucket": "east", "DestinationBucket": "west", "RuleId": "all", **more}


def versions(aws: Running, bucket: str, key: str) -> list[dict[str, Any]]:
    """List the versions of a key."""
    region = {"east": "us-east-1", "west": "us-west-2"}[bucket]
    answer = aws.client("s3", region).list_object_versions(Bucket=bucket, Prefix=key)
    return [each for each in answer.get("Versions", []) if each["Key"] == key]


def start_anew(aws: Running) -> None:
    """Forget faults, events, metrics and requests of earlier tests."""
    for route in ("/faults", "/events", "/metrics", "/requests"):
        aws.delete(route)
