"""A verification as text: a table by destination, then each kind of difference with examples and what to do."""

from collections.abc import Mapping, Sequence

from replicator.core.verifying.differences import Difference, Kind
from replicator.core.verifying.totals import Totals

from s3replicator.output import Output
from s3replicator.verify.kinds import ADVICE, MEANING

COLUMNS = ("destination", "checked", "equal", "pending", "left out", "different")


def print_verification(
    bucket: str, totals: Mapping[str, Totals], notes: Sequence[str], output: Output, unproven: int = 0
) -> None:
    """Print what was found. unproven: entries that inventories cannot prove equal."""
    output.table(COLUMNS, [_row(name, each) for name, each in totals.items()])
    for name, each in totals.items():
        _print_destination(name, each, output)
    for note in notes:
        output.line(f"note: {note}", style="yellow")
    output.line(*_verdict(bucket, totals, unproven))


def _row(name: str, totals: Totals) -> tuple[str, ...]:
    numbers = (totals.checked, totals.equal, totals.pending, totals.left_out.total(), totals.differences.total())
    return (name, *(f"{number:,}" for number in numbers))


def _print_destination(name: str, totals: Totals, output: Output) -> None:
    for kind in totals.kinds:
        output.line("")
        output.line(f"{name}: {totals.differences[kind]:,} {kind}: {MEANING[kind]}", style="bold red")
        for example in totals.examples.get(kind, ()):
            output.line(f"  {_example(example)}")
        output.line(f"  to do: {ADVICE[kind]}")
    for kind in (each for each in Kind if totals.repaired[each]):
        output.line(f"{name}: {totals.repaired[kind]:,} {kind} repaired", style="green")
    if totals.left_out:
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in sorted(totals.left_out.items()))
        output.line(f"{name}: left out by rules or by S3: {reasons}")
    if totals.only_there:
        output.line(f"{name}: {totals.only_there:,} entries of keys that the source does not have stay there")


def _example(difference: Difference) -> str:
    version = f"  {difference.version_id}" if difference.version_id else ""
    return f"{difference.key}{version}  {difference.detail}"


def _verdict(bucket: str, totals: Mapping[str, Totals], unproven: int) -> tuple[str, str]:
    different = sum(each.differences.total() for each in totals.values())
    pending = sum(each.pending for each in totals.values())
    if different:
        return f"{bucket}: {different:,} differences", "bold red"
    if unproven:
        return (
            f"{bucket}: nothing differs as far as inventories show, which do not prove {unproven:,} entries",
            "yellow",
        )
    if pending:
        return f"{bucket}: nothing differs but what is on its way: {pending:,} pending; verify again", "yellow"
    return f"{bucket}: every destination has what the rules promise", "green"
