"""`s3replicator resync`: reads arguments, finds or creates the job, drives it, and shows how far it is."""

import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import typer
from replicator.aws.journal_index import JournalIndex

from s3replicator.addresses import bucket_and_optional_key
from s3replicator.formatting import count
from s3replicator.jobs.backfill_queue import Unsent
from s3replicator.jobs.batch_operations import PRIORITY, BatchOperations
from s3replicator.jobs.driving import Lost
from s3replicator.jobs.job import Engine, Job, State, new_id
from s3replicator.jobs.job_store import Stored
from s3replicator.jobs.progress import Progress, progress_of
from s3replicator.jobs.selection import FAILED, NEVER, Selection
from s3replicator.jobs.text_output import job_document
from s3replicator.jobs.tools import Tools, now, tools_of
from s3replicator.output import FINE, FOUND, Output, complain, fail, stop_on_failed_call
from s3replicator.resync.arguments import (
    check_engine,
    check_manifest,
    check_names,
    check_statuses,
    read_size,
    read_time,
)
from s3replicator.resync.batch_engine import BatchEngine
from s3replicator.resync.bucket_size import objects_in
from s3replicator.resync.choosing import AUTO, Unusable, choose, manifest_of
from s3replicator.resync.dry_run import forecast
from s3replicator.resync.queue_engine import Drive, QueueEngine, Show, failed_versions, run
from s3replicator.resync.selecting import Selector
from s3replicator.stack import JsonOption, ProfileOption, RegionOption, Stack, StackOption, open_stack

EPILOG = "Exit status 1: some versions failed, the command was interrupted, or AWS refused a request."
SERVICES = "the stack's control bucket, queues and journal"


BucketArgument = Annotated[str, typer.Argument(metavar="BUCKET", help="The source bucket.", show_default=False)]
PrefixOption = Annotated[str, typer.Option("--prefix", help="Only keys that begin with this.", show_default=False)]
SuffixOption = Annotated[str, typer.Option("--suffix", help="Only keys that end with this.", show_default=False)]
LargerOption = Annotated[
    str, typer.Option("--larger-than", help="Only objects larger than this: 512KiB.", show_default=False)
]
SmallerOption = Annotated[
    str, typer.Option("--smaller-than", help="Only objects smaller than this: 5GB.", show_default=False)
]
ClassOption = Annotated[
    list[str] | None, typer.Option("--class", help="Only this storage class. May be repeated.", show_default=False)
]
AfterOption = Annotated[
    str, typer.Option("--created-after", help="Only versions since then (ISO 8601).", show_default=False)
]
BeforeOption = Annotated[str, typer.Option("--created-before", help="Only older versions.", show_default=False)]
StatusOption = Annotated[
    list[str] | None,
    typer.Option(
        "--status",
        help="Only versions that were never replicated (never), that failed (failed), that destinations have "
        "(replicated), or also replicas of other buckets (replicas); or all. May be repeated. Default: never and "
        "failed.",
        show_default=False,
    ),
]
CurrentOption = Annotated[
    bool, typer.Option("--current-only", help="Only the newest version or delete marker of each key.")
]
RuleOption = Annotated[str, typer.Option("--rule", help="Only what the rule with this ID selects.", show_default=False)]
DestinationOption = Annotated[
    list[str] | None, typer.Option("--destination", help="Only to this bucket. May be repeated.", show_default=False)
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Count what would be sent and what it costs; send nothing.")
]
EngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        help="queue: this command lists and sends. batch: a job of S3 Batch Operations. auto: by the bucket's size.",
    ),
]
ManifestOption = Annotated[
    str,
    typer.Option(
        "--manifest", help="For batch: who lists, S3 (generator) or this command (listing).", show_default=False
    ),
]
InventoryOption = Annotated[
    str,
    typer.Option(
        "--inventory",
        help="For batch: the manifest.json of an S3 Inventory report in CSV, s3://...",
        show_default=False,
    ),
]
PriorityOption = Annotated[int, typer.Option("--priority", help="For batch: of the job, the higher the sooner.")]
DetachOption = Annotated[bool, typer.Option("--detach", help="End once all is sent, without waiting for it.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask before something is sent.")]


