"""S3 Inventory reports in CSV: read as the manifest of a job, and written when S3 generates one.

A report is a manifest.json that names gzip files of lines without a header; its fileSchema names their columns. A job
may be given reports in the format of 2016. S3 generates manifests in a format of 2021, of which AWS documents only the
name: here it is the same. Inventories encode keys as URLs do.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_JobManifestSpec.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_S3ManifestOutputLocation.html
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import uuid4

from emulator.s3.batch.jobs import Job, Line, Unusable
from emulator.s3.batch.manifests import checked, lines, named, read_object
from emulator.s3.versions import Version

Put = Callable[[str, bytes], Version]
REPORT = "S3InventoryReport_CSV_20161130"
GENERATED = "S3InventoryReport_CSV_20211130"
_NEEDED = frozenset({"Bucket", "Key"})
_VERSION = "2016-11-30"


def read(job: Job) -> list[Line]:
    """Return the lines of the inventory report that a job names. Raises Unusable."""
    manifest = _parsed(named(job).value)
    fields = [name.strip() for name in str(manifest.get("fileSchema", "")).split(",")]
    if manifest.get("fileFormat") != "CSV" or not set(fields) >= _NEEDED:
        raise _invalid("The inventory report is not in CSV, or names no bucket and key.")
    bucket, found = str(manifest["destinationBucket"]).rpartition(":")[2], list[Line]()
    for file in manifest.get("files", []):
        data = read_object(job, bucket, str(file["key"])).value
        if hashlib.md5(data, usedforsecurity=False).hexdigest() != file["MD5checksum"]:
            raise _invalid(f"The checksum of {file['key']} is not the one in the manifest.")
        found += lines(_unzipped(data), fields)
    return checked(found)


def write(source: str, found: Iterable[Line], there: str, folder: str, put: Put) -> Version:
    """Write lines about a bucket as a report to a folder of another; return its manifest.json, which is put last.

    put: stores bytes under a key.
    """
    rows = [[line.bucket, line.key, *([line.version_id] if line.version_id is not None else [])] for line in found]
    schema = ("Bucket", "Key", "VersionId") if any(len(row) > len(_NEEDED) for row in rows) else ("Bucket", "Key")
    key, data = f"{folder}/files/{uuid4()}.csv.gz", gzip.compress(_csv(rows))
    put(key, data)
    checksum = hashlib.md5(data, usedforsecurity=False).hexdigest()
    manifest = {
        "sourceBucket": source,
        "destinationBucket": f"arn:aws:s3:::{there}",
        "version": _VERSION,
        "creationTimestamp": str(time.time_ns() // 1_000_000),
        "fileFormat": "CSV",
        "fileSchema": ", ".join(schema),
        "files": [{"key": key, "size": len(data), "MD5checksum": checksum}],
    }
    return put(f"{folder}/manifest.json", json.dumps(manifest).encode())


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(text)
    except ValueError:
        raise _invalid("The manifest of an inventory report is its manifest.json.") from None
    return manifest


def _unzipped(data: bytes) -> str:
    try:
        return gzip.decompress(data).decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError):
        raise _invalid("A file of the inventory report is not compressed with gzip.") from None


def _invalid(message: str) -> Unusable:
    return Unusable("ManifestInvalid", message)
