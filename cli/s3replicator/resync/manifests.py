"""Where S3 Batch Operations gets the versions of a job from: its own generator, an inventory report, or our listing.

Pure, but for the file that a listing is written to. A generator and an inventory may name versions that destinations
have: a task for one finds that out, and writes nothing.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-create-job.html
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import IO, Any
from urllib.parse import quote_plus

from s3replicator.jobs.completion_report import Named
from s3replicator.jobs.selection import FAILED, NEVER, REPLICAS, Selection

ARGUMENT_REPLICAS = "IncludeS3Replicas"
ARGUMENT_HISTORY = "WholeHistory"


class ManifestKind(StrEnum):
    """Who lists the versions."""

    GENERATOR = "generator"
    INVENTORY = "inventory"
    LISTING = "listing"


def cannot_be_generated(selection: Selection) -> str:
    """Return which filter neither S3's generator nor an inventory report can apply; empty if there is none."""
    if selection.current_only:
        return "--current-only"
    if selection.rule:
        return "--rule"
    if selection.destinations:
        return "--destination"
    if not {*selection.statuses} <= {NEVER, FAILED, REPLICAS} or not {NEVER, FAILED} <= {*selection.statuses}:
        return "--status"
    return ""


def generator(bucket_arn: str, selection: Selection) -> dict[str, Any]:
    """Return S3's generator with the filters of a selection.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_JobManifestGeneratorFilter.html
    """
    names = {"MatchAnyPrefix": selection.prefix, "MatchAnySuffix": selection.suffix}
    wanted: dict[str, Any] = {
        "KeyNameConstraint": {name: [text] for name, text in names.items() if text},
        "CreatedAfter": _time(selection.created_after),
        "CreatedBefore": _time(selection.created_before),
        "ObjectSizeGreaterThanBytes": selection.larger_than,
        "ObjectSizeLessThanBytes": selection.smaller_than,
        "MatchAnyStorageClass": list(selection.classes),
    }
    filters = {name: value for name, value in wanted.items() if value}
    made = {"SourceBucket": bucket_arn, "EnableManifestOutput": False, **({"Filter": filters} if filters else {})}
    return {"ManifestGenerator": {"S3JobManifestGenerator": made}}


def _time(seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def inventory(object_arn: str, etag: str) -> dict[str, Any]:
    """Return an inventory report as the manifest, by its manifest.json."""
    spec = {"Format": "S3InventoryReport_CSV_20161130"}
    return {"Manifest": {"Spec": spec, "Location": {"ObjectArn": object_arn, "ETag": etag}}}


def listing(object_arn: str, etag: str) -> dict[str, Any]:
    """Return a file that `write_listing` wrote as the manifest."""
    spec = {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Key", "VersionId"]}
    return {"Manifest": {"Spec": spec, "Location": {"ObjectArn": object_arn, "ETag": etag}}}


def write_listing(bucket: str, named: Iterable[Named], file: IO[bytes], *, per_key: bool) -> int:
    """Write the lines of a manifest; return how many. per_key: one for each key, of its oldest version."""
    count, last = 0, ""
    for each in named:
        if per_key and each.key == last:
            continue
        last = each.key
        count += 1
        file.write(f"{bucket},{quote_plus(each.key, safe='/')},{each.version_id}\n".encode())
    return count


def stands_for_history(selection: Selection) -> bool:
    """Return whether a line may stand for the history of its key: no filter leaves versions of a key out."""
    per_version = (
        selection.larger_than,
        selection.smaller_than,
        selection.classes,
        selection.created_after,
        selection.created_before,
        selection.current_only,
    )
    return not any(per_version) and {NEVER, FAILED} <= {*selection.statuses}


def arguments(selection: Selection) -> Mapping[str, str]:
    """Return the user arguments of the function."""
    asked = {ARGUMENT_REPLICAS: selection.asks_for(REPLICAS), ARGUMENT_HISTORY: stands_for_history(selection)}
    return {name: "true" for name, is_asked in asked.items() if is_asked}


Upload = Callable[[IO[bytes], str], str]
"""Stores a file under a name beside the job's document; returns its ETag."""
