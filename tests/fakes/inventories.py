"""S3 Inventory reports as S3 writes them, of entries that a test has: CSV in gzip, or Parquet.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
"""

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import duckdb
from replicator.core.verifying.listed import Listed

FIELDS: Mapping[str, tuple[str, str, Callable[[str, Listed], Any]]] = {
    "Bucket": ("bucket", "VARCHAR", lambda bucket, _: bucket),
    "Key": ("key", "VARCHAR", lambda _, each: each.key),
    "VersionId": ("version_id", "VARCHAR", lambda _, each: each.entry.version_id.replace("null", "")),
    "IsLatest": ("is_latest", "BOOLEAN", lambda _, each: each.is_latest),
    "IsDeleteMarker": ("is_delete_marker", "BOOLEAN", lambda _, each: not each.entry.is_version),
    "Size": ("size", "BIGINT", lambda _, each: each.entry.size if each.entry.is_version else None),
    "LastModifiedDate": ("last_modified_date", "TIMESTAMP", lambda _, each: _time(each)),
    "ETag": ("e_tag", "VARCHAR", lambda _, each: each.entry.etag.strip('"') or None),
    "StorageClass": ("storage_class", "VARCHAR", lambda _, each: each.storage_class or None),
    "EncryptionStatus": ("encryption_status", "VARCHAR", lambda _, each: "SSE-S3" if each.entry.is_version else None),
}
"""Fields of an inventory -> column and type in Parquet, and what an entry of a bucket has there."""
ALL = tuple(FIELDS)
LOCK = ("ObjectLockMode", "ObjectLockRetainUntilDate", "ObjectLockLegalHoldStatus")
CURRENT = tuple(name for name in ALL if name not in {"VersionId", "IsLatest", "IsDeleteMarker"})
TAKEN = datetime(2100, 1, 1, tzinfo=UTC)


def _time(each: Listed) -> datetime:
    return datetime.fromtimestamp(each.entry.modified, UTC)


def report(
    folder: Path,
    bucket: str,
    entries: Iterable[Listed],
    *,
    fields: Sequence[str] = ALL,
    parquet: bool = False,
    taken: datetime = TAKEN,
    files: int = 1,
    lock: tuple[str, str, str] | None = None,
) -> Path:
    """Write a report to a new folder, in some files, and return it. lock: of all entries, in CSV."""
    folder.mkdir(parents=True)
    rows = [[*(FIELDS[name][2](bucket, each) for name in fields), *(lock or ())] for each in entries]
    fields = (*fields, *(LOCK if lock else ()))
    ending = "parquet" if parquet else "csv.gz"
    named = []
    for number in range(files):
        path = folder / f"{number}.{ending}"
        write = _write_parquet if parquet else _write_csv
        write(path, rows[number::files], fields)
        data = path.read_bytes()
        key = f"reports/{bucket}/all/data/{path.name}"
        named.append({"key": key, "size": len(data), "MD5checksum": md5(data)})
    manifest = {
        "sourceBucket": bucket,
        "destinationBucket": "arn:aws:s3:::reports",
        "version": "2016-11-30",
        "creationTimestamp": str(int(taken.timestamp() * 1000)),
        "fileFormat": "Parquet" if parquet else "CSV",
        "fileSchema": "message s3.inventory { required binary bucket (UTF8); }" if parquet else ", ".join(fields),
        "files": named,
    }
    text = json.dumps(manifest).encode()
    (folder / "manifest.json").write_bytes(text)
    (folder / "manifest.checksum").write_text(md5(text))
    return folder


def live_table(path: Path, bucket: str, entries: Iterable[tuple[Listed, Mapping[str, str]]]) -> Path:
    """Write a live inventory table of S3 Metadata as Parquet; entries come with their user metadata.

    The order of sequence numbers is that of the entries from the last to the first, as listings have them newest first.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/metadata-tables-inventory-schema.html
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = (
        "bucket VARCHAR, key VARCHAR, sequence_number VARCHAR, version_id VARCHAR, is_delete_marker BOOLEAN, "
        "size BIGINT, last_modified_date TIMESTAMP, e_tag VARCHAR, storage_class VARCHAR, encryption_status VARCHAR, "
        "object_tags MAP(VARCHAR, VARCHAR), user_metadata MAP(VARCHAR, VARCHAR)"
    )
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE written ({columns})")
        for number, (each, metadata) in enumerate(entries):
            entry, kms = each.entry, each.entry.etag.startswith("kms")
            row: tuple[Any, ...] = (
                *(bucket, each.key, f"{10**6 - number:020x}", entry.version_id, not entry.is_version),
                *(entry.size if entry.is_version else None, _time(each).replace(tzinfo=None), entry.etag.strip('"')),
                *(each.storage_class, "SSE-KMS" if kms else "SSE-S3", {}, dict(metadata)),
            )
            connection.execute("INSERT INTO written VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        connection.table("written").write_parquet(str(path))
    return path


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _write_csv(path: Path, rows: Iterable[Sequence[Any]], fields: Sequence[str]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for row in rows:
        writer.writerow(_in_csv(name, value) for name, value in zip(fields, row, strict=True))
    path.write_bytes(gzip.compress(text.getvalue().encode()))


def _in_csv(name: str, value: Any) -> str:
    if name == "Key":
        return quote_plus(value, safe="/")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return "" if value is None else str(value)


def _write_parquet(path: Path, rows: Iterable[Sequence[Any]], fields: Sequence[str]) -> None:
    columns = ", ".join(f"{FIELDS[name][0]} {FIELDS[name][1]}" for name in fields)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE written ({columns})")
        values = [[each.replace(tzinfo=None) if isinstance(each, datetime) else each for each in row] for row in rows]
        if values:
            marks = ", ".join("?" for _ in fields)
            connection.executemany(f"INSERT INTO written VALUES ({marks})", values)  # noqa: S608
        connection.table("written").write_parquet(str(path))
