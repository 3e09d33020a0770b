"""The answer for people: one coloured line for each direction, its figures, its reasons, and the keys."""

from collections.abc import Iterator, Sequence

from replicator.core.outcomes.gate import GateState
from replicator.core.outcomes.recovery import Figures

from s3replicator.failover.answer import Verdict
from s3replicator.failover.check import Direction
from s3replicator.failover.lost_keys import LostKeys
from s3replicator.formatting import NONE, count, duration, plural, size, utc_second
from s3replicator.output import Output

STYLES = {Verdict.SAFE: "bold green", Verdict.LOSES: "bold red", Verdict.UNKNOWN: "bold yellow"}
SHOWN_KEYS = 20

TAKES = {GateState.OPEN: "all changes", GateState.OPENING: "some changes", GateState.SHUT: "no changes"}


def print_answer(directions: Sequence[Direction], now: int, output: Output) -> None:
    """Print every direction. now: epoch seconds."""
    for number, found in enumerate(directions):
        if number:
            output.line("")
        _print(found, now, output)


def _print(found: Direction, now: int, output: Output) -> None:
    arrow = output.sign("\u2192", "->")
    where = f" ({found.region})" if found.region else ""
    verdict = found.answer.verdict
    output.line(f"{verdict}  {found.source} {arrow} {found.destination}{where}", STYLES[verdict])
    for reason in found.answer.why:
        output.line(f"  {reason}")
    for reason in found.answer.waived:
        output.line(f"  accepted: {reason}")
    if found.figures:
        _print_figures(found.figures, now, output)
    if found.keys is not None and found.keys.keys:
        _print_keys(found.keys, output)
    for note in found.notes:
        output.line(f"  {note}")


def _print_figures(figures: Figures, now: int, output: Output) -> None:
    for name, value, more in _rows(figures, now):
        output.line(f"  {name:<18}{value:<25}{more}".rstrip())


def _rows(figures: Figures, now: int) -> Iterator[tuple[str, str, str]]:
    missing = figures.missing
    point = figures.recovery_point
    yield "recovery point", *((_utc(point), f"{duration(now - point)} ago") if point else (NONE, "unknown"))
    yield "monitor looked", _utc(figures.looked), f"{duration(max(0, now - figures.looked))} ago"
    yield "waiting", count(missing.operations), size(missing.bytes)
    yield "failed", count(missing.failed), ""
    if missing.oldest:
        oldest = missing.oldest // 1000
        yield "oldest of these", _utc(oldest), f"{duration(now - oldest)} ago"
    if missing.parked:
        yield "parked", count(missing.parked), ""
    yield "destination takes", TAKES[missing.gate], ""


def _print_keys(lost: LostKeys, output: Output) -> None:
    """Print one line for each key: a table would cut long ones."""
    shown = lost.keys[:SHOWN_KEYS]
    output.line("  missing, oldest first:")
    for each in shown:
        why = f"{each.status} {each.reason}".rstrip()
        output.line(f"    {_utc(each.written // 1000)}  {why}  {each.key}  (version {each.version_id})")
    more = len(lost.keys) - len(shown)
    if more or not lost.complete:
        at_least = "" if lost.complete else "at least "
        output.line(f"    and {at_least}{plural(more, 'more version')}; --json lists up to 1,000")


def _utc(seconds: int) -> str:
    return f"{utc_second(seconds)} UTC"
