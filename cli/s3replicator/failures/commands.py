"""`s3replicator failures list|redrive`: reads arguments, scans the dead-letter queue, prints the result."""

import time
from collections.abc import Sequence
from difflib import get_close_matches
from functools import partial
from typing import Annotated, NoReturn

import typer
from replicator.core.outcomes.outcome import Reason

from s3replicator.failures import redrive as redriving
from s3replicator.failures.failed_messages import FailedMessage, Group, Selection, group
from s3replicator.failures.json_output import list_document, redrive_document
from s3replicator.failures.queue_scan import QueueScan
from s3replicator.failures.sqs_dead_letter_queue import SqsDeadLetterQueue
from s3replicator.formatting import plural
from s3replicator.output import FINE, FOUND, Output, fail, stop_on_failed_call
from s3replicator.several import StacksFileOption, StacksOption, choose, for_stacks
from s3replicator.stack import JsonOption, ProfileOption, RegionOption, Stack, StackOption, open_stack

app = typer.Typer(no_args_is_help=True, help="List failed changes with their reasons, and redrive them.")
QUEUES = "the queues of the stack"

ReasonOption = Annotated[str, typer.Option("--reason", help="Only failures with this reason code.", show_default=False)]
RuleOption = Annotated[str, typer.Option("--rule", help="Only failures of the rule with this ID.", show_default=False)]
KeyPrefixOption = Annotated[
    str, typer.Option("--key-prefix", help="Only objects whose key starts with this.", show_default=False)
]


@app.command("list", epilog="Exit status 1: there are failures, or AWS refused a request.")
def list_failures(
    reason: ReasonOption = "",
    rule: RuleOption = "",
    key_prefix: KeyPrefixOption = "",
    stack: StacksOption = None,
    stacks: StacksFileOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List failures by reason, with examples and what to do about each. Changes nothing."""
    selection = Selection(_reason(reason), rule, key_prefix)
    for_stacks(choose(stack, stacks, region, profile), Output(as_json=as_json), partial(_list, selection))


def _list(selection: Selection, opened: Stack, output: Output) -> bool:
    scan = _scan(opened)
    with stop_on_failed_call(QUEUES):
        groups = group(redriving.list_failures(selection, scan))
    _print_groups(groups, output)
    _print_elsewhere(scan, output)
    output.document(list_document(groups, scan.elsewhere))
    return not groups and not scan.elsewhere


@app.command(epilog="Exit status 1: some failures could not be sent, or AWS refused a request.")
def redrive(
    reason: ReasonOption = "",
    rule: RuleOption = "",
    key_prefix: KeyPrefixOption = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent, and send nothing.")] = False,
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send failures to the change queue again. Safe to interrupt at any point and to run again."""
    selection, output = Selection(_reason(reason), rule, key_prefix), Output(as_json=as_json)
    scan = _scan(open_stack(stack, region, profile))
    if dry_run:
        _dry_run(selection, scan, output)
    with stop_on_failed_call(QUEUES), output.progress("redriving failures", scan.queue.depth().all) as advance:
        result = redriving.redrive(selection, scan, lambda so_far: advance(so_far.seen))
    document = redrive_document(result.sent, scan.elsewhere, dry_run=False)
    output.document({**document, "left": result.left, "refused": result.refused})
    total = len(result.sent) + result.left + result.refused
    output.line(f"sent {len(result.sent)} of {plural(total, 'failure')} to the change queue again")
    if result.refused:
        output.line(f"SQS refused {plural(result.refused, 'message')}; run the command again", style="yellow")
    _print_elsewhere(scan, output)
    raise typer.Exit(FOUND if result.refused or scan.elsewhere else FINE)


def _dry_run(selection: Selection, scan: QueueScan, output: Output) -> NoReturn:
    with stop_on_failed_call(QUEUES):
        messages = list(redriving.list_failures(selection, scan))
    _print_groups(group(messages), output)
    output.line(f"a redrive would send {plural(len(messages), 'failure')} to the change queue again; nothing was sent")
    output.document({**redrive_document(messages, scan.elsewhere, dry_run=True), "dry_run": True})
    raise typer.Exit(FINE)


def _scan(stack: Stack) -> QueueScan:
    queue = SqsDeadLetterQueue(stack.client("sqs"), stack.output("DeadLetterQueue"), stack.facts.change_queue_url)
    return QueueScan(queue, time.monotonic)


def _reason(text: str) -> str:
    """Return a reason code as it is written, whatever the case it was given in."""
    known = {str(reason).lower(): str(reason) for reason in Reason}
    if text and text.lower() not in known:
        near = get_close_matches(text.lower(), known, 1)
        hint = f"; did you mean {known[near[0]]}?" if near else ";"
        fail(f"there is no reason code '{text}'{hint} `s3replicator failures list` shows the codes of your failures")
    return known.get(text.lower(), "")


def _print_groups(groups: Sequence[Group], output: Output) -> None:
    if not groups:
        output.line("no failures", style="green")
    for each in groups:
        output.line(f"{each.reason}: {each.count}", style="bold")
        output.line(f"  {each.advice}")
        for message in each.examples:
            output.line(f"  {_in_words(message)}")
        if each.count > len(each.examples):
            output.line(f"  and {each.count - len(each.examples)} more")
        output.line("")


def _in_words(message: FailedMessage) -> str:
    what = ", ".join(message.subjects) or f"message {message.id}"
    where = f" -> {message.destination}" if message.destination else ""
    facts = [
        f"rule {message.rule_id}" if message.rule_id else "",
        f"first seen {message.first_seen[:19]}" if message.first_seen else "",
        f"{message.attempts} attempts" if message.attempts > 1 else "",
        message.detail,
    ]
    return f"{what}{where}  ({', '.join(filter(None, facts))})"


def _print_elsewhere(scan: QueueScan, output: Output) -> None:
    if scan.elsewhere:
        text = f"about {scan.elsewhere} more are held by another reader; run the command again in a moment"
        output.line(text, style="yellow")
