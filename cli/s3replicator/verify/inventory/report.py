"""The manifest of an S3 Inventory report: whose it is, when it began, its columns and its files.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
"""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MANIFEST, CHECKSUM = "manifest.json", "manifest.checksum"


class Unusable(Exception):
    """An inventory cannot be used as it is. The message says why."""


class Format(StrEnum):
    """Formats of S3 Inventory that are read; ORC is not."""

    CSV = "CSV"
    PARQUET = "Parquet"


@dataclass(frozen=True, slots=True)
class File:
    """One file of a report. size: in bytes. md5: in hexadecimal digits."""

    key: str
    size: int
    md5: str


@dataclass(frozen=True, slots=True)
class Report:
    """One report. created: when S3 began to make it, epoch seconds. columns: of CSV, in their order."""

    bucket: str
    format: Format
    created: int
    columns: tuple[str, ...]
    files: tuple[File, ...]


def read_manifest(text: bytes) -> Report:
    """Read a manifest.json. Raises Unusable."""
    try:
        document = json.loads(text)
        written = Format(document["fileFormat"])
        return Report(
            str(document["sourceBucket"]).rpartition(":")[2],
            written,
            int(document["creationTimestamp"]) // 1000,
            _columns(str(document["fileSchema"])) if written is Format.CSV else (),
            tuple(_file(each) for each in document["files"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        if isinstance(error, ValueError) and "Format" in str(error):
            raise Unusable("inventories in CSV and Parquet are read, and no others") from None
        raise Unusable("this is no manifest.json of an S3 Inventory report") from None


def _columns(schema: str) -> tuple[str, ...]:
    """Return the columns of CSV by the names that they have as columns of tables: `IsLatest` is `is_latest`."""
    names = tuple(column_name(each.strip()) for each in schema.split(","))
    if "key" not in names:
        raise ValueError(schema)
    return names


def column_name(name: str) -> str:
    """Return a field of an inventory as a column of a table."""
    return "e_tag" if name == "ETag" else re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _file(document: Any) -> File:
    return File(str(document["key"]), int(document["size"]), str(document["MD5checksum"]).lower())
