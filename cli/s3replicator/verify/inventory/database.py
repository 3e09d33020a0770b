"""Inventory reports in a DuckDB database of this machine, which answers the questions.

The database is a file, and DuckDB moves to disk what does not fit into memory. One file of a report is here at a time;
it is deleted once its columns are in the database. DuckDB is optional, so it is imported when it is needed.
https://duckdb.org/docs/stable/guides/performance/how_to_tune_workloads.html
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from s3replicator.verify.inventory.locations import Location, fetch, manifest_of
from s3replicator.verify.inventory.questions import COLUMNS, LAG_SECONDS, Table
from s3replicator.verify.inventory.report import Format, Report, Unusable, read_manifest

MEMORY = "500MB"
"""What DuckDB may use; it fails rather than use more."""
GROWTH = 8
"""Disk that the database and its work may take, in bytes for each compressed byte of a report (measured: 6)."""
PAGE = 1_000
_CSV_LINE = 1024 * 1024
"""Bytes of a line at most, of which DuckDB reads sixteen at once. A key has 1,024, and an ACL a hundred grants."""
_READ_ROWS = "SELECT * EXCLUDE row FROM (SELECT *, rowid AS row FROM answer) WHERE row >= ? AND row < ? ORDER BY row"


class Engine(Protocol):
    """What answers a question."""

    def ask(self, question: str) -> Iterator[Sequence[Sequence[Any]]]:
        """Yield the rows of the answer, a page at a time. Raises Unusable or CallFailed."""


@dataclass(slots=True)
class Database:
    """DuckDB in a folder that is deleted with it."""

    folder: Path
    _connection: Any
    _tables: int = field(default=0, init=False)

    def load(self, location: Location) -> Table:
        """Read a report. Raises Unusable or CallFailed."""
        report = read_manifest(manifest_of(location))
        self._check_disk(report)
        self._tables += 1
        name, path, columns = f"inventory_{self._tables}", self.folder / "report", frozenset[str]()
        for number, file in enumerate(report.files):
            fetch(location, file, path)
            with _explained(file.key):
                rows = self._csv(path, report) if report.format is Format.CSV else self._parquet(path)
                columns = self._add(name, rows, is_first=number == 0)
            path.unlink()
        if not report.files:
            self._connection.execute(f"CREATE TABLE {name} (key VARCHAR)")
            columns = frozenset({"key"})
        return Table(report.bucket, name, columns, report.format is Format.CSV, report.created)

    def load_files(self, bucket: str, paths: Sequence[Path]) -> Table:
        """Read a live inventory table of S3 Metadata that somebody wrote to Parquet files. Raises Unusable.

        The oldest of the files says when that was; the table may lack what was an hour younger.
        """
        self._tables += 1
        name, columns = f"inventory_{self._tables}", frozenset[str]()
        for number, path in enumerate(paths):
            with _explained(path.name):
                columns = self._add(name, self._parquet(path), is_first=number == 0)
        written = int(min(path.stat().st_mtime for path in paths))
        return Table(bucket, name, columns, encoded=False, taken=written - LAG_SECONDS)

    def ask(self, question: str) -> Iterator[Sequence[Sequence[Any]]]:
        """Yield the rows of the answer, a page at a time."""
        with _explained("the inventories"):
            self._connection.execute(f"CREATE OR REPLACE TABLE answer AS {question}")
            first = 0
            while rows := self._connection.execute(_READ_ROWS, (first, first + PAGE)).fetchall():
                yield rows
                first += PAGE

    def _add(self, name: str, rows: Any, *, is_first: bool) -> frozenset[str]:
        """Add rows to a table, and return the columns that it has."""
        named = {each.lower(): each for each in rows.columns}
        if "key" not in named:
            raise Unusable("a file of an inventory has no column key")
        wanted = [each for each in COLUMNS if each in named]
        chosen = rows.project(", ".join(f'"{named[each]}" AS {each}' for each in wanted))
        if is_first:
            chosen.create(name)
        else:
            chosen.insert_into(name)
        return frozenset(wanted)

    def _parquet(self, path: Path) -> Any:
        return self._connection.read_parquet(str(path))

    def _csv(self, path: Path, report: Report) -> Any:
        return self._connection.read_csv(
            str(path),
            compression="gzip",
            header=False,
            delimiter=",",
            quotechar='"',
            escapechar='"',
            columns=dict.fromkeys(report.columns, "VARCHAR"),
            auto_detect=False,
            max_line_size=_CSV_LINE,
        )

    def _check_disk(self, report: Report) -> None:
        needed, free = GROWTH * sum(file.size for file in report.files), shutil.disk_usage(self.folder).free
        if needed > free:
            raise Unusable(
                f"the inventory of {report.bucket} needs about {needed:,} bytes of disk, and {self.folder.parent} has "
                f"{free:,}; set TMPDIR to a larger disk"
            )


@contextmanager
def database() -> Iterator[Database]:
    """Open a database in a temporary folder. Raises Unusable if DuckDB is not installed."""
    try:
        import duckdb  # noqa: PLC0415 - optional
    except ImportError:
        raise Unusable("DuckDB is not installed: pip install 's3-replicator[inventory]'") from None
    with TemporaryDirectory(prefix="s3replicator-") as folder:
        most = shutil.disk_usage(folder).free
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": MEMORY,
            "temp_directory": f"{folder}/spill",
            "max_temp_directory_size": f"{most}B",
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
        }
        with duckdb.connect(f"{folder}/inventory.duckdb", config=settings) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            yield Database(Path(folder), connection)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn errors of DuckDB into Unusable."""
    import duckdb  # noqa: PLC0415 - optional

    try:
        yield
    except duckdb.Error as error:
        first = str(error).strip().splitlines()[0]
        raise Unusable(f"{what} cannot be read: {first}") from error
