"""All differences as CSV, a row each: for spreadsheets, and for scripts that want every key."""

import csv
from dataclasses import dataclass
from typing import Any, TextIO

from replicator.core.verifying.differences import Difference

from s3replicator.verify.kinds import ADVICE

COLUMNS = ("Kind", "Key", "VersionId", "Destination", "Detail", "State", "ToDo")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection")."""


@dataclass(slots=True)
class CsvFile:
    """A file of differences. Rows are written as they come, so that there may be any number of them."""

    file: TextIO

    def __post_init__(self) -> None:
        self._writer.writerow(COLUMNS)

    @property
    def _writer(self) -> Any:
        return csv.writer(self.file)

    def add(self, difference: Difference, state: str) -> None:
        """Write a row. state: different, or repaired."""
        each = difference
        row = (each.kind, each.key, each.version_id, each.destination, each.detail, state, ADVICE[each.kind])
        self._writer.writerow([_harmless(str(cell)) for cell in row])


def _harmless(text: str) -> str:
    """Return a cell that no spreadsheet evaluates: an apostrophe before what would be a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text
