"""`s3replicator rules` against a deployed stack: what it finds, stores, attaches, and leaves alone."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from s3replicator.main import app
from typer.testing import CliRunner

from emulator.running import Running, running
from tests.unit.rule_documents import newer

WORLD = {
    "buckets": [
        {"name": "east", "region": "us-east-1"},
        {"name": "locked", "region": "us-east-1", "object_lock": True, "ownership": "ObjectWriter"},
        {"name": "paused", "region": "us-east-1", "versioning": "Suspended"},
        {"name": "west", "region": "us-west-2"},
        {"name": "acls", "region": "us-west-2", "ownership": "ObjectWriter"},
    ],
    "stacks": [{"name": "prod", "region": "us-east-1"}],
}
RULES = json.dumps({"ReplicationConfiguration": {"Role": "", "Rules": [newer(ID="everything")]}})


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def clean(emulator: Running) -> Iterator[None]:
    """Return every test buckets without rules and notifications."""
    yield
    s3, control = emulator.client("s3"), emulator.outputs("prod")["ControlBucket"]
    for bucket in ("east", "locked", "paused"):
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
        s3.delete_object(Bucket=control, Key=f"rules/{bucket}.json")


def run(emulator: Running, *arguments: str, given: str | None = None, region: str = "us-east-1") -> Any:
    environment = {**emulator.environment(region), "S3REPLICATOR_STACK": "prod", "COLUMNS": "40"}
    return CliRunner().invoke(app, ["rules", *arguments], input=given, env=environment)


def to(bucket: str, **fields: Any) -> str:
    return json.dumps({"Rules": [newer(ID="everything", Destination={"Bucket": f"arn:aws:s3:::{bucket}"}, **fields)]})


def notifications(emulator: Running, bucket: str) -> dict[str, Any]:
    answer = dict(emulator.client("s3").get_bucket_notification_configuration(Bucket=bucket))
    del answer["ResponseMetadata"]
    return answer


def somebodys_queue(emulator: Running) -> str:
    """Create a queue that takes events of every bucket, and return its ARN."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs = emulator.client("sqs")
    url = sqs.create_queue(QueueName="somebody", Attributes={"Policy": policy})["QueueUrl"]
    arn: str = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return arn


def found(done: Any) -> list[tuple[str, str]]:
    return [(each["severity"], each["message"]) for each in json.loads(done.stdout)["findings"]]


def test_what_was_put_replicates(emulator: Running) -> None:
    assert run(emulator, "put", "east", "-", given=RULES).exit_code == 0
    emulator.client("s3").put_object(Bucket="east", Key="a b/ü+1", Body=b"content")
    assert emulator.idle()
    copied = emulator.client("s3", "us-west-2").get_object(Bucket="west", Key="a b/ü+1")
    assert copied["Body"].read() == b"content"


def test_what_s3_replicates_in_either_direction_is_an_error(emulator: Running) -> None:
    """Filters of either kind are compared by their prefix."""
    s3 = emulator.client("s3")
    chosen = {"east": {"And": {"Prefix": "photos/", "Tags": [{"Key": "a", "Value": "b"}]}}, "west": {"Prefix": ""}}
    for source, destination in (("east", "west"), ("west", "east")):
        native = newer(Destination={"Bucket": f"arn:aws:s3:::{destination}"}, Filter=chosen[source])
        role = "arn:aws:iam::123456789012:role/replication"
        configuration = {"Role": role, "Rules": [native]}
        s3.put_bucket_replication(Bucket=source, ReplicationConfiguration=configuration)
    done = run(emulator, "put", "east", "-", "--json", given=RULES)
    again = run(emulator, "put", "east", "-", "--force", given=RULES)
    for bucket in ("east", "west"):
        s3.delete_bucket_replication(Bucket=bucket)
    errors = [message for severity, message in found(done) if severity == "error"]
    assert [message.partition(";")[0] for message in errors] == [
        "S3 Replication itself copies its objects under photos/ to west, as rule 'everything' does",
        "S3 Replication itself copies its objects to east",
    ]
    assert (done.exit_code, again.exit_code) == (1, 1)
    assert run(emulator, "check", "east").exit_code == 0


