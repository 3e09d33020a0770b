"""`s3replicator verify`: reads arguments, verifies, repairs if that is asked for, prints and writes what was found."""

import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from replicator.aws.control_documents import ControlDocuments, CoverageProofs
from replicator.core.outcomes.outcome import Permanent, Temporary
from replicator.core.rules.matching import RuleSet
from replicator.core.verifying.differences import Difference
from replicator.core.verifying.run_state import Scope, digest_of
from replicator.flows.change.replicate import Services
from replicator.flows.verify.proof import checked_of, note_verification

from s3replicator.addresses import bucket_name
from s3replicator.failed_calls import CallFailed
from s3replicator.operator_services import operator_listing, operator_services
from s3replicator.output import FINE, FOUND, Output, complain, fail, stop_on_failed_call
from s3replicator.stack import JsonOption, ProfileOption, RegionOption, Stack, StackOption, open_stack
from s3replicator.verify.csv_output import CsvFile
from s3replicator.verify.html_page import MOST_ROWS, Verified, html_page
from s3replicator.verify.inventory.command import (
    AthenaOption,
    InventoryOption,
    OnlyInventoryOption,
    check_options,
    verify_inventories,
)
from s3replicator.verify.inventory.comparison import InventoryVerification
from s3replicator.verify.inventory.database import Engine
from s3replicator.verify.inventory.questions import Table
from s3replicator.verify.json_output import verification_document
from s3replicator.verify.mending import Repair
from s3replicator.verify.spool import Spool
from s3replicator.verify.state_files import StateFiles
from s3replicator.verify.text_output import print_verification
from s3replicator.verify.traffic import StackTraffic
from s3replicator.verify.verification import Runner, Verification

EPILOG = (
    "Exit status 1: something differs, or could not be read. Interrupted, the same command goes on where it was, on "
    "any machine. What is on its way is pending, and no difference."
)
INTERRUPTED = 130

CsvOption = Annotated[
    Path | None, typer.Option("--csv", metavar="FILE", help="Write all differences.", show_default=False)
]
HtmlOption = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write a page for the browser.", show_default=False)
]
AnyVerification = Verification | InventoryVerification


@dataclass(frozen=True, slots=True)
class Files:
    """Files to write, if any."""

    csv: Path | None
    html: Path | None


def verify(
    bucket: Annotated[str, typer.Argument(metavar="BUCKET", help="A source bucket.", show_default=False)],
    deep: Annotated[
        bool,
        typer.Option(
            "--deep",
            help="Examine every version, with tags, ACL, lock and annotations; not only what listings leave open.",
        ),
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Have the stack mend what differs, then verify that again.")
    ] = False,
    destination: Annotated[
        list[str] | None,
        typer.Option("--destination", help="Only this destination bucket. May be repeated.", show_default=False),
    ] = None,
    prefix: Annotated[str, typer.Option("--prefix", help="Only keys with this prefix.", show_default=False)] = "",
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, help="Parts of the key space that are listed side by side.")
    ] = 8,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin anew instead of going on where an earlier run ended.")
    ] = False,
    inventory: InventoryOption = None,
    only_inventory: OnlyInventoryOption = False,
    athena: AthenaOption = "",
    csv_file: CsvOption = None,
    html_file: HtmlOption = None,
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prove that each destination has what the rules promise, or name what differs. Only --repair changes anything."""
    name = bucket_name(bucket)
    check_options(inventory or (), athena, only=only_inventory, deep=deep, repair=repair)
    opened, output = open_stack(stack, region, profile), Output(as_json=as_json)
    services = operator_services(opened, checks_sight=True)  # or else nothing would be proven
    with output.stop_on_trouble(name, "", f"cannot verify {name}"):
        rules = services.rules(name)
    scope = _scope(rules, destination or (), prefix, deep=deep)
    traffic = StackTraffic(opened)
    files = Files(csv_file, html_file)
    with _written(files.csv) as sheet, output.live() as live:
        runner = _runner(lambda text: live(f"verifying {name}: {text}", 0, 0), workers)
        parts = _Parts(scope, rules, services, traffic, runner)
        if inventory:
            begin = partial(_from_inventories, parts, only=only_inventory)
            found: AnyVerification = verify_inventories(inventory, athena, opened, begin, output)
        else:
            found = _from_listings(parts, opened)
            _run(found, output, restart=restart)
        notes = _note_proof(opened, found)
        left = _repair(found, traffic, runner, sheet) if repair else _report(found.spool, sheet)
    if repair:
        notes = _note_proof(opened, found)
    _print(found, left, [*_notes(opened, traffic, name), *notes], files, output)
    is_open = found.unproven or any(each.differences.total() for each in found.totals.values())
    raise typer.Exit(FOUND if is_open else FINE)


class _Parts(NamedTuple):
    """What every verification needs."""

    scope: Scope
    rules: RuleSet
    services: Services
    traffic: StackTraffic
    runner: Runner


def _from_listings(parts: _Parts, opened: Stack) -> Verification:
    scope, rules, services, traffic, runner = parts
    states = StateFiles(opened.client("s3"), opened.facts.control_bucket, rules.bucket)
    return Verification(scope, rules, operator_listing(opened), services, traffic, states, runner)


def _from_inventories(
    parts: _Parts, engine: Engine, tables: Mapping[str, Table], *, only: bool
) -> InventoryVerification:
    scope, rules, services, traffic, runner = parts
    return InventoryVerification(scope, rules, engine, tables, services, traffic, runner, only=only)


def _scope(rules: RuleSet, names: Sequence[str], prefix: str, *, deep: bool) -> Scope:
    """Return what is verified. Ends the command if the rules name nothing of it."""
    there = {rule.destination.bucket for rule in rules.rules if rule.enabled}
    if not there:
        fail(f"{rules.bucket} has no enabled rule; see s3replicator rules get {rules.bucket}")
    destinations = tuple(sorted({bucket_name(each) for each in names}))
    if unknown := [each for each in destinations if each not in there]:
        fail(
            f"no enabled rule of {rules.bucket} has the destination {unknown[0]}; there are {', '.join(sorted(there))}"
        )
    return Scope(deep, prefix, destinations, digest_of(rules))


def _runner(show: Callable[[str], None], workers: int) -> Runner:
    return Runner(
        owner=f"{os.environ.get('USER') or 'somebody'}@{socket.gethostname()}, process {os.getpid()}",
        run=uuid.uuid4().hex[:12],
        now=lambda: time.time_ns() // 1_000_000,
        wait=lambda milliseconds: time.sleep(milliseconds / 1000),
        say=complain,
        show=lambda progress: show(str(progress)),
        is_over=_is_over,
        workers=workers,
    )


def _is_over(owner: str) -> bool:
    """Return whether an owner's process has run on this machine, and does not any more."""
    who, _, process = owner.rpartition(", process ")
    if not process.isdigit() or who.rpartition("@")[2] != socket.gethostname():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return int(process) == os.getpid()


