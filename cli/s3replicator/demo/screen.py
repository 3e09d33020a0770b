"""How the demo is printed: headings, tables and panels. It only prints what it is given."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from s3replicator.demo.comparison import Row
from s3replicator.demo.objects import Failure, Result
from s3replicator.demo.two_way import Echoes, Entry

SHORT = 20
COLOURS = {"COMPLETED": "green", "SKIPPED": "yellow", "FAILED": "bold red", "PENDING": "magenta"}


class Screen:
    """Prints the demo to one console."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def title(self, text: str, below: str) -> None:
        """Print the title."""
        self._console.print()
        self._console.print(Text(text, style="bold"))
        self._console.print(Text(below, style="dim"))

    def heading(self, number: int, text: str) -> None:
        """Print the heading of a part."""
        self._console.print()
        self._console.rule(Text.assemble((f" {number} ", "bold black on cyan"), (f" {text} ", "bold")), align="left")
        self._console.print()

    def say(self, text: str, style: str = "") -> None:
        """Print a paragraph."""
        self._console.print(Padding(Text(text, style=style), (0, 2)))

    def done(self, text: str, seconds: float) -> None:
        """Print a finished step of the start."""
        self._console.print(Text.assemble(("  ✓ ", "green"), text, (f"  {seconds:.1f} s", "dim")))

    def command(self, *words: str) -> None:
        """Print a command before it runs."""
        self._console.print(Text.assemble(("  $ ", "dim"), (" ".join(words), "bold cyan")))

    def output(self, text: str) -> None:
        """Print what a command printed."""
        self._console.print(Padding(Text(text.rstrip()), (0, 4)))

    def rules(self, document: Mapping[str, Any]) -> None:
        """Print rules, one line each."""
        for rule in document["Rules"]:
            where = rule["Filter"].get("And", rule["Filter"])
            tags = "".join(f" with tag {tag['Key']}={tag['Value']}" for tag in where.get("Tags", []))
            target = rule["Destination"]["Bucket"].rpartition(":")[2]
            colder = f", as {rule['Destination']['StorageClass']}" if "StorageClass" in rule["Destination"] else ""
            keys = f": {where['Prefix']}*{tags} -> "
            line = Text.assemble((rule["ID"], "bold"), keys, (target, "bold"), colder)
            self._console.print(Padding(line, (0, 4)))

    def results(self, results: Iterable[Result]) -> None:
        """Print what became of each object."""
        table = _table("object")
        table.add_column("status", no_wrap=True)
        table.add_column("latency", no_wrap=True, justify="right")
        table.add_column("reason, or replicas", no_wrap=True)
        for result in results:
            colour = COLOURS.get(result.status, "")
            latency = f"{result.latency_ms} ms" if result.latency_ms is not None else ""
            replicas = f"{result.replicas} replica{'s' if result.replicas > 1 else ''}" if result.replicas else ""
            table.add_row(
                Text.assemble((result.demo_object.key, "bold"), "\n", (result.demo_object.what, "dim")),
                Text(result.status, style=colour),
                Text(latency),
                Text(result.reason or replicas, style=colour if result.reason else ""),
            )
        self._print(table)

    def comparison(self, rows: Sequence[Row], source: str, replica: str) -> None:
        """Print a replica beside its source."""
        table = _table("", f"source, {source}", f"replica, {replica}", "")
        table.columns[0].no_wrap = True
        for row in rows:
            same = row.source == row.replica
            sign = Text("=", style="green") if same else Text("≠", style="yellow" if row.note else "bold red")
            table.add_row(
                Text(row.name, style="bold"),
                Text(_short(row.source)),
                Text("") if same else Text(_short(row.replica)),
                Text.assemble(sign, (f"  {row.note}" if row.note else "", "dim")),
            )
        self._print(table)

    def failure(self, failure: Failure) -> None:
        """Print a message of the dead-letter queue."""
        table = Table(
            box=box.ROUNDED, show_header=False, border_style="red", title="the message in the dead-letter queue"
        )
        for name, value in sorted(failure.attributes.items()):
            table.add_row(Text(name, style="bold"), Text(value, style="red" if name == "Reason" else ""))
        entity = failure.record["s3"]["object"]
        table.add_row(
            Text("body", style="bold"),
            Text(
                f"S3's own event, {failure.record['eventName']} of {entity['key']}, ready to be sent again", style="dim"
            ),
        )
        self._print(table)

    def histories(self, sides: Mapping[str, Sequence[Entry]]) -> None:
        """Print both histories of a key beside each other, newest first."""
        table = _table("", *sides)
        rows = max(len(entries) for entries in sides.values())
        for number in range(rows):
            cells = [_cell(entries[number]) if number < len(entries) else Text("") for entries in sides.values()]
            table.add_row(Text("current" if number == 0 else "", style="bold"), *cells)
        self._print(table)

    def echoes(self, echoes: Echoes) -> None:
        """Print how many echoes there were, and what they cost."""
        self.say(
            f"Writing a replica causes an event, too: an echo. {echoes.filtered} were dropped by Lambda before they "
            "invoked a function, because each stack's filter names the functions of the other: `rules put` found them. "
            f"{echoes.heads} invoked a function, which needs one HEAD request to read the origin in the replica's "
            "metadata."
        )

    def next_steps(self, steps: Iterable[tuple[str, str]]) -> None:
        """Print commands to try, with what each is for."""
        table = Table(box=None, show_header=False, padding=(0, 2))
        for command, why in steps:
            table.add_row(Text(command, style="bold cyan"), Text(why, style="dim"))
        self._console.print(table)

    def _print(self, table: Table) -> None:
        self._console.print(Padding(table, (0, 2)))


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _short(text: str) -> str:
    """Cut off the end of long ids and digests."""
    return f"{text[:SHORT]}…" if len(text) > SHORT and " " not in text else text


def _cell(entry: Entry) -> Text:
    return Text.assemble(entry.what, (f"\n{entry.came}" if entry.came else "", "dim"))
