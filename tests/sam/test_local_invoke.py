"""`sam local invoke`: each function in its container, built as it is shipped, against the emulator.

What functions do is tested elsewhere with every example event. Here a few of them show that the shipped code starts in
its container, finds everything it needs there, and does the same.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emulator.running import Running, running
from tests.functions.cases import MARKER, Case, cases, ground
from tests.sam.cli import REGION, Sam, architecture
from tests.sam.relay import reachable

STACK = "replicator"
SHOWN = {
    "ReplicateFunction": {"unicode-key", "several-messages", "eventbridge-created", "malformed-neighbour",
                          "missing-destination", "delete-marker"},
    "BatchFunction": {"several-tasks", "malformed-task"},
    "CopyPartsFunction": {"malformed-not-json"},
    "MonitorFunction": {"schedule"},
}  # fmt: skip
CASES = [case for function, names in SHOWN.items() for case in cases(function) if case.name in names]


@pytest.fixture(scope="module")
def aws() -> Iterator[Running]:
    """Run the buckets and rules of the example events. They send no events, so that only the containers replicate."""
    world = {"buckets": ground()["buckets"], "stacks": [{"name": STACK, "region": REGION}]}
    with running(world) as emulator:
        for bucket, document in ground()["rules"].items():
            emulator.client("s3", REGION).put_object(
                Bucket=emulator.outputs(STACK)["ControlBucket"], Key=f"rules/{bucket}.json", Body=json.dumps(document)
            )
        yield emulator


@dataclass(frozen=True)
class Invoke:
    """Runs functions in their containers, with the variables that the deployed ones have."""

    aws: Running
    endpoint: str
    sam: Sam
    template: Path
    folder: Path

    def __call__(self, function: str, event: Mapping[str, Any]) -> Any:
        """Run one function with one event and return its answer."""
        name = self.aws.outputs(STACK)[function]
        deployed = self.aws.client("lambda", REGION).get_function_configuration(FunctionName=name)
        variables = deployed["Environment"]["Variables"] | {"AWS_ENDPOINT_URL": self.endpoint}
        event_file, variables_file = self.folder / "event.json", self.folder / "variables.json"
        event_file.write_text(json.dumps(event))
        variables_file.write_text(json.dumps({function: variables}))
        done = self.sam.run(
            "local", "invoke", function, "--template", str(self.template), "--event", str(event_file),
            "--env-vars", str(variables_file), "--parameter-overrides", architecture(), "--skip-pull-image",
            "--region", REGION,
        )  # fmt: skip
        try:
            answer = json.loads(done.stdout.splitlines()[-1])
        except (ValueError, IndexError):
            answer = {"errorMessage": "no answer"}
        if isinstance(answer, dict) and "errorMessage" in answer:
            pytest.fail(f"{function}: {answer}\n{done.stdout}\n{done.stderr}")
        return answer


@pytest.fixture(scope="module")
def invoke(
    image: str, aws: Running, build: Path, make_sam: Callable[..., Sam], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Invoke]:
    sam = make_sam(**aws.environment(REGION))
    with reachable(aws.endpoint) as endpoint:
        yield Invoke(aws, endpoint, sam, build / "template.yaml", tmp_path_factory.mktemp("invoke"))


def test_every_example_event_that_is_tried_in_a_container_exists() -> None:
    assert {(case.function, case.name) for case in CASES} == {
        (function, name) for function, names in SHOWN.items() for name in names
    }


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_function_in_its_container_does_with_an_example_event_what_is_expected(
    invoke: Invoke, aws: Running, case: Case
) -> None:
    case = case.with_versions(set_up(aws, case))
    buried(aws)
    answer = invoke(case.function, case.event)
    assert {name: answer[name] for name in case.expected["answer"]} == case.expected["answer"]
    assert sorted(buried(aws)) == sorted(letter["reason"] for letter in case.expected.get("dead_letters", []))
    for wanted in case.expected.get("histories", []):
        shown = history(aws, wanted["bucket"], wanted["key"])
        assert len(shown) == len(wanted["stands_for"])
        for found, origin in zip(shown, wanted["stands_for"], strict=True):
            assert origin in found


def set_up(aws: Running, case: Case) -> dict[str, str]:
    """Write the objects of a case; return their version ids by those that the case names."""
    versions = {}
    for given in case.expected.get("objects", []):
        s3, where = aws.client("s3", region_of(given["bucket"])), {"Bucket": given["bucket"], "Key": given["key"]}
        if given.get("delete_marker"):
            answer = s3.delete_object(**where)
        else:
            answer = s3.put_object(**where, Body=given["body"].encode(), Metadata=given.get("metadata", {}))
        versions[given["version_id"]] = answer["VersionId"]
    return versions


def history(aws: Running, bucket: str, key: str) -> list[str]:
    """Return what each entry says about its origin, oldest first."""
    s3 = aws.client("s3", region_of(bucket))
    listed = s3.list_object_versions(Bucket=bucket, Prefix=key)
    entries = [(each["LastModified"], each["VersionId"], False) for each in listed.get("Versions", [])]
    entries += [(each["LastModified"], each["VersionId"], True) for each in listed.get("DeleteMarkers", [])]
    return [
        MARKER if marker else str(s3.head_object(Bucket=bucket, Key=key, VersionId=version)["Metadata"])
        for _, version, marker in sorted(entries, key=lambda entry: (entry[0], entry[2]))
    ]


def buried(aws: Running) -> list[str]:
    """Take everything out of the dead-letter queue and return the reasons."""
    sqs, url = aws.client("sqs", REGION), aws.outputs(STACK)["DeadLetterQueue"]
    reasons = []
    while letters := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=0
    ).get("Messages", []):
        for letter in letters:
            reasons.append(letter["MessageAttributes"]["Reason"]["StringValue"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])
    return reasons


def region_of(bucket: str) -> str:
    return next(str(each["region"]) for each in ground()["buckets"] if each["name"] == bucket)
