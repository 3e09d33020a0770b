"""What commands print: tables and lines for people, one JSON document for machines, and how commands end.

Exit statuses: 0 fine, 1 found something, 2 the command could not be carried out as it was given. Lines are never
wrapped or coloured into pieces when they go to a pipe, so that they can be searched.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from s3replicator.findings import Finding, Severity

FINE, FOUND, USAGE = 0, 1, 2
_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow"}


def fail(message: str) -> NoReturn:
    """End the command because of how it was called: the message says what to do."""
    Console(stderr=True).print(Text(f"s3replicator: {message}"), soft_wrap=True)
    raise typer.Exit(USAGE)


class Output:
    """Where a command puts its results. With `as_json`, only `document` prints anything."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._console = Console(highlight=False)

    def document(self, value: Any) -> None:
        """Print the JSON document of a command, if that is what is asked for."""
        if self.as_json:
            typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))

    def line(self, text: str, style: str = "") -> None:
        """Print one line for people."""
        if not self.as_json:
            self._console.print(Text(text, style=style), soft_wrap=True)

    def findings(self, findings: Iterable[Finding]) -> None:
        """Print one line for each finding, errors first."""
        for finding in sorted(findings, key=lambda each: each.severity is not Severity.ERROR):
            where = " ".join(part for part in (finding.subject, finding.field) if part)
            if not self.as_json:
                line = Text.assemble(
                    (finding.severity.value, _STYLES[finding.severity]), f"  {where}: {finding.message}"
                )
                self._console.print(line, soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> None:
        """Print a table for people."""
        if self.as_json:
            return
        table = Table(*columns, title=title or None, title_justify="left", box=None, pad_edge=False)
        for row in rows:
            table.add_row(*map(Text, row))
        self._console.print(table)


def as_document(finding: Finding) -> dict[str, str]:
    """Return a finding as it stands in JSON output."""
    return {
        "severity": finding.severity.value,
        "subject": finding.subject,
        "field": finding.field,
        "message": finding.message,
    }
