"""The record of what destinations had when their rules were put: the command's, and that of a world's rules."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator import watched

WORLD: dict[str, Any] = {
    "buckets": [{"name": name, "region": "us-east-1"} for name in ("east", "other")]
    + [{"name": "west", "region": "us-west-2"}],
    "stacks": [{"name": watched.STACK, "region": "us-east-1", "rules": {"east": {"Rules": [watched.RULE]}}}],
}


@pytest.fixture
def aws() -> Iterator[Running]:
    with running(WORLD) as emulator:
        yield emulator


def put(aws: Running, folder: Path, bucket: str) -> list[str]:
    """Put the rule with the command; return the warnings."""
    file = folder / "rules.json"
    file.write_text(json.dumps({"Rules": [watched.RULE]}))
    found = watched.document(aws, "rules", "put", bucket, str(file))["findings"]
    return [each["message"] for each in found if "versions" in each["message"]]


def record(aws: Running, bucket: str) -> Any:
    control = aws.outputs(watched.STACK)["ControlBucket"]
    return json.loads(aws.client("s3").get_object(Bucket=control, Key=f"coverage/{bucket}.json")["Body"].read())


def timeless(document: Any) -> Any:
    """Return a record without its times, which must be times."""
    for each in document["destinations"].values():
        assert datetime.fromisoformat(each.pop("since")).tzinfo
    return document


def test_the_rules_of_a_world_leave_the_record_that_the_command_leaves(aws: Running, tmp_path: Path) -> None:
    assert put(aws, tmp_path, "other") == []
    of_world, of_command = timeless(record(aws, "east")), timeless(record(aws, "other"))
    assert of_world == of_command == {"destinations": {"west": {"had_versions": False, "verified": None}}}


@pytest.mark.parametrize("marker", [False, True], ids=["a version", "a delete marker"])
def test_a_bucket_with_anything_in_it_is_recorded_as_such(aws: Running, tmp_path: Path, marker: bool) -> None:
    s3 = aws.client("s3")
    if marker:
        s3.delete_object(Bucket="other", Key="k")
    else:
        s3.put_object(Bucket="other", Key="k", Body=b"1")
    [warned] = put(aws, tmp_path, "other")
    assert "west may lack" in warned
    assert timeless(record(aws, "other")) == {"destinations": {"west": {"had_versions": True, "verified": None}}}


def test_deleted_rules_leave_no_record(aws: Running) -> None:
    watched.document(aws, "rules", "delete", "east")
    with pytest.raises(aws.client("s3").exceptions.NoSuchKey):
        record(aws, "east")
