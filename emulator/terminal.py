"""What the emulator prints, on one line each and without anything that a terminal would obey.

Separate because keys, names of a world and traces of errors come here by three ways: messages, functions' logs and the
emulator's own log. The command `s3replicator` does the same; the emulator knows nothing of it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text


def visible(text: str) -> str:
    """Escape what does not print, apart from line feeds, as Python writes it."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each == "\n" else _escaped(each) for each in text)


def on_one_line(text: str) -> str:
    """Escape line feeds as well."""
    return visible(text).replace("\n", "\\n")


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


class Terminal:
    """A console for plain text: markup in names is text."""

    def __init__(self, *, stderr: bool = False, quiet: bool = False) -> None:
        self._console = Console(stderr=stderr, quiet=quiet, markup=False, highlight=False, emoji=False)

    def line(self, text: str = "", style: str = "") -> None:
        """Print one line."""
        self._console.print(Text(on_one_line(text), style=style), soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print a table."""
        table = Table(*columns)
        for row in rows:
            table.add_row(*(Text(on_one_line(cell)) for cell in row))
        self._console.print(table)


class Formatter(logging.Formatter):
    """Formats the emulator's own log: a message has one line, and the stack trace below it keeps its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Format the line of a record."""
        return on_one_line(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        """Format a record with its stack trace."""
        return visible(super().format(record))
