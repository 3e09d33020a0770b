"""What commands print, and how they end: tables and lines for people, one JSON document for machines.

Everything that the command prints leaves through this module, so nothing in a key, tag, rule or error of AWS reaches a
terminal as a control character, a colour or a second line (`tests/house/test_terminal.py`). Exit statuses: 0 fine, 1
found something, 2 the command could not be carried out as it was given. Lines are never wrapped or coloured when they
go to a pipe, so that they can be searched.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from replicator.core.outcomes.outcome import Permanent, Temporary
from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from s3replicator.failed_calls import CallFailed
from s3replicator.findings import Finding, Severity
from s3replicator.formatting import escaped, json_text, printable_json, visible

FINE, FOUND, USAGE = 0, 1, 2
SECONDS_BETWEEN_LINES = 10.0
_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow"}


def fail(message: str) -> NoReturn:
    """End the command with exit status 2. The message says what to do differently."""
    complain(message)
    raise typer.Exit(USAGE)


@contextmanager
def stop_on_failed_call(target: str, doing: str = "") -> Iterator[None]:
    """End the command with exit status 1 and advice when AWS refuses a call.

    `target` names what is called; `doing`, if given, says what the command could not do.
    """
    try:
        yield
    except CallFailed as failed:
        complain(": ".join(filter(None, (doing, failed.call.advice(target)))))
        raise typer.Exit(FOUND) from None


def complain(message: str) -> None:
    """Print one line on standard error."""
    SafeConsole(stderr=True).print(Text(visible(f"s3replicator: {message}")), soft_wrap=True)


def print_page(text: str) -> None:
    """Print a page of HTML, whose encoding is UTF-8 whatever that of the terminal is."""
    typer.echo(text.encode())


def print_stored(document: bytes) -> None:
    """Print a JSON document as it is stored; on a terminal, with escapes for what does not print."""
    end = b"" if document.endswith(b"\n") else b"\n"
    if not sys.stdout.isatty():
        typer.echo(document + end, nl=False)
        return
    lines = document.decode(errors="backslashreplace").replace("\r\n", "\n").expandtabs(4)
    typer.echo(printable_json(lines), nl=bool(end))


class SafeConsole(Console):
    """A console that takes neither markup nor control characters from what it is told to print."""

    def __init__(self, *, stderr: bool = False, quiet: bool = False) -> None:
        super().__init__(stderr=stderr, quiet=quiet, markup=False, emoji=False, highlight=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Escape what the caller has not: what does not print, apart from the line breaks of the layout."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment("".join(map(_harmless, segment.text)), segment.style)


def _harmless(character: str) -> str:
    return character if character.isprintable() or character == "\n" else escaped(character)


def _can_encode(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


class _Lines:
    """Prints what it is told as a line of its own, if it is new and some seconds after the last one."""

    def __init__(self, console: SafeConsole) -> None:
        self._console = console
        self._last = ""
        self._printed = -SECONDS_BETWEEN_LINES

    def __call__(self, text: str, _done: int, _total: int) -> None:
        if text != self._last and time.monotonic() - self._printed >= SECONDS_BETWEEN_LINES:
            self._last, self._printed = text, time.monotonic()
            self._console.print(Text(visible(text)), soft_wrap=True)


class Output:
    """Where a command puts its results. With `as_json`, only `document` prints anything."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._console = SafeConsole()

    def document(self, value: Any) -> None:
        """Print the JSON document of a command, if JSON was asked for."""
        if self.as_json:
            typer.echo(json_text(value, ascii_only=not _can_encode("\U0001f680")))

    def line(self, text: str, style: str = "") -> None:
        """Print one line for people."""
        if not self.as_json:
            self._console.print(Text(visible(text), style=style), soft_wrap=True)

    def sign(self, sign: str, plain: str) -> str:
        """Return a sign, or one in ASCII where the output cannot have it."""
        return sign if _can_encode(sign) else plain

    def findings(self, findings: Iterable[Finding]) -> None:
        """Print one line for each finding, errors first."""
        for finding in sorted(findings, key=lambda each: each.severity is not Severity.ERROR):
            where = " ".join(part for part in (finding.subject, finding.field) if part)
            if not self.as_json:
                line = Text.assemble(
                    (finding.severity.value, _STYLES[finding.severity]), f"  {visible(f'{where}: {finding.message}')}"
                )
                self._console.print(line, soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print a table for people."""
        if self.as_json:
            return
        table = Table(*columns, box=None, pad_edge=False)
        for row in rows:
            table.add_row(*(Text(visible(cell)) for cell in row))
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
    def live(self) -> Iterator[Callable[[str, int, int], None]]:
        """Show how far something is, on standard error: a bar in a terminal, elsewhere a line every few seconds.

        Yields what takes a text, how much is done, and the total; 0 for a total that nobody knows yet.
        """
        console = SafeConsole(stderr=True, quiet=self.as_json)
        if not console.is_terminal:
            yield _Lines(console)
            return
        columns = BarColumn(), TaskProgressColumn(), TextColumn("{task.description}", markup=False)
        with Progress(*columns, console=console, transient=True) as progress:
            bar = progress.add_task("", total=None)
            yield lambda text, done, total: progress.update(
                bar, description=visible(text), completed=done, total=total or None
            )

    @contextmanager
    def progress(self, description: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show a progress bar on standard error; yields what sets how much of the total is done."""
        console = SafeConsole(stderr=True, quiet=self.as_json)
        columns = TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn()
        with Progress(*columns, console=console, transient=True) as progress:
            bar = progress.add_task(visible(description), total=total)
            yield lambda done: progress.update(bar, completed=done)