def test_putting_twice_leaves_one_document_and_one_notification(emulator: Running) -> None:
    first = run(emulator, "put", "east", "-", given=RULES)
    before = notifications(emulator, "east")
    second = run(emulator, "put", "east", "-", given=RULES)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "stored the rules" in first.output
    assert "the rules are unchanged" in second.output
    assert notifications(emulator, "east") == before
    (ours,) = before["QueueConfigurations"]
    assert (ours["Id"], ours["QueueArn"]) == ("s3replicator-prod", emulator.outputs("prod")["ChangeQueueArn"])


def test_other_notifications_are_there_after_a_put_and_after_a_delete(emulator: Running) -> None:
    theirs = {
        "QueueConfigurations": [
            {
                "Id": "theirs",
                "QueueArn": somebodys_queue(emulator),
                "Events": ["s3:ObjectRemoved:Delete"],
                "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "logs/"}]}},
            }
        ],
        "EventBridgeConfiguration": {},
    }
    s3 = emulator.client("s3")
    s3.put_bucket_notification_configuration(Bucket="east", NotificationConfiguration=theirs)
    before = notifications(emulator, "east")
    assert run(emulator, "put", "east", "-", given=RULES).exit_code == 0
    during = notifications(emulator, "east")
    assert len(during["QueueConfigurations"]) == 2
    assert run(emulator, "delete", "east").exit_code == 0
    assert notifications(emulator, "east") == before
    assert "EventBridgeConfiguration" in before


def test_somebody_elses_notification_for_our_events_is_named_and_left(emulator: Running) -> None:
    theirs = {"Id": "theirs", "QueueArn": somebodys_queue(emulator), "Events": ["s3:ObjectCreated:Put"]}
    emulator.client("s3").put_bucket_notification_configuration(
        Bucket="east", NotificationConfiguration={"QueueConfigurations": [theirs]}
    )
    done = run(emulator, "put", "east", "-", given=RULES)
    assert done.exit_code == 1
    assert "EventBridge" in done.output
    assert notifications(emulator, "east")["QueueConfigurations"] == [theirs]


@pytest.mark.parametrize(
    ("bucket", "document", "part"),
    [
        ("nowhere", RULES, "bucket nowhere: does not exist"),
        ("paused", RULES, "bucket paused: has versioning suspended"),
        ("west", to("east"), "bucket west: is in us-west-2"),
        ("east", to("missing"), "bucket missing: does not exist"),
        ("east", to("paused"), "bucket paused: has versioning suspended"),
        ("east", to("west", Priority=-1), "rule everything Priority: must be a whole number"),
        ("east", "{", "document document: is not JSON"),
    ],
    ids=[
        "no source",
        "source not versioned",
        "another Region",
        "no destination",
        "destination not versioned",
        "a rule that S3 refuses",
        "no JSON",
    ],
)
def test_what_is_wrong_is_told_before_anything_is_stored(
    emulator: Running, bucket: str, document: str, part: str
) -> None:
    before = notifications(emulator, "east")
    done = run(emulator, "put", bucket, "-", given=document)
    assert done.exit_code == 1
    assert any(line.startswith("error") and part in line for line in done.output.splitlines()), done.output
    assert "nothing was changed" in done.output
    assert run(emulator, "get", bucket).exit_code == 1
    assert notifications(emulator, "east") == before


def test_a_key_is_looked_at_where_it_is(emulator: Running) -> None:
    kms = emulator.client("kms", "us-west-2")
    there, disabled = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    kms.disable_key(KeyId=disabled.rpartition("/")[2])
    elsewhere = emulator.client("kms", "eu-west-1").create_key()["KeyMetadata"]["Arn"]
    missing = there[:-12] + "0" * 12

    def check(key: str) -> str:
        rule = newer(
            Destination={"Bucket": "arn:aws:s3:::west", "EncryptionConfiguration": {"ReplicaKmsKeyID": key}},
            SourceSelectionCriteria={"SseKmsEncryptedObjects": {"Status": "Enabled"}},
        )
        done = run(emulator, "put", "east", "-", given=json.dumps({"Rules": [rule]}))
        return "\n".join(line for line in done.output.splitlines() if line.startswith("error"))

    assert check(there) == ""
    assert "is in state Disabled" in check(disabled)
    assert "is in eu-west-1" in check(elsewhere)
    assert "does not exist" in check(missing)


