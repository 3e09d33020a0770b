"""What jobs of S3 Batch Operations work on: manifests in CSV, inventory reports, and manifests that S3 generates."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.emulator.jobs import Place, place, reason
from tests.emulator.worlds import rule

INVENTORY = "S3InventoryReport_CSV_20161130"


@pytest.fixture(scope="module")
def here() -> Iterator[Place]:
    with place() as here:
        yield here


@pytest.fixture(autouse=True)
def _fresh(here: Place) -> None:
    here.stub.events, here.bucket = [], here.aws.bucket()


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def versions(here: Place) -> list[tuple[str, str | None]]:
    """Return keys and version ids of the tasks, in order."""
    return sorted(
        (key, event["tasks"][0]["s3VersionId"])
        for key, event in zip(here.stub.invoked(), here.stub.events, strict=True)
    )


# CSV


def test_columns_are_in_any_order_and_ignored_ones_do_not_count(here: Place) -> None:
    location = here.store("odd.csv", f'"x",key%20one,{here.bucket}'.encode())
    fields = ["Ignore", "Key", "Bucket"]
    here.run({"Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": fields}, "Location": location})
    assert here.stub.invoked() == ["key one"]


def test_a_manifest_that_is_changed_malformed_or_about_two_buckets_fails_the_job(here: Place) -> None:
    good = here.of_keys("key")
    changed = {**good, "Location": {**good["Location"], "ETag": "0" * 32}}
    torn, mixed = here.csv("east,a,v", "east,a"), here.csv("east,a", "west,a")
    for each in (changed, torn, mixed):
        assert reason(here.run(each))[:2] == ("Failed", "ManifestInvalid")
    gone = {**good, "Location": {**good["Location"], "ObjectArn": f"arn:aws:s3:::{here.reports}/gone.csv"}}
    assert reason(here.run(gone))[:2] == ("Failed", "ManifestNotFound")


def test_a_manifest_in_csv_that_a_kms_key_encrypts_is_not_supported(here: Place) -> None:
    manifest = here.csv(f"{here.bucket},key", ServerSideEncryption="aws:kms")
    assert reason(here.run(manifest))[:2] == ("Failed", "ManifestInvalid")


def test_an_earlier_version_of_a_manifest_needs_a_permission_of_its_own(here: Place) -> None:
    manifest = here.of_keys("key")
    name = manifest["Location"]["ObjectArn"].partition("/")[2]
    head = here.aws.client().head_object(Bucket=here.reports, Key=name)
    here.store(name, b"another text")
    manifest["Location"]["ObjectVersionId"] = head["VersionId"]
    assert here.run(manifest)["Status"] == "Complete"
    assert reason(here.run(manifest, RoleArn=here.role("s3:GetObjectVersion")))[1] == "AccessDenied"


# Inventory reports


def inventory(here: Place, contents: list[bytes], schema: str, **changes: Any) -> dict[str, Any]:
    """Store an inventory report; return how a job names it."""
    listed = []
    for number, text in enumerate(contents):
        data = gzip.compress(text)
        here.store(f"inventory/files/{number}.csv.gz", data)
        listed.append({"key": f"inventory/files/{number}.csv.gz", "size": len(data), "MD5checksum": md5(data)})
    document = {
        "sourceBucket": here.bucket,
        "destinationBucket": f"arn:aws:s3:::{here.reports}",
        "version": "2016-11-30",
        "fileFormat": "CSV",
        "fileSchema": schema,
        "files": listed,
    }
    location = here.store("inventory/manifest.json", json.dumps(document | changes).encode())
    return {"Spec": {"Format": INVENTORY}, "Location": location}


def test_an_inventory_report_of_all_versions_names_each_of_them(here: Place) -> None:
    old, new = here.put("a b", "a b")
    rows = [f'"{here.bucket}","a%20b","{version}","true","5"\n' for version in (old, new)]
    empty = f'"{here.bucket}","null","","true","0"\n'
    schema = "Bucket, Key, VersionId, IsLatest, Size"
    done = here.run(inventory(here, [rows[0].encode(), f"{rows[1]}{empty}".encode()], schema))
    assert done["ProgressSummary"]["TotalNumberOfTasks"] == 3
    assert versions(here) == sorted([("a b", old), ("a b", new)])
    assert here.report(done)["failed"][0][-1] == "Task failed due to missing VersionId"


def test_an_inventory_report_of_current_versions_names_keys(here: Place) -> None:
    here.run(inventory(here, [f'"{here.bucket}","key"\n'.encode()], "Bucket, Key"))
    assert versions(here) == [("key", None)]


def test_an_inventory_report_that_is_not_whole_or_not_in_csv_fails_the_job(here: Place) -> None:
    text = f'"{here.bucket}","key"\n'.encode()
    others: list[dict[str, Any]] = [
        {"fileFormat": "Parquet"},
        {"fileSchema": "Bucket, Size"},
        {"files": [{"key": "inventory/files/0.csv.gz", "MD5checksum": "0" * 32}]},
    ]
    for change in others:
        assert reason(here.run(inventory(here, [text], "Bucket, Key", **change)))[1] == "ManifestInvalid", change
    missing = [{"key": "inventory/files/9.csv.gz", "MD5checksum": "0" * 32}]
    assert reason(here.run(inventory(here, [text], "Bucket, Key", files=missing)))[1] == "ManifestNotFound"
    csv_file = {**here.of_keys("key"), "Spec": {"Format": INVENTORY}}
    assert reason(here.run(csv_file))[1] == "ManifestInvalid"


# Manifests that S3 generates


def generator(here: Place, wanted: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """Return what CreateJob takes instead of a manifest."""
    made = {"SourceBucket": f"arn:aws:s3:::{here.bucket}", "EnableManifestOutput": False, **fields}
    return {"ManifestGenerator": {"S3JobManifestGenerator": {**made, **({"Filter": wanted} if wanted else {})}}}


def selected(here: Place, wanted: dict[str, Any]) -> list[str]:
    """Run a job with a filter; return the keys of its tasks."""
    here.stub.events = []
    done = here.run(**generator(here, wanted))
    assert done["Status"] == ("Complete" if here.stub.events else "Failed")
    return sorted(here.stub.invoked())


def test_without_a_filter_every_version_is_listed_and_no_delete_marker(here: Place) -> None:
    old, new, other = here.put("a", "a", "b/+ü")
    here.aws.client().delete_object(Bucket=here.bucket, Key="a")
    here.run(**generator(here))
    assert versions(here) == sorted([("a", old), ("a", new), ("b/+ü", other)])


def test_of_a_bucket_without_versioning_keys_are_listed(here: Place) -> None:
    here.bucket = here.aws.bucket(versioning=None)
    here.aws.client().put_object(Bucket=here.bucket, Key="a", Body=b"")
    here.run(**generator(here))
    assert versions(here) == [("a", None)]


def test_keys_must_match_all_constraints(here: Place) -> None:
    here.put("in/a.txt", "in/b.log", "out/a.txt")
    constraints = {"MatchAnyPrefix": ["in/"], "MatchAnySuffix": [".txt"], "MatchAnySubstring": ["a"]}
    assert selected(here, {"KeyNameConstraint": constraints}) == ["in/a.txt"]
    for name, text, expected in [
        ("MatchAnyPrefix", "in/", ["in/a.txt", "in/b.log"]),
        ("MatchAnySuffix", ".txt", ["in/a.txt", "out/a.txt"]),
        ("MatchAnySubstring", "/b", ["in/b.log"]),
    ]:
        assert selected(here, {"KeyNameConstraint": {name: [text]}}) == expected


def test_sizes_are_exclusive(here: Place) -> None:
    for size in (1, 2, 3):
        here.put(str(size), Body=bytes(size))
    assert selected(here, {"ObjectSizeGreaterThanBytes": 1}) == ["2", "3"]
    assert selected(here, {"ObjectSizeLessThanBytes": 3, "ObjectSizeGreaterThanBytes": 1}) == ["2"]


def test_times_are_those_of_the_versions(here: Place) -> None:
    here.put("a")
    then = here.aws.client().head_object(Bucket=here.bucket, Key="a")["LastModified"]
    second = timedelta(seconds=1)
    assert selected(here, {"CreatedAfter": then - second, "CreatedBefore": then + second}) == ["a"]
    assert selected(here, {"CreatedAfter": then}) == []
    assert selected(here, {"CreatedBefore": then}) == []
    assert selected(here, {"CreatedBefore": datetime.now(UTC) + second}) == ["a"]


def test_storage_classes_and_encryptions_are_those_of_the_versions(here: Place) -> None:
    here.put("standard")
    here.put("cold", StorageClass="STANDARD_IA")
    here.put("kms", ServerSideEncryption="aws:kms")
    assert selected(here, {"MatchAnyStorageClass": ["STANDARD_IA", "GLACIER"]}) == ["cold"]
    assert selected(here, {"MatchAnyObjectEncryption": [{"SSEKMS": {}}]}) == ["kms"]
    assert selected(here, {"MatchAnyObjectEncryption": [{"SSES3": {}}]}) == ["cold", "standard"]
    assert (
        selected(
            here,
            {"MatchAnyObjectEncryption": [{"SSEKMS": {"KmsKeyArn": "arn:aws:kms:us-east-1:999999999999:key/other"}}]},
        )
        == []
    )
    assert selected(here, {"MatchAnyObjectEncryption": [{"NOTSSE": {}}]}) == []


def replicating(here: Place, **fields: Any) -> str:
    """Let S3 itself replicate keys under `in/` to a new bucket; return its name."""
    there = here.aws.bucket("us-west-2")
    native = rule(here.bucket, there, Filter={"Prefix": "in/"}, **fields)
    configuration = {"Role": here.role(), "Rules": [native]}
    here.aws.client().put_bucket_replication(Bucket=here.bucket, ReplicationConfiguration=configuration)
    return there


def test_statuses_are_those_of_replication_by_s3_itself(here: Place) -> None:
    here.put("in/before")
    there = replicating(here)
    here.put("in/after", "out")
    assert here.aws.get("idle?timeout=60") == {"idle": True}
    assert selected(here, {"ObjectReplicationStatuses": ["NONE"]}) == ["in/before", "out"]
    assert selected(here, {"ObjectReplicationStatuses": ["COMPLETED", "FAILED"]}) == ["in/after"]
    here.bucket = there
    assert selected(here, {"ObjectReplicationStatuses": ["REPLICA"]}) == ["in/after"]


def test_eligible_is_what_the_rules_of_replication_by_s3_itself_select(here: Place) -> None:
    here.put("in/a", "out")
    replicating(here, DeleteMarkerReplication={"Status": "Enabled"})
    for key in ("in/a", "out"):
        here.aws.client().delete_object(Bucket=here.bucket, Key=key)
    assert selected(here, {"EligibleForReplication": True}) == ["in/a", "in/a"], "an object and its delete marker"


def test_nothing_is_eligible_in_a_bucket_without_such_rules(here: Place) -> None:
    here.put("a")
    ended = here.run(**generator(here, {"EligibleForReplication": True}))
    assert reason(ended)[:2] == ("Failed", "ManifestGenerationFailed")


def test_a_manifest_without_lines_fails_the_job(here: Place) -> None:
    here.put("a")
    ended = here.run(**generator(here, {"KeyNameConstraint": {"MatchAnyPrefix": ["b"]}}))
    assert reason(ended)[2] == "Manifest generation found no keys matching the filter criteria."


@pytest.mark.parametrize(
    ("action", "wanted"),
    [("s3:PutInventoryConfiguration", {}), ("s3:GetReplicationConfiguration", {"EligibleForReplication": True})],
)
def test_a_role_that_may_not_generate_the_manifest_fails_the_job(
    here: Place, action: str, wanted: dict[str, Any]
) -> None:
    here.put("in/a")
    replicating(here)
    ended = here.run(**generator(here, wanted), RoleArn=here.role(action))
    assert (reason(ended)[1], action in reason(ended)[2]) == ("AccessDenied", True)
    assert here.run(**generator(here, wanted))["Status"] == "Complete"


def output(here: Place, **fields: Any) -> dict[str, Any]:
    location = {"Bucket": f"arn:aws:s3:::{here.reports}", "ManifestFormat": "S3InventoryReport_CSV_20211130"}
    return {"EnableManifestOutput": True, "ManifestOutputLocation": location | fields}


def test_a_generated_manifest_is_kept_if_the_job_wants_so(here: Place) -> None:
    [version] = here.put("a b")
    done = here.run(**generator(here, **output(here, ManifestPrefix="made")))
    descriptor = done["GeneratedManifestDescriptor"]
    assert descriptor["Format"] == "S3InventoryReport_CSV_20211130"
    key = descriptor["Location"]["ObjectArn"].partition("/")[2]
    assert key == f"made/job-{done['JobId']}/manifest.json"
    text = here.read(key)
    manifest = json.loads(text)
    assert descriptor["Location"]["ETag"] == md5(text)
    assert (manifest["sourceBucket"], manifest["fileSchema"]) == (here.bucket, "Bucket, Key, VersionId")
    [file] = manifest["files"]
    data = here.read(file["key"])
    assert (len(data), md5(data)) == (file["size"], file["MD5checksum"])
    assert list(csv.reader(io.StringIO(gzip.decompress(data).decode()))) == [[here.bucket, "a+b", version]]
    again = {"Spec": {"Format": INVENTORY}, "Location": descriptor["Location"]}
    here.stub.events = []
    here.run(again)
    assert versions(here) == [("a b", version)]


def test_a_generated_manifest_that_cannot_be_written_fails_the_job(here: Place) -> None:
    here.put("a")
    assert reason(here.run(**generator(here, **output(here)), RoleArn=here.role("s3:PutObject")))[1] == "AccessDenied"
    far = here.aws.bucket("us-west-2")
    elsewhere = output(here, Bucket=f"arn:aws:s3:::{far}")
    assert reason(here.run(**generator(here, **elsewhere)))[1] == "ManifestGenerationFailed"
    foreign = output(here, ExpectedManifestBucketOwner="999999999999")
    assert reason(here.run(**generator(here, **foreign)))[1] == "AccessDenied"


def test_a_job_that_was_confirmed_works_on_what_was_there_when_it_was_prepared(here: Place) -> None:
    here.put("a")
    job_id = here.create(**generator(here), ConfirmationRequired=True)
    here.is_in(job_id, "Suspended")
    here.put("b")
    here.update(job_id, "Ready")
    here.is_in(job_id, "Complete")
    assert here.stub.invoked() == ["a"]
