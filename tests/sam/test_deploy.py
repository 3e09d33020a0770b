"""`sam deploy` itself, against the emulator: what it deployed replicates."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emulator.running import Running, running
from tests.sam.cli import REGION, Sam, architecture

STACK = "deployed-by-sam"
WORLD = {"buckets": [{"name": "west", "region": "us-west-2"}]}


@pytest.fixture(scope="module")
def aws() -> Iterator[Running]:
    with running(WORLD) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def deploy(aws: Running, project: Path, make_sam: Callable[..., Sam]) -> Callable[[], str]:
    """Deploy as the README says, with a source bucket and a default destination."""
    sam = make_sam(**aws.environment(REGION))
    parameters = (architecture(), "CreateSourceBucket=fresh", "DefaultDestination=west")
    return lambda: sam.run("deploy", "--stack-name", STACK, "--parameter-overrides", *parameters, cwd=project).stdout


def outputs(aws: Running) -> dict[str, str]:
    [stack] = aws.client("cloudformation", REGION).describe_stacks(StackName=STACK)["Stacks"]
    assert stack["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


def test_sam_deploy_alone_results_in_a_working_replicator(aws: Running, deploy: Callable[[], str]) -> None:
    assert "Successfully created/updated stack" in deploy()
    written = aws.client("s3", REGION).put_object(
        Bucket="fresh", Key="a folder/ünïcode+.txt", Body=b"hello", Metadata={"color": "blue"}
    )
    assert aws.idle()
    replica = aws.client("s3", "us-west-2").get_object(Bucket="west", Key="a folder/ünïcode+.txt")
    assert replica["Body"].read() == b"hello"
    assert replica["Metadata"]["color"] == "blue"
    assert written["VersionId"] in str(replica["Metadata"])


def test_sam_deploy_of_the_same_again_is_no_error_and_changes_nothing(aws: Running, deploy: Callable[[], str]) -> None:
    before = outputs(aws)
    assert "No changes to deploy" in deploy()
    assert outputs(aws) == before


def test_deployed_functions_run_from_what_was_uploaded(aws: Running, deploy: Callable[[], str]) -> None:
    function = aws.client("lambda", REGION).get_function(FunctionName=outputs(aws)["ReplicateFunction"])
    assert function["Configuration"]["Runtime"] == "python3.13"
    assert function["Configuration"]["CodeSize"] > 1024 * 1024