def _run(found: Verification, output: Output, *, restart: bool) -> None:
    early = "the verification ended early; run it again to go on"
    try:
        with output.stop_on_trouble(found.rules.bucket, "", early), stop_on_failed_call("the stack", early):
            found.run(restart=restart)
    except KeyboardInterrupt:
        complain("interrupted; run the same command again to go on where it was")
        raise typer.Exit(INTERRUPTED) from None


def _repair(found: AnyVerification, traffic: StackTraffic, runner: Runner, sheet: CsvFile | None) -> list[Difference]:
    """Repair what differs, and return the first of what still does."""
    left = list[Difference]()

    def report(difference: Difference, mended: bool) -> None:  # noqa: FBT001
        if sheet:
            sheet.add(difference, "repaired" if mended else "different")
        if not mended and len(left) < MOST_ROWS:
            left.append(difference)

    try:
        with stop_on_failed_call("the stack's queues", "the repair ended early; run it again"):
            Repair(found.verifier, traffic, runner, report).run(found.spool)
    except KeyboardInterrupt:
        complain("interrupted; what was sent is mended all the same: verify again")
        raise typer.Exit(INTERRUPTED) from None
    return left


def _report(spool: Spool, sheet: CsvFile | None) -> list[Difference]:
    """Write all differences, and return the first of them."""
    if sheet:
        for each in spool:
            sheet.add(each, "different")
    return list(islice(spool, MOST_ROWS))


@contextmanager
def _written(path: Path | None) -> Iterator[CsvFile | None]:
    """Open a file for differences, if one is wanted. Ends the command if it cannot be written."""
    if path is None:
        yield None
        return
    try:
        file = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        fail(f"cannot write {path}: {error.strerror}")
    with file:
        yield CsvFile(file)


def _notes(opened: Stack, traffic: StackTraffic, bucket: str) -> list[str]:
    try:
        if not traffic.hears_of(bucket):
            return [
                f"{bucket} sends no events to stack {opened.facts.name}, so nothing new is replicated; "
                f"see s3replicator rules check {bucket}"
            ]
    except CallFailed as failed:
        return [f"not known whether {bucket} sends its events: {failed.call.advice(bucket)}"]
    return []


def _note_proof(opened: Stack, found: AnyVerification) -> list[str]:
    """Note what a listing of all keys found, for `failover check`. Return what people should know of that."""
    if isinstance(found, InventoryVerification) or found.scope.prefix:
        return []
    bucket, begun = found.rules.bucket, found.state.begun
    records = CoverageProofs(ControlDocuments(opened.client("s3"), opened.facts.control_bucket))
    created = opened.parameters.get("CreateSourceBucket", ""), opened.facts.default_destination
    checked = {name: checked_of(totals, begun) for name, totals in found.totals.items()}
    try:
        noted = note_verification(records, bucket, checked, created)
    except (Temporary, Permanent) as trouble:
        return [f"not noted for failover check: {trouble}"]
    return [
        f"not noted for failover check: {name} has no record since when its rules are in force; "
        f"put the rules of {bucket} once more with s3replicator rules put, then verify again"
        for name in checked
        if name not in noted
    ]


def _print(
    found: AnyVerification, left: Sequence[Difference], notes: Sequence[str], files: Files, output: Output
) -> None:
    totals, bucket, unproven = found.totals, found.rules.bucket, found.unproven
    document = verification_document(bucket, found.scope, totals, notes, unproven)
    if isinstance(found, InventoryVerification):
        document["inventories"] = found.document()
        notes = [*notes, *found.notes()]
        document["notes"] = notes
    output.document(document)
    print_verification(bucket, totals, notes, output, unproven)
    if files.csv:
        output.line(f"all differences are in {files.csv}")
    if files.html:
        by_inventory = isinstance(found, InventoryVerification)
        now = int(time.time())
        page = html_page(Verified(bucket, found.scope.deep, totals, notes, left, now, unproven, by_inventory))
        try:
            files.html.write_text(page, encoding="utf-8")
        except (OSError, ValueError) as error:
            fail(f"cannot write {files.html}: {getattr(error, 'strerror', None) or error}")
        output.line(f"the page is in {files.html}")
