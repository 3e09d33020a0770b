"""The completion report of a job in the format of S3 Batch Operations, and the names of what a job has sent.

Rows have S3's columns in the order of S3's own files, where the HTTP status comes before the error code. Keys are
URL-encoded, as in manifests.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-examples-reports.html
"""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import quote_plus, unquote_plus

from replicator.core.outcomes.batch import ResultCode, TaskResult

SCHEMA = "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage"
FORMAT = "Report_CSV_20180820"
SUCCEEDED, FAILED = "succeeded", "failed"
MOST_ROWS = 100_000
"""Rows of one file of results."""


class Named(NamedTuple):
    """One version or delete marker that a job has asked for."""

    key: str
    version_id: str
    is_marker: bool = False


class Row(NamedTuple):
    """One row of a report."""

    bucket: str
    key: str
    version_id: str
    result: TaskResult

    @property
    def status(self) -> str:
        """Return S3's word for it."""
        return SUCCEEDED if self.result.code is ResultCode.SUCCEEDED else FAILED


def write_named(named: Iterable[Named]) -> bytes:
    """Write versions, one in each line."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerows([quote_plus(each.key, safe="/"), each.version_id, int(each.is_marker)] for each in named)
    return text.getvalue().encode()


def read_named(text: bytes) -> Iterator[Named]:
    """Read what `write_named` wrote. Raises ValueError."""
    for key, version_id, marker in csv.reader(io.StringIO(text.decode())):
        yield Named(unquote_plus(key), version_id, marker == "1")


@dataclass(slots=True)
class ReportWriter:
    """Writes the files of one report. put: stores a file by its name; returns nothing. bucket: where it stores them."""

    bucket: str
    folder: str
    put: Callable[[str, bytes], object]

    def write(self, rows: Iterable[Row], now: int) -> dict[str, int]:
        """Write all files, the manifest last; return the count of each status. now: epoch milliseconds."""
        counts, results = {SUCCEEDED: 0, FAILED: 0}, list[dict[str, str]]()
        for some in _in_lists(rows):
            for status in counts:
                chosen = [row for row in some if row.status == status]
                counts[status] += len(chosen)
                if chosen:
                    results.append({"TaskExecutionStatus": status, **self._put_results(chosen)})
        self.put("manifest.json", json.dumps(_manifest(results, now), indent=2).encode())
        return counts

    def _put_results(self, rows: Iterable[Row]) -> dict[str, str]:
        text = write_rows(rows)
        name = f"results/{hashlib.sha1(text, usedforsecurity=False).hexdigest()}.csv"
        self.put(name, text)
        md5 = hashlib.md5(text, usedforsecurity=False).hexdigest()
        return {"Bucket": self.bucket, "MD5Checksum": md5, "Key": f"{self.folder}/{name}"}


def write_rows(rows: Iterable[Row]) -> bytes:
    """Write rows as S3 does."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    for row in rows:
        code = "" if row.status == SUCCEEDED else str(ResultCode.PERMANENT)
        key = quote_plus(row.key, safe="/")
        lines.writerow([row.bucket, key, row.version_id, row.status, 200, code, row.result.text])
    return text.getvalue().encode()


def read_manifest(text: bytes) -> list[dict[str, str]]:
    """Return the files that a report's manifest names. Raises ValueError."""
    document = json.loads(text)
    if not isinstance(document, dict) or "Results" not in document:
        raise ValueError("not the manifest of a completion report")
    return list(document["Results"])


def read_rows(text: bytes) -> Iterator[Named]:
    """Return the versions that a file of results names. Raises ValueError."""
    for row in csv.reader(io.StringIO(text.decode())):
        if len(row) < 3:
            raise ValueError("not a row of a completion report")
        yield Named(unquote_plus(row[1]), row[2])


def _manifest(results: list[dict[str, str]], now: int) -> dict[str, Any]:
    date = datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"Format": FORMAT, "ReportCreationDate": date, "Results": results, "ReportSchema": SCHEMA}


def _in_lists(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while some := list(islice(remaining, MOST_ROWS)):
        yield some