def test_object_lock_and_acls_that_will_not_go_over_are_warnings(emulator: Running) -> None:
    done = run(emulator, "put", "locked", "-", "--json", given=to("west"))
    assert (done.exit_code, json.loads(done.stdout)["ok"]) == (0, True)
    told = " ".join(message for severity, message in found(done) if severity == "warning")
    assert "no Object Lock" in told
    assert "ACLs disabled" in told
    assert "incomplete multipart uploads" in told


def test_ownership_that_fits_and_a_lifecycle_rule_leave_nothing_to_say(emulator: Running) -> None:
    rule = {
        "ID": "x",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }
    emulator.client("s3", "us-west-2").put_bucket_lifecycle_configuration(
        Bucket="acls", LifecycleConfiguration={"Rules": [rule]}
    )
    done = run(emulator, "put", "east", "-", "--json", given=to("acls"))
    others = [message for _, message in found(done) if "had versions before" not in message]
    assert (done.exit_code, others) == (0, [])


def test_get_prints_what_was_put_and_put_takes_what_get_printed(emulator: Running) -> None:
    run(emulator, "put", "east", "-", given=RULES)
    printed = run(emulator, "get", "east")
    assert json.loads(printed.stdout)["Rules"][0]["ID"] == "everything"
    again = run(emulator, "put", "east", "-", given=printed.stdout)
    assert "the rules are unchanged" in again.output


def test_check_without_a_bucket_looks_at_all_that_have_rules(emulator: Running) -> None:
    assert run(emulator, "check").output == "no bucket has rules\n"
    run(emulator, "put", "east", "-", given=RULES)
    run(emulator, "put", "locked", "-", given=RULES)
    emulator.client("s3").put_bucket_notification_configuration(Bucket="locked", NotificationConfiguration={})
    done = run(emulator, "check", "--json")
    reports = json.loads(done.stdout)["reports"]
    assert done.exit_code == 1
    assert [(each["bucket"], each["ok"]) for each in reports] == [("east", True), ("locked", False)]


def test_deleted_rules_can_be_taken_back_from_the_control_bucket(emulator: Running) -> None:
    run(emulator, "put", "east", "-", given=RULES)
    assert run(emulator, "delete", "east").exit_code == 0
    assert run(emulator, "get", "east").exit_code == 1
    assert notifications(emulator, "east").get("QueueConfigurations", []) == []
    control = emulator.outputs("prod")["ControlBucket"]
    versions = emulator.client("s3").list_object_versions(Bucket=control, Prefix="rules/east.json")
    assert versions["DeleteMarkers"]
    assert versions["Versions"]


def test_a_stack_that_is_not_there_ends_with_2_and_names_the_place(emulator: Running) -> None:
    done = run(emulator, "get", "east", "--stack", "nope")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "no stack 'nope' in us-east-1" in done.stderr
    assert run(emulator, "get", "east", region="eu-west-1").exit_code == 2


@pytest.mark.parametrize("code", ["AccessDenied", "SlowDown"])
def test_a_refusal_of_aws_is_a_line_that_says_what_to_do(emulator: Running, code: str) -> None:
    fault = {"service": "s3", "operation": "PutObject", "principal": "user", "then": {"status": 403, "code": code}}
    emulator.post("/faults", [fault])
    try:
        done = run(emulator, "put", "east", "-", given=RULES)
    finally:
        emulator.delete("/faults")
    assert done.exit_code == 1
    assert f"s3:PutObject failed with {code}" in done.output
    assert notifications(emulator, "east").get("QueueConfigurations", []) == []


def test_the_command_as_it_is_installed(emulator: Running, tmp_path: Path) -> None:
    """One call through the console script: no traceback, exit status and output as everywhere."""
    script = Path(sys.executable).with_name("s3replicator")
    file = tmp_path / "rules.json"
    file.write_text(RULES)
    environment = {**os.environ, **emulator.environment()}
    done = subprocess.run(
        [script, "rules", "put", "east", file, "--stack", "prod", "--json"],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr, json.loads(done.stdout)["ok"]) == (0, "", True)
