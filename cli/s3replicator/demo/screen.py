"""How the demo looks: headings, tables and panels. Reads nothing and decides nothing."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from s3replicator.demo.comparison import Row
from s3replicator.demo.objects import Failure, Fate
from s3replicator.demo.two_way import Echoes, Entry

SHORT = 20
COLOURS = {"COMPLETED": "green", "SKIPPED": "yellow", "FAILED": "bold red", "PENDING": "magenta"}


class Pages:
    """Writes to one console."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def title(self, text: str, below: str) -> None:
        """Begin."""
        self._console.print()
        self._console.print(Text(text, style="bold"))
        self._console.print(Text(below, style="dim"))

    def heading(self, number: int, text: str) -> None:
        """Begin a part."""
        self._console.print()
        self._console.rule(Text.assemble((f" {number} ", "bold black on cyan"), (f" {text} ", "bold")), align="left")
        self._console.print()

    def say(self, text: str, style: str = "") -> None:
        """Write a paragraph."""
        self._console.print(Padding(Text(text, style=style), (0, 2)))

    def done(self, text: str, seconds: float) -> None:
        """Tick off a step of the start."""
        self._console.print(Text.assemble(("  ✓ ", "green"), text, (f"  {seconds:.1f} s", "dim")))

    def command(self, *words: str) -> None:
        """Show a command before it runs."""
        self._console.print(Text.assemble(("  $ ", "dim"), (" ".join(words), "bold cyan")))

    def output(self, text: str) -> None:
        """Show what a command printed."""
        self._console.print(Padding(Text(text.rstrip()), (0, 4)))

    def rules(self, document: Mapping[str, Any]) -> None:
        """Show what rules say, a line each."""
        for rule in document["Rules"]:
            where = rule["Filter"].get("And", rule["Filter"])
            tags = "".join(f" and tag {tag['Key']}={tag['Value']}" for tag in where.get("Tags", []))
            target = rule["Destination"]["Bucket"].rpartition(":")[2]
            colder = f", as {rule['Destination']['StorageClass']}" if "StorageClass" in rule["Destination"] else ""
            prefix = f"keys under {where['Prefix']}" if where["Prefix"] else "every key"
            self._console.print(
                Padding(Text.assemble((rule["ID"], "bold"), f": {prefix}{tags} to ", (target, "bold"), colder), (0, 4))
            )

    def fates(self, fates: Iterable[Fate]) -> None:
        """Show what became of each object."""
        table = _table("object")
        table.add_column("status", no_wrap=True)
        table.add_column("latency", no_wrap=True, justify="right")
        table.add_column("reason, or replicas", no_wrap=True)
        for fate in fates:
            colour = COLOURS.get(fate.status, "")
            latency = f"{fate.latency_ms} ms" if fate.latency_ms is not None else ""
            replicas = f"{fate.replicas} replica{'s' if fate.replicas > 1 else ''}" if fate.replicas else ""
            table.add_row(
                Text.assemble((fate.telling.key, "bold"), "\n", (fate.telling.what, "dim")),
                Text(fate.status, style=colour),
                Text(latency),
                Text(fate.reason or replicas, style=colour if fate.reason else ""),
            )
        self._print(table)

    def comparison(self, rows: Sequence[Row], source: str, replica: str) -> None:
        """Show a replica beside its source."""
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
        """Show where a failure lies and what it says."""
        table = Table(
            box=box.ROUNDED, show_header=False, border_style="red", title="a message in the dead-letter queue"
        )
        for name, value in sorted(failure.attributes.items()):
            table.add_row(Text(name, style="bold"), Text(value, style="red" if name == "Reason" else ""))
        entity = failure.record["s3"]["object"]
        table.add_row(
            Text("body", style="bold"),
            Text(
                f"S3's own event, {failure.record['eventName']} of {entity['key']}, ready to be put back", style="dim"
            ),
        )
        self._print(table)

    def histories(self, sides: Mapping[str, Sequence[Entry]]) -> None:
        """Show both histories of a key beside each other, newest first."""
        table = _table("", *sides)
        rows = max(len(entries) for entries in sides.values())
        for number in range(rows):
            cells = [_cell(entries[number]) if number < len(entries) else Text("") for entries in sides.values()]
            table.add_row(Text("current" if number == 0 else "", style="bold"), *cells)
        self._print(table)

    def echoes(self, echoes: Echoes) -> None:
        """Show what the echoes came to."""
        self.say(
            f"Each replica makes an event of its own, an echo. {echoes.dropped} came, and all of them ended there: "
            f"{echoes.dropped - echoes.heads} without any request, since replicator-west was told the names of its "
            f"peer's functions (PeerPrincipals); {echoes.heads} at the price of one HEAD, since replicator-east was "
            "not, and read the mark that a replica carries."
        )

    def next_steps(self, steps: Iterable[tuple[str, str]]) -> None:
        """Show commands to try, with what each is for."""
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
    """Leave out the end of what nobody reads to its end: ids and digests."""
    return f"{text[:SHORT]}…" if len(text) > SHORT and " " not in text else text


def _cell(entry: Entry) -> Text:
    return Text.assemble(entry.what, (f"\n{entry.came}" if entry.came else "", "dim"))
