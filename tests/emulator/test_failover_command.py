"""`failover check` on the emulator: SAFE, LOSES and UNKNOWN, the source's Region up and down, one-way and two-way."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator import watched
from tests.emulator.watched import fail, look, put, run
from tests.patience import until


@pytest.fixture
def aws() -> Iterator[Running]:
    with running(watched.world()) as emulator:
        assert emulator.idle()  # S3 tests each notification with a message
        yield emulator


def check(aws: Running, *arguments: str, status: int) -> dict[str, Any]:
    """Run the check and return its JSON document; it must end with this exit status."""
    done = run(aws, "failover", "check", *(arguments or ("east", "west")), "--json")
    assert done.exit_code == status, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def until_missing(aws: Running, waiting: int, failed: int = 0) -> None:
    """Wait until the journal has so many entries; the monitor does not look."""

    def counts() -> tuple[int, int]:
        found = watched.document(aws, "status")
        return found["pending"]["operations"], found["failed"]

    until(lambda: counts() == (waiting, failed))


def source_is_down(aws: Running) -> None:
    """Let every connection to the source's Region break."""
    aws.post("/faults", [{"service": "*", "operation": "*", "principal": "user", "region": "us-east-1",
                          "then": {"kill": "before"}}])  # fmt: skip


def age_figures(aws: Running, minutes: float) -> None:
    """Let the monitor have published what it did so long ago."""
    from moto.cloudwatch.models import cloudwatch_backends  # noqa: PLC0415 - there is no API for that

    for backend in (regions["us-west-2"] for regions in cloudwatch_backends.values()):
        for datum in backend.metric_data:
            datum.timestamp -= timedelta(minutes=minutes)


def test_safe_when_nothing_is_missing(aws: Running) -> None:
    put(aws, "a")
    assert aws.idle()
    look(aws)
    found = check(aws, status=0)
    assert (found["answer"], found["why"], found["keys"]) == ("SAFE", [], [])
    assert datetime.now(UTC) - datetime.fromisoformat(found["recovery_point"]) < timedelta(minutes=3)
    assert found["pending"] == {
        "operations": 0, "bytes": 0, "oldest": None, "parked": 0, "failed": 0, "gate": "open", "unexplained": 0,
    }  # fmt: skip
    assert [each["answer"] for each in found["directions"]] == ["SAFE"]


def test_loses_what_waits_and_what_has_failed_and_names_the_keys(aws: Running) -> None:
    put(aws, "fine")
    assert aws.idle()
    look(aws)
    fail(aws, "denied", status=403, code="AccessDenied")
    fail(aws, "slow", status=503, code="SlowDown")
    put(aws, "denied")
    versions = put(aws, "slow")
    until_missing(aws, 1, failed=1)
    look(aws)
    found = check(aws, status=1)
    assert found["answer"] == "LOSES"
    assert (found["pending"]["operations"], found["pending"]["failed"], found["pending"]["bytes"]) == (1, 1, 5)
    assert {(each["key"], each["status"]) for each in found["keys"]} == {("denied", "FAILED"), ("slow", "PENDING")}
    assert versions["slow"] in {each["version_id"] for each in found["keys"]}
    oldest = min(each["written"] for each in found["keys"])
    assert found["recovery_point"] <= oldest, "in whole seconds"
    text = run(aws, "failover", "check", "east", "west")
    assert text.exit_code == 1
    assert "LOSES  east" in text.stdout
    assert "denied" in text.stdout


def test_unknown_when_the_monitor_is_silent(aws: Running) -> None:
    look(aws)
    age_figures(aws, 4)
    found = check(aws, status=2)
    assert found["answer"] == "UNKNOWN"
    assert "min old" in found["why"][0]
    assert found["recovery_point"] is not None


def test_unknown_when_there_are_no_figures(aws: Running) -> None:
    found = check(aws, status=2)
    assert (found["answer"], found["recovery_point"], found["pending"]["operations"]) == ("UNKNOWN", None, None)
    assert "no figures" in found["why"][0]


def test_unknown_until_verified_or_accepted(aws: Running) -> None:
    control = aws.outputs(watched.STACK)["ControlBucket"]
    aws.client("s3").delete_object(Bucket=control, Key="coverage/east.json")
    look(aws)
    found = check(aws, status=2)
    assert (found["answer"], found["unverified"]) == ("UNKNOWN", True)
    assert "--accept-unverified" in found["why"][0]
    accepted = check(aws, "east", "west", "--accept-unverified", status=0)
    assert (accepted["answer"], accepted["why"]) == ("SAFE", [])
    assert len(accepted["accepted"]) == 1
    assert "accepted: " in run(aws, "failover", "check", "east", "west", "--accept-unverified").stdout


