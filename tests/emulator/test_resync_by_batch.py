"""`s3replicator resync --engine batch`: S3 Batch Operations invokes the function, by each kind of manifest."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.resyncing import WORLD, fresh, history, jobs, put, rows, there, write_history
from tests.emulator.watched import STACK, run
from tests.emulator.worlds import fault
from tests.patience import until


@pytest.fixture(scope="module")
def world() -> Iterator[Running]:
    with running(WORLD) as emulator:
        yield emulator


@pytest.fixture
def aws(world: Running) -> Iterator[Running]:
    with fresh(world) as emulator:
        yield emulator


def at_s3(aws: Running) -> list[Any]:
    account = aws.outputs(STACK)["BatchJobsRole"].split(":")[4]
    listed: list[Any] = aws.client("s3control").list_jobs(AccountId=account)["Jobs"]
    return listed


@pytest.mark.parametrize("arguments", [(), ("--manifest", "listing")], ids=["generator", "listing"])
def test_a_job_of_s3_replicates_histories_and_a_listing_keeps_their_delete_markers(
    aws: Running, arguments: tuple[str, ...]
) -> None:
    before = len(at_s3(aws))
    keys = put(aws, 10, prefix="ü +/")
    write_history(aws, "many", "1", None, "2", "3", None)
    done = run(aws, "resync", "east", "--engine", "batch", *arguments)
    assert done.exit_code == 0, done.output
    arrived = history(aws, "west", "many")
    if arguments:
        assert arrived == ["1", None, "2", "3", None]
    else:  # S3 runs the tasks of a key side by side: one may put back what another one wrote below
        assert ({each for each in arrived if each}, arrived[-1]) == ({"1", "2", "3"}, None)
    assert there(aws) == keys
    [job] = jobs(aws)
    assert (job["state"], job["failed"]) == ("Complete", 0)
    assert job["succeeded"] >= 13
    assert at_s3(aws)[0]["JobId"] == job["batch_job"]
    assert len(at_s3(aws)) == before + 1
    report = rows(run(aws, "jobs", "report", job["id"]).stdout)
    assert len(report) == job["succeeded"]
    assert {row[3] for row in report} == {"succeeded"}


def test_a_listing_that_finds_nothing_creates_no_job_of_s3(aws: Running) -> None:
    put(aws, 3)
    run(aws, "resync", "east")
    before = len(at_s3(aws))
    done = run(aws, "resync", "east", "--engine", "batch", "--manifest", "listing")
    assert done.exit_code == 0, done.output
    assert (len(at_s3(aws)), jobs(aws)[0]["state"]) == (before, "Complete")


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def test_a_job_of_s3_takes_an_inventory_report(aws: Running) -> None:
    s3, control = aws.client("s3"), aws.outputs(STACK)["ControlBucket"]
    put(aws, 3)
    listed = s3.list_object_versions(Bucket="east")["Versions"]
    lines = "".join(f'"east","{each["Key"]}","{each["VersionId"]}"\n' for each in listed[:2])
    data = gzip.compress(lines.encode())
    s3.put_object(Bucket=control, Key="jobs/inventory/data.csv.gz", Body=data)
    manifest = {
        "sourceBucket": "east",
        "destinationBucket": f"arn:aws:s3:::{control}",
        "version": "2016-11-30",
        "creationTimestamp": "1514944800000",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, VersionId",
        "files": [{"key": "jobs/inventory/data.csv.gz", "size": len(data), "MD5checksum": _md5(data)}],
    }
    s3.put_object(Bucket=control, Key="jobs/inventory/manifest.json", Body=json.dumps(manifest))
    address = f"s3://{control}/jobs/inventory/manifest.json"
    done = run(aws, "resync", "east", "--engine", "batch", "--inventory", address)
    assert done.exit_code == 0, done.output
    assert there(aws) == {each["Key"] for each in listed[:2]}


def test_what_fails_in_a_job_of_s3_is_failed_in_ours(aws: Running) -> None:
    put(aws, 3)
    aws.post("/faults", [fault("CopyObject", {"status": 403, "code": "AccessDenied"}, bucket="west", key="one/0001")])
    assert run(aws, "resync", "east", "--engine", "batch").exit_code == 1
    [job] = jobs(aws)
    assert (job["state"], job["succeeded"], job["failed"]) == ("Complete", 2, 1)
    [failed] = rows(run(aws, "jobs", "report", job["id"], "--failed").stdout)
    assert (failed[1], failed[3]) == ("one/0001", "failed")


def test_a_detached_job_of_s3_is_cancelled_there_too(aws: Running) -> None:
    put(aws, 40)
    aws.post("/faults", [fault("HeadObject", {"delay_ms": 1000})])
    assert run(aws, "resync", "east", "--engine", "batch", "--detach").exit_code == 0
    [job] = jobs(aws)
    assert run(aws, "jobs", "cancel", job["id"]).exit_code == 0
    aws.delete("faults")
    until(lambda: at_s3(aws)[0]["Status"] == "Cancelled")
    assert [each["state"] for each in jobs(aws)] == ["Cancelled"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--engine", "fast"), "there is no engine 'fast'"),
        (("--engine", "batch", "--current-only", "--manifest", "generator"), "S3 cannot apply --current-only"),
        (("--engine", "queue", "--manifest", "listing"), "are for --engine batch"),
        (("--inventory", "s3://b/k.csv"), "is no report"),
    ],
    ids=["engine", "filter", "queue", "inventory"],
)
def test_what_an_engine_cannot_do_is_refused(aws: Running, arguments: tuple[str, ...], words: str) -> None:
    done = run(aws, "resync", "east", *arguments)
    assert done.exit_code == 2
    assert words in " ".join(done.stderr.split())
