"""`s3replicator resync`: reads arguments, finds or creates the job, drives it, and shows how far it is."""

import secrets
import sys
from typing import Annotated

import typer
from replicator.aws.journal_index import JournalIndex

from s3replicator.addresses import bucket_and_optional_key
from s3replicator.jobs.backfill_queue import Unsent
from s3replicator.jobs.driving import Lost
from s3replicator.jobs.job import Engine, Job, State, new_id
from s3replicator.jobs.job_store import Stored
from s3replicator.jobs.progress import Progress, progress_of
from s3replicator.jobs.selection import FAILED, NEVER, Selection
from s3replicator.jobs.text_output import job_document
from s3replicator.jobs.tools import Tools, now, tools_of
from s3replicator.output import FINE, FOUND, Output, complain, fail, stop_on_failed_call
from s3replicator.resync.arguments import Unusable, check_names, check_statuses, read_size, read_time
from s3replicator.resync.dry_run import forecast
from s3replicator.resync.queue_engine import QueueEngine, failed_versions
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
    bucket, _ = bucket_and_optional_key(bucket) if bucket.startswith("s3://") else (bucket, "")
    try:
        selection = Selection(
            prefix,
            suffix,
            read_size(larger_than),
            read_size(smaller_than),
            tuple(each.upper() for each in storage_class or ()),
            read_time(created_after),
            read_time(created_before),
            check_statuses(status or (NEVER, FAILED)),
            current_only,
            rule,
            tuple(sorted(destination or ())),
        )
    except Unusable as trouble:
        fail(str(trouble))
    opened, output = open_stack(stack, region, profile), Output(as_json=as_json)
    command = _Command(opened, tools_of(opened), bucket, selection, output)
    with output.stop_on_trouble(bucket, "", "cannot resync"), stop_on_failed_call(SERVICES):
        command.check()
        if dry_run:
            command.forecast()
            raise typer.Exit(FINE)
        job = command.run(detach=detach, asks=not yes and not as_json and sys.stdin.isatty() and sys.stdout.isatty())
    is_fine = detach or (job.state is State.COMPLETE and not job.totals.failed)
    raise typer.Exit(FINE if is_fine else FOUND)


class _Command:
    """One run of the command."""

    def __init__(self, stack: Stack, tools: Tools, bucket: str, selection: Selection, output: Output) -> None:
        self._stack = stack
        self._tools = tools
        self._bucket = bucket
        self._selection = selection
        self._output = output
        self._index = JournalIndex(stack.client("dynamodb"), stack.output("JournalTable"), 0)

    def check(self) -> None:
        """End the command if the bucket has no rules, or a name is none of theirs. Raises Temporary or Permanent."""
        try:
            check_names(self._selection, self._tools.services.rules(self._bucket))
        except Unusable as trouble:
            fail(str(trouble))

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
            engine = QueueEngine(self._tools, self._index, lambda progress: _show(progress, live))
            try:
                job = engine.run(stored, detach=detach)
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
        if asks and not typer.confirm("send them to the functions?"):
            raise typer.Exit(FOUND)
        return self._tools.store.create(job)

    def _new_job(self) -> Job:
        created = now()
        job_id = new_id(created, secrets.token_hex(3))
        return Job(job_id, self._bucket, Engine.QUEUE, self._selection, created=created)

    def _print(self, job: Job) -> None:
        progress = progress_of(job, now())
        self._output.document(job_document(job, progress, now()))
        self._output.line(f"job {job.id}: {job.state}, {progress}")
        if job.totals.failed:
            self._output.line(f"why: s3replicator jobs report {job.id} --failed", style="yellow")


def _show(progress: Progress, live: object) -> None:
    live(str(progress), progress.done, progress.total)  # type: ignore[operator]
