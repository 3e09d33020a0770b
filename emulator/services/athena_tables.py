"""Tables of the Glue Data Catalog, read into DuckDB: what Athena's queries are about.

Parquet, and CSV as OpenCSVSerde reads it; files are all objects under a table's location, or those that the symlink.txt
of a partition `dt` names, as tables over S3 Inventory reports have them.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-athena-query.html
https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from moto.glue.models import FakeTable, glue_backends

from emulator import clients

_TYPES = {"string": "VARCHAR", "map<string,string>": "MAP(VARCHAR, VARCHAR)"}
_PARTITION = re.compile(r"/dt=([^/]+)/symlink\.txt$")
_GZIP = b"\x1f\x8b"


def load(connection: Any, account: str, region: str, folder: Path) -> None:
    """Create a DuckDB table for each table of the catalog. Raises duckdb.Error or OSError if a file is not as it says.

    folder: an empty one, for files while they are read.
    """
    for database in glue_backends[account][region].databases.values():
        connection.execute(f'CREATE SCHEMA "{database.name}"')
        for table in database.tables.values():
            _load(connection, f'"{database.name}"."{table.name}"', table, clients.client("s3", region, account), folder)


def _load(connection: Any, name: str, table: FakeTable, s3: Any, folder: Path) -> None:
    described: Mapping[str, Any] = table.as_dict()
    storage, partitions = described["StorageDescriptor"], described.get("PartitionKeys", [])
    columns = [(each["Name"], _TYPES.get(each["Type"], each["Type"])) for each in storage["Columns"]]
    listed = ", ".join(
        f'"{column}" {kind}' for column, kind in [*columns, *((each["Name"], "VARCHAR") for each in partitions)]
    )
    connection.execute(f"CREATE TABLE {name} ({listed})")
    is_csv = "OpenCSVSerde" in storage["SerdeInfo"]["SerializationLibrary"]
    for number, (data, partition) in enumerate(_files(storage, s3)):
        path = folder / f"{number}"
        path.write_bytes(gzip.decompress(data) if data.startswith(_GZIP) else data)
        rows = _csv(connection, path, columns) if is_csv else connection.read_parquet(str(path))
        wanted = ", ".join(f'"{column}"' for column, _ in columns)
        more = "".join(f", '{partition}'" for _ in partitions)
        rows.project(f"{wanted}{more}").insert_into(name)
        path.unlink()


def _csv(connection: Any, path: Path, columns: list[tuple[str, str]]) -> Any:
    return connection.read_csv(
        str(path), header=False, delimiter=",", quotechar='"', escapechar='"', columns=dict(columns), auto_detect=False
    )


def _files(storage: Mapping[str, Any], s3: Any) -> Iterator[tuple[bytes, str]]:
    """Yield the bytes of a table's files, each with its partition."""
    bucket, _, prefix = storage["Location"].removeprefix("s3://").partition("/")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    by_links = "SymlinkTextInputFormat" in storage["InputFormat"]
    for key in [each["Key"] for page in pages for each in page.get("Contents", [])]:
        data = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        partition = _PARTITION.search(f"/{key}")
        if not by_links:
            yield data, ""
        elif partition:
            for address in data.decode().split():
                named, _, there = address.removeprefix("s3://").partition("/")
                yield s3.get_object(Bucket=named, Key=there)["Body"].read(), partition[1]