def resync(
    bucket: BucketArgument,
    prefix: PrefixOption = "",
    suffix: SuffixOption = "",
    larger_than: LargerOption = "",
    smaller_than: SmallerOption = "",
    storage_class: ClassOption = None,
    created_after: AfterOption = "",
    created_before: BeforeOption = "",
    status: StatusOption = None,
    current_only: CurrentOption = False,
    rule: RuleOption = "",
    destination: DestinationOption = None,
    engine: EngineOption = AUTO,
    manifest: ManifestOption = "",
    inventory: InventoryOption = "",
    priority: PriorityOption = PRIORITY,
    dry_run: DryRunOption = False,
    detach: DetachOption = False,
    yes: YesOption = False,
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replicate existing objects: what was there before the rules, what failed, and what a new destination lacks.

    Safe to interrupt at any point: the same command goes on. Live changes never wait behind it.
    """
    bucket = bucket_and_optional_key(bucket)[0] if bucket.startswith("s3://") else bucket
    with usage():
        sizes, times = (
            (read_size(larger_than), read_size(smaller_than)),
            (read_time(created_after), read_time(created_before)),
        )
        classes, statuses = (
            tuple(each.upper() for each in storage_class or ()),
            check_statuses(status or (NEVER, FAILED)),
        )
        to = tuple(sorted(destination or ()))
        selection = Selection(prefix, suffix, *sizes, classes, *times, statuses, current_only, rule, to)
        asked = Asked(check_engine(engine), check_manifest(manifest, inventory), priority)
    opened, output = open_stack(stack, region, profile), Output(as_json=as_json)
    command = _Command(opened, tools_of(opened), bucket, selection, output, asked)
    with output.stop_on_trouble(bucket, "", "cannot resync"), stop_on_failed_call(SERVICES):
        command.check()
        if dry_run:
            command.forecast()
            raise typer.Exit(FINE)
        job = command.run(detach=detach, asks=not yes and not as_json and sys.stdin.isatty() and sys.stdout.isatty())
    is_fine = detach or (job.state is State.COMPLETE and not job.totals.failed)
    raise typer.Exit(FINE if is_fine else FOUND)


@dataclass(frozen=True, slots=True)
class Asked:
    """How the versions are to be brought to the functions: see `choosing.py`."""

    engine: str
    manifest: str
    priority: int


@contextmanager
def usage() -> Iterator[None]:
    """End the command with exit status 2 if an argument cannot be meant."""
    try:
        yield
    except Unusable as trouble:
        fail(str(trouble))


class _Command:
    """One run of the command."""

    def __init__(
        self, stack: Stack, tools: Tools, bucket: str, selection: Selection, output: Output, asked: Asked
    ) -> None:
        self._stack = stack
        self._tools = tools
        self._bucket = bucket
        self._selection = selection
        self._output = output
        self._asked = asked
        self._index = JournalIndex(stack.client("dynamodb"), stack.output("JournalTable"), 0)

    def check(self) -> None:
        """End the command if the bucket has no rules, or a name is none of theirs. Raises Temporary or Permanent."""
        with usage():
            check_names(self._selection, self._tools.services.rules(self._bucket))

    def forecast(self) -> None:
        """Print what would be sent. Raises Temporary or Permanent."""
        selector = Selector(self._selection, failed_versions(self._bucket, self._selection, self._index))
        concurrency = int(self._stack.parameters.get("BackfillConcurrency") or 5)
        found = forecast(
            self._new_job(), self._tools, selector, region=self._stack.facts.region, concurrency=concurrency
        )
        found.print_to(self._output)
        self._output.document(found.document())

    def run(self, *, detach: bool, asks: bool) -> Job:
        """Drive the job, new or begun before, and print what came of it."""
        stored = self._find() or self._create(asks=asks)
        with self._output.live() as live:
            show = partial(_show, live)
            try:
                job = run(
                    stored, self._tools, self._drive(stored.job, show, detach=detach, asks=asks), show, detach=detach
                )
            except KeyboardInterrupt:
                again = "run the same command again to go on, or `s3replicator jobs cancel` to end it"
                complain(f"interrupted; job {stored.job.id} is kept: {again}")
                raise typer.Exit(FOUND) from None
            except Unsent as trouble:
                fail(f"{trouble}; run the same command again to go on")
            except Lost:
                fail(f"job {stored.job.id} was removed meanwhile")
        self._print(job)
        return job

    def _drive(self, job: Job, show: Show, *, detach: bool, asks: bool) -> Drive:
        queue = QueueEngine(self._tools, self._index, show)
        if job.engine is Engine.QUEUE:
            return partial(queue.drive, detach=detach)
        confirm = self._confirm if asks else None
        operations = BatchOperations(self._stack)
        batch = BatchEngine(self._tools, operations, queue.note, show, confirm, self._asked.priority)
        return partial(batch.drive, detach=detach)

    def _confirm(self, tasks: int) -> bool:
        return typer.confirm(f"the manifest has {count(tasks)} tasks; run them?")

    def _find(self) -> Stored | None:
        """Return the job that was asked for in the same words and has not ended."""
        for job in self._tools.store.jobs():
            if job.is_same(self._bucket, self._selection) and not job.state.is_final:
                found = self._tools.store.read(job.id)
                self._output.line(f"going on with job {job.id}")
                return found
        return None

    def _create(self, *, asks: bool) -> Stored:
        job = self._new_job()
        self._output.line(f"job {job.id}: existing objects of {self._bucket}, selected: {self._selection}")
        self._output.line(f"engine {job.engine}: {self._why}")
        if asks and job.engine is Engine.QUEUE and not typer.confirm("send them to the functions?"):
            raise typer.Exit(FOUND)
        return self._tools.store.create(job)

    def _new_job(self) -> Job:
        created, asked = now(), self._asked
        engine, self._why = choose(asked.engine, asked.manifest, self._selection, self._objects())
        with usage():
            manifest = manifest_of(engine, asked.manifest, self._selection)
        job_id = new_id(created, secrets.token_hex(3))
        return Job(job_id, self._bucket, engine, self._selection, created=created, manifest=manifest)

    def _objects(self) -> int | None:
        """Return how many objects the bucket has, if the choice of the engine depends on it."""
        if self._asked.engine != AUTO or self._asked.manifest:
            return None
        return objects_in(self._bucket, self._stack.client("cloudwatch"))

    def _print(self, job: Job) -> None:
        progress = progress_of(job, now())
        self._output.document(job_document(job, progress, now()))
        self._output.line(f"job {job.id}: {job.state}, {progress}")
        if job.totals.failed:
            self._output.line(f"why: s3replicator jobs report {job.id} --failed", style="yellow")


def _show(live: Callable[[str, int, int], None], progress: Progress) -> None:
    live(str(progress), progress.done, progress.total)
