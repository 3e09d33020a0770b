"""What commands print, and how they end: tables and lines for people, one JSON document for machines.

Exit statuses: 0 fine, 1 found something, 2 the command could not be carried out as it was given. Lines are never
wrapped or coloured when they go to a pipe, so that they can be searched.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from replicator.core.outcomes.outcome import Permanent, Temporary
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from s3replicator.failed_calls import CallFailed
from s3replicator.findings import Finding, Severity

FINE, FOUND, USAGE = 0, 1, 2
_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow"}


def fail(message: str) -> NoReturn:
    """End the command with exit status 2. The message says what to do differently."""
    _complain(message)
    raise typer.Exit(USAGE)


@contextmanager
def stop_on_failed_call(target: str, doing: str = "") -> Iterator[None]:
    """End the command with exit status 1 and advice when AWS refuses a call.

    `target` names what is called; `doing`, if given, says what the command could not do.
    """
    try:
        yield
    except CallFailed as failed:
        _complain(": ".join(filter(None, (doing, failed.call.advice(target)))))
        raise typer.Exit(FOUND) from None


def _complain(message: str) -> None:
    Console(stderr=True, highlight=False).print(Text(f"s3replicator: {message}"), soft_wrap=True)


class Output:
    """Where a command puts its results. With `as_json`, only `document` prints anything."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._console = Console(highlight=False)

    def document(self, value: Any) -> None:
        """Print the JSON document of a command, if that is what was asked for."""
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

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print a table for people."""
        if self.as_json:
            return
        table = Table(*columns, box=None, pad_edge=False)
        for row in rows:
            table.add_row(*map(Text, row))
        self._console.print(table)

    @contextmanager
    def stop_on_trouble(self, bucket: str, key: str, doing: str) -> Iterator[None]:
        """End the command with exit status 1 when what it must read about an object cannot be read.

        `doing` says what the command could not do.
        """
        try:
            yield
        except (Temporary, Permanent) as trouble:
            self.document({"bucket": bucket, "key": key, "error": str(trouble)})
            self.line(f"{doing}: {trouble}", style="red")
            raise typer.Exit(FOUND) from None

    @contextmanager
    def progress(self, description: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show a progress bar on standard error; yields what sets how much of the total is done."""
        console = Console(stderr=True, quiet=self.as_json)
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
        with Progress(*columns, console=console, transient=True) as progress:
            bar = progress.add_task(description, total=total)
            yield lambda done: progress.update(bar, completed=done)