def test_a_verification_settles_what_is_older_than_the_rules(aws: Running, unsettled: None) -> None:
    had_versions(aws)
    assert run(aws, "verify", "east").exit_code == 0
    look(aws)
    assert (found := check(aws, status=0))["unverified"] is False, found


def test_unknown_while_the_last_verification_found_differences(aws: Running, unsettled: None) -> None:
    put(aws, "k")
    assert aws.idle()
    [replica] = watched.versions(aws, "west", "k")
    aws.client("s3", "us-west-2").delete_object(Bucket="west", Key="k", VersionId=replica["VersionId"])
    assert run(aws, "verify", "east").exit_code == 1
    look(aws)
    found = check(aws, status=2)
    assert (found["answer"], found["unverified"]) == ("UNKNOWN", True)
    assert "found differences" in found["why"][0]


@pytest.fixture
def unsettled(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MOMENT_MS", "EVENT_MS"):
        monkeypatch.setattr(f"replicator.flows.verify.verifying.{name}", 0)


def had_versions(aws: Running) -> None:
    """Let the source have had versions before its rules."""
    control, s3 = aws.outputs(watched.STACK)["ControlBucket"], aws.client("s3")
    text = s3.get_object(Bucket=control, Key="coverage/east.json")["Body"].read()
    s3.put_object(Bucket=control, Key="coverage/east.json", Body=text.replace(b": false", b": true"))


def test_the_answer_is_there_when_the_source_region_is_not(aws: Running) -> None:
    look(aws)
    fail(aws, "slow", status=503, code="SlowDown")
    put(aws, "slow")
    until_missing(aws, 1)
    look(aws)
    source_is_down(aws)
    found = check(aws, status=1)
    assert (found["answer"], found["pending"]["operations"], found["keys"]) == ("LOSES", 1, None)
    assert any("keys that would be lost are not known" in note for note in found["notes"])
    text = run(aws, "failover", "check", "east", "west").stdout
    assert "not known" in text


def test_what_the_journal_knows_since_the_monitor_looked_counts(aws: Running) -> None:
    look(aws)
    fail(aws, "slow", status=503, code="SlowDown")
    put(aws, "slow")
    until_missing(aws, 1)
    found = check(aws, status=1)
    assert (found["answer"], found["pending"]["operations"]) == ("LOSES", 0)
    assert "since the monitor looked" in found["why"][0]


def test_keys_reach_the_terminal_escaped(aws: Running) -> None:
    look(aws)
    fail(aws, None, status=503, code="SlowDown")
    put(aws, "\x1b[31mred\n")
    until_missing(aws, 1)
    shown = run(aws, "failover", "check", "east", "west").stdout
    assert "\\x1b[31mred" in shown
    assert "\x1b[31m" not in shown


TWO_WAY: dict[str, Any] = {
    "buckets": [{"name": "east", "region": "us-east-1"}, {"name": "west", "region": "us-west-2"}],
    "stacks": [
        {"name": watched.STACK, "region": "us-east-1", "rules": {"east": {"Rules": [watched.RULE]}}},
        {
            "name": "back",
            "region": "us-west-2",
            "rules": {"west": {"Rules": [{**watched.RULE, "Destination": {"Bucket": "arn:aws:s3:::east"}}]}},
        },
    ],
}


def test_both_directions_of_a_two_way_pair_are_answered() -> None:
    with running(TWO_WAY) as aws:
        assert aws.idle()
        look(aws)
        aws.post("/faults", [{"service": "s3", "operation": "CopyObject", "bucket": "east",
                              "then": {"status": 503, "code": "SlowDown"}}])  # fmt: skip
        aws.client("s3", "us-west-2").put_object(Bucket="west", Key="back", Body=b"1")
        back = {"stack": "back", "function": "MonitorFunction"}
        until(lambda: aws.post("/fire", back)["result"]["pending"] == 1)
        found = check(aws, status=0)
        assert [(each["source"], each["answer"]) for each in found["directions"]] == [
            ("east", "SAFE"), ("west", "LOSES"),
        ]  # fmt: skip
        assert any("failover check west east" in note for note in found["directions"][1]["notes"])
        other = check(aws, "west", "east", "--region", "us-west-2", "--stack", "back", status=1)
        assert [each["key"] for each in other["keys"]] == ["back"]
