"""`s3replicator failures`: what failed for good and why, and sending it through the pipeline again.

Reads arguments and prints; what the commands do is the flow `failures`.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Annotated, Any, NoReturn

import typer
from replicator.core.outcomes.outcome import Reason
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from s3replicator.failures.failed_messages import FailedMessage, Group, Selection, group
from s3replicator.failures.redrive import Redrive, Sweep, look
from s3replicator.failures.redrive import redrive as redrive_letters
from s3replicator.failures.sqs_dead_letter_queue import SqsDeadLetterQueue
from s3replicator.findings import CallFailed
from s3replicator.output import FINE, FOUND, Output, fail
from s3replicator.stack import JsonOption, ProfileOption, RegionOption, Stack, StackOption, open_stack

app = typer.Typer(no_args_is_help=True, help="What failed for good, why, and trying it again.")

ReasonOption = Annotated[str, typer.Option("--reason", help="Only failures of this reason code.", show_default=False)]
RuleOption = Annotated[str, typer.Option("--rule", help="Only failures of the rule with this id.", show_default=False)]
KeyPrefixOption = Annotated[
    str, typer.Option("--key-prefix", help="Only keys that begin with this.", show_default=False)
]


@app.command("list")
def list_failures(
    reason: ReasonOption = "",
    rule: RuleOption = "",
    key_prefix: KeyPrefixOption = "",
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Group the failures by reason, with examples and what to do about each. Takes nothing away."""
    selection, output = Selection(_reason(reason), rule, key_prefix), Output(as_json=as_json)
    sweep = _sweep(open_stack(stack, region, profile))
    with _calls():
        groups = group(look(selection, sweep))
    _print_groups(groups, output)
    _print_elsewhere(sweep, output)
    output.document({"total": _total(groups), "elsewhere": sweep.elsewhere, "reasons": list(map(_as_document, groups))})
    raise typer.Exit(FOUND if groups or sweep.elsewhere else FINE)


@app.command()
def redrive(
    reason: ReasonOption = "",
    rule: RuleOption = "",
    key_prefix: KeyPrefixOption = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send failures through the pipeline again. May be interrupted at any point, and run again."""
    selection, output = Selection(_reason(reason), rule, key_prefix), Output(as_json=as_json)
    sweep = _sweep(open_stack(stack, region, profile))
    if dry_run:
        _dry_run(selection, sweep, output)
    with _calls(), _progress(sweep, output) as progress:
        done = redrive_letters(selection, sweep, progress)
    output.document(_result(done.sent, sweep, left=done.left, refused=done.refused))
    output.line(f"{len(done.sent)} of {len(done.sent) + done.left + done.refused} failures are on their way again")
    if done.refused:
        output.line(f"SQS refused {done.refused}; run the command again", style="yellow")
    _print_elsewhere(sweep, output)
    raise typer.Exit(FOUND if done.refused or sweep.elsewhere else FINE)


def _dry_run(selection: Selection, sweep: Sweep, output: Output) -> NoReturn:
    with _calls():
        letters = list(look(selection, sweep))
    _print_groups(group(letters), output)
    output.line(f"{len(letters)} failures would be sent through the pipeline again; nothing was done")
    output.document(_result(letters, sweep, dry_run=True))
    raise typer.Exit(FINE)


def _sweep(stack: Stack) -> Sweep:
    dead = stack.outputs.get("DeadLetterQueue")
    if not dead:
        fail(f"stack {stack.facts.name} has no output DeadLetterQueue: deploy it again")
    return Sweep(SqsDeadLetterQueue(stack.client("sqs"), dead, stack.facts.change_queue_url), time.monotonic)


def _reason(text: str) -> str:
    """Return a reason code as it is written, whatever the case it was given in."""
    known = {str(reason).lower(): str(reason) for reason in Reason}
    if text and text.lower() not in known:
        near = get_close_matches(text.lower(), known, 1)
        hint = f"; did you mean {known[near[0]]}?" if near else ""
        fail(f"there is no reason code {text!r}{hint} `s3replicator failures list` shows those that there are")
    return known.get(text.lower(), "")


@contextmanager
def _calls() -> Iterator[None]:
    """End the command with what to do when AWS does not do what is asked."""
    try:
        yield
    except CallFailed as failed:
        typer.echo(f"s3replicator: {failed.obstacle.advice('the queues of the stack')}", err=True)
        raise typer.Exit(FOUND) from None


@contextmanager
def _progress(sweep: Sweep, output: Output) -> Iterator[Any]:
    console = Console(stderr=True, quiet=output.as_json)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("sending failures again", total=sweep.box.depth().all)

        def show(done: Redrive) -> None:
            progress.update(bar, completed=done.seen)

        yield show


def _print_groups(groups: Sequence[Group], output: Output) -> None:
    if not groups:
        output.line("no failures", style="green")
    for each in groups:
        output.line(f"{each.reason}: {each.count}", style="bold")
        output.line(f"  {each.advice}")
        for letter in each.examples:
            output.line(f"  {_in_words(letter)}")
        if each.count > len(each.examples):
            output.line(f"  and {each.count - len(each.examples)} more")
        output.line("")


def _in_words(letter: FailedMessage) -> str:
    what = ", ".join(letter.objects) or f"message {letter.id}"
    where = f" -> {letter.destination}" if letter.destination else ""
    facts = [
        f"rule {letter.rule_id}" if letter.rule_id else "",
        f"first seen {letter.first_seen[:19]}" if letter.first_seen else "",
        f"{letter.attempts} attempts" if letter.attempts > 1 else "",
        letter.detail,
    ]
    return f"{what}{where}  ({', '.join(filter(None, facts))})"


def _print_elsewhere(sweep: Sweep, output: Output) -> None:
    if sweep.elsewhere:
        text = f"about {sweep.elsewhere} more are being looked at by somebody else; run the command again in a moment"
        output.line(text, style="yellow")


def _total(groups: Sequence[Group]) -> int:
    return sum(each.count for each in groups)


def _result(letters: Sequence[FailedMessage], sweep: Sweep, **others: Any) -> dict[str, Any]:
    counts = {each.reason: each.count for each in group(letters)}
    return {"redriven": 0 if others.get("dry_run") else len(letters), "selected": len(letters), "reasons": counts,
            "elsewhere": sweep.elsewhere, **others}  # fmt: skip


def _as_document(each: Group) -> dict[str, Any]:
    return {
        "reason": each.reason,
        "count": each.count,
        "advice": each.advice,
        "rules": sorted(each.rules),
        "destinations": sorted(each.destinations),
        "examples": [
            {
                "objects": letter.objects,
                "versions": [change.version_id for change in letter.changes],
                "destination": letter.destination,
                "rule": letter.rule_id,
                "first_seen": letter.first_seen,
                "attempts": letter.attempts,
                "detail": letter.detail,
            }
            for letter in each.examples
        ],
    }
