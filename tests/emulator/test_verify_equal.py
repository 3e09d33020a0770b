"""What live replication leaves behind, of every kind and in both directions, is equal: verify raises no false alarm."""

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.watched import RULE, document, world

SETTINGS = {"ownership": "ObjectWriter", "object_lock": True}


@pytest.fixture(scope="module")
def aws() -> Iterator[Running]:
    both = world(ReplicaModifications="true")
    both["buckets"] = [bucket | SETTINGS for bucket in both["buckets"]]
    for stack, (source, destination) in (("rep", ("east", "west")), ("back", ("west", "east"))):
        rule = {
            **RULE,
            "SourceSelectionCriteria": {"ReplicaModifications": {"Status": "Enabled"}},
            "Destination": {"Bucket": f"arn:aws:s3:::{destination}"},
        }
        region = {"east": "us-east-1", "west": "us-west-2"}[source]
        deployed = {"name": stack, "region": region, "parameters": {"ReplicaModifications": "true"}}
        both["stacks"] = [each for each in both["stacks"] if each["name"] != stack]
        both["stacks"].append({**deployed, "rules": {source: {"Rules": [rule]}}})
    with running(both) as emulator:
        yield emulator


def write_everything(aws: Running) -> None:
    """Write objects of every kind at both sides, with conflicts, deletes and later changes."""
    east, west = aws.client("s3", "us-east-1"), aws.client("s3", "us-west-2")
    plain: dict[str, dict[str, Any]] = {
        "empty": {"Body": b""},
        "\u00fcml\u00e4ut/\u6771 +%41": {},
        "full": {"Metadata": {"a": "b" * 2040}},
        "tags": {"Tagging": "&".join(f"t{number}={number}" for number in range(10))},
        "class": {"StorageClass": "STANDARD_IA"},
        "cold": {"StorageClass": "GLACIER"},
        "headers": {"ContentType": "text/plain", "CacheControl": "no-cache", "ContentLanguage": "de"},
        "public": {"ACL": "public-read"},
        "held": {"ObjectLockLegalHoldStatus": "ON"},
    }
    for key, given in plain.items():
        east.put_object(Bucket="east", Key=key, **{"Body": b"12345", **given})
    for body in (b"1", b"2", b"3"):
        east.put_object(Bucket="east", Key="history", Body=body)
        west.put_object(Bucket="west", Key="conflict", Body=body)
        east.put_object(Bucket="east", Key="conflict", Body=body * 2)
    _upload(east)
    assert aws.idle()
    for client, bucket, key in ((east, "east", "gone"), (west, "west", "gone there")):
        client.put_object(Bucket=bucket, Key=key, Body=b"1")
        client.delete_object(Bucket=bucket, Key=key)
    tagging = {"TagSet": [{"Key": "later", "Value": "1"}]}
    west.put_object_tagging(Bucket="west", Key="history", Tagging=tagging)
    marker = east.delete_object(Bucket="east", Key="history")["VersionId"]
    assert aws.idle()
    east.delete_object(Bucket="east", Key="history", VersionId=marker)
    assert aws.idle()


def _upload(east: Any) -> None:
    where = {"Bucket": "east", "Key": "parts"}
    upload = east.create_multipart_upload(**where)["UploadId"]
    parts = [
        {"PartNumber": number, "ETag": east.upload_part(**where, UploadId=upload, PartNumber=number, Body=body)["ETag"]}
        for number, body in ((1, b"x" * 5 * 1024 * 1024), (2, b"y"))
    ]
    east.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})


def test_nothing_that_was_replicated_differs_in_either_direction(aws: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MOMENT_MS", "EVENT_MS"):
        monkeypatch.setattr(f"replicator.flows.verify.verifying.{name}", 0)
    write_everything(aws)
    for stack, bucket, destination in (("rep", "east", "west"), ("back", "west", "east")):
        for options in ([], ["--deep"]):
            region = {"rep": "us-east-1", "back": "us-west-2"}[stack]
            found = document(aws, "verify", bucket, *options, "--stack", stack, "--region", region)
            there = found["destinations"][destination]
            assert (there["examples"], there["pending"], found["equal"]) == ({}, 0, True), (bucket, options)
            assert there["checked"] >= 15
