"""Every example event through the deployed functions: what is expected of them holds on the emulator too."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from replicator.core.versions.origin import MARK, Origin, Site, encode_mark

from emulator.running import Running, running
from tests.emulator.failures import take_failures
from tests.emulator.likeness import Side
from tests.functions.cases import MARKER, NULL, Case, cases, ground

STACK = "replicator"
REPLICATE, PARTS, BATCH = (cases(f"{name}Function") for name in ("Replicate", "CopyParts", "Batch"))
WORLD = {
    "buckets": ground()["buckets"],
    "stacks": [
        {"name": STACK, "region": "us-east-1", "parameters": {"DestinationBuckets": "west,north,nowhere",
                                                              "SourceBuckets": "east"}}
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    """Run an emulator whose source bucket has rules but sends no events: the test invokes the functions."""
    with running(WORLD) as emulator:
        emulator.client("s3").put_object(
            Bucket=emulator.outputs(STACK)["ControlBucket"],
            Key="rules/east.json",
            Body=json.dumps(ground()["rules"]["east"]).encode(),
        )
        yield emulator


def set_up(emulator: Running, case: Case) -> Case:
    """Write the objects of a case; return the case with the version ids that they got."""
    return case.with_versions({given["version_id"]: _put(emulator, given) for given in case.expected["objects"]})


def _put(emulator: Running, given: dict[str, Any]) -> str:
    s3, named = emulator.client("s3"), {"Bucket": given["bucket"], "Key": given["key"]}
    if given.get("delete_marker"):
        return str(s3.delete_object(**named)["VersionId"])
    if given["version_id"] == NULL:
        _version(s3, given["bucket"], "Suspended")
    tags = "&".join(f"{name}={value}" for name, value in given.get("tags", {}).items())
    answer = s3.put_object(**named, Body=given["body"].encode(), Metadata=_mark(given), Tagging=tags)
    _version(s3, given["bucket"], "Enabled")
    version = str(answer.get("VersionId", NULL))
    if given.get("deleted_for_good"):
        s3.delete_object(**named, VersionId=version)
    return version


def _version(s3: Any, bucket: str, status: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def _mark(given: dict[str, Any]) -> dict[str, str]:
    if "replica_of" not in given:
        return {}
    bucket, _, version = given["replica_of"].partition("/")
    now = int(time.time())
    return {MARK: encode_mark(Origin(bucket, version, now), Site(given["bucket"], given["key"], now))}


def stands_for(side: Side, key: str) -> list[str]:
    """Return what each entry of a history stands for, oldest first."""
    entries = side.s3.list_object_versions(Bucket=side.bucket, Prefix=key)
    found = [*entries.get("Versions", []), *entries.get("DeleteMarkers", [])]
    newest_last = sorted(found, key=lambda entry: entry["IsLatest"])
    return [side.origin(key, entry["VersionId"]) if "ETag" in entry else MARKER for entry in newest_last]


def dead_letters(emulator: Running) -> list[dict[str, Any]]:
    said = [failure.attributes for failure in take_failures(emulator, STACK)]
    return [
        {
            "reason": each["Reason"],
            "destination": each.get("DestinationBucket", ""),
            "version_id": each["Origin"].partition("/")[2] if "Origin" in each else None,
        }
        for each in said
    ]


def check(emulator: Running, case: Case, answer: dict[str, Any]) -> None:
    assert answer == case.expected["answer"]
    told = [{name: value for name, value in dead.items() if name != "body"} for dead in case.expected["dead_letters"]]
    assert dead_letters(emulator) == told
    for wanted in case.expected["histories"]:
        assert sorted(stands_for(Side.of(emulator, wanted["bucket"]), wanted["key"])) == sorted(wanted["stands_for"])
        assert stands_for(Side.of(emulator, wanted["bucket"]), wanted["key"])[-1] == wanted["stands_for"][-1]


@pytest.mark.parametrize("case", REPLICATE, ids=[case.name for case in REPLICATE])
def test_the_deployed_replicate_function_does_with_an_example_event_what_is_expected(
    emulator: Running, case: Case
) -> None:
    given = set_up(emulator, case)
    check(emulator, given, emulator.host.invoke(STACK, "ReplicateFunction", given.event, 30))


@pytest.mark.parametrize("case", PARTS, ids=[case.name for case in PARTS])
def test_the_deployed_copy_parts_function_does_with_an_example_event_what_is_expected(
    emulator: Running, case: Case
) -> None:
    given = set_up(emulator, case)
    check(emulator, given, emulator.host.invoke(STACK, "CopyPartsFunction", given.event, 30))


@pytest.mark.parametrize("case", BATCH, ids=[case.name for case in BATCH])
def test_the_deployed_batch_function_does_with_an_example_event_what_is_expected(emulator: Running, case: Case) -> None:
    given = set_up(emulator, case)
    check(emulator, given, emulator.host.invoke(STACK, "BatchFunction", given.event, 30))


def test_the_deployed_monitor_function_does_with_its_example_event_what_is_expected(emulator: Running) -> None:
    [case] = cases("MonitorFunction")
    answer = emulator.host.invoke(STACK, "MonitorFunction", case.event, 30)
    assert case.expected["answer"].items() <= answer.items()


@pytest.mark.parametrize("case", cases("VerifyFunction"), ids=lambda case: case.name)
def test_the_deployed_verify_function_does_with_an_example_event_what_is_expected(
    emulator: Running, case: Case
) -> None:
    answer = emulator.host.invoke(STACK, "VerifyFunction", case.event, 60)
    assert case.expected["answer"].items() <= answer.items()
