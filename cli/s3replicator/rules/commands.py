"""`s3replicator rules put|get|check|delete`: reads arguments, calls `StackRules`, prints the result.

`bulk` does so for many buckets, and `list_command` has `rules list`.
"""

import time
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, NoReturn

import typer
from replicator.aws.rule_shape import shape_problems
from replicator.core.deciding.bucket_names import is_pattern

from s3replicator.addresses import bucket_name
from s3replicator.coverage_documents import CoverageFiles
from s3replicator.grants.gathering import Misused, elsewhere, pairs
from s3replicator.grants.inspecting import inspector
from s3replicator.output import FINE, FOUND, Output, complain, fail, print_stored, stop_on_failed_call
from s3replicator.peer_files import PeerFiles
from s3replicator.rule_documents import RuleDocuments, read_argument
from s3replicator.rules.both_ways import BothWays
from s3replicator.rules.bucket_settings import AwsBucketSettings
from s3replicator.rules.bulk import end_many, print_result, put_folder, put_pattern
from s3replicator.rules.coverage import CoverageKeeper
from s3replicator.rules.list_command import list_rules
from s3replicator.rules.mappings import AwsMappings
from s3replicator.rules.peers import Peers
from s3replicator.rules.result import RulesResult
from s3replicator.rules.role_writers import RoleWriters
from s3replicator.rules.rule_files import PLACEHOLDER
from s3replicator.rules.stack_rules import StackRules
from s3replicator.stack import (
    AccountProfilesOption,
    JsonOption,
    ProfileOption,
    RegionOption,
    Stack,
    StackOption,
    open_stack,
)

app = typer.Typer(no_args_is_help=True, help="Manage the replication rules of source buckets.")
app.command("list", epilog="Exit status 1: rules cannot be read, are not valid, or lead nowhere.")(list_rules)

BucketArgument = Annotated[
    str, typer.Argument(metavar="BUCKET", help="The source bucket, as NAME, s3://NAME or ARN.", show_default=False)
]


@app.command(epilog="Exit status 1: errors were found, or AWS refused a request.")
def put(
    bucket: Annotated[
        str,
        typer.Argument(
            metavar="BUCKET",
            help="The source bucket, as NAME, s3://NAME or ARN; a name with asterisks, for all buckets of the stack's "
            "Region that it includes; or, without FILE, a folder with NAME.json for each bucket NAME.",
            show_default=False,
        ),
    ],
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="S3's ReplicationConfiguration as JSON; - reads standard input. If BUCKET has asterisks, "
            f"{PLACEHOLDER.decode()} in it is replaced by each bucket's name.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Store the rules even if buckets or keys have errors.")
    ] = False,
    profiles: AccountProfilesOption = None,
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check rules, buckets and keys, store the rules, and attach the bucket's events. Safe to run again.

    Errors of one bucket keep its rules as they are, and leave other buckets their turn. After Ctrl-C, run the same
    command again: what is done is found unchanged.
    """
    output = Output(as_json=as_json)
    if file is not None and not is_pattern(bucket):
        name, text = bucket_name(bucket), read_argument(file)
        result = open_rules(open_stack(stack, region, profile), profiles).put(name, text, force=force)
        _end_put(result, output)
    opened = open_stack(stack, region, profile)
    rules = open_rules(opened, profiles)
    if file is None:
        put_folder(bucket, rules, output, force=force)
    put_pattern(bucket, file, opened, rules, output, force=force)


def _end_put(result: RulesResult, output: Output) -> NoReturn:
    print_result(result, output)
    if not result.done:
        output.line(f"{result.bucket}: nothing was changed")
    _end(result, output)


@app.command(epilog="Exit status 1: the bucket has no rules, or they cannot be read.")
def get(
    bucket: BucketArgument,
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the rules of a bucket as they are stored, which is JSON with and without --json."""
    del as_json
    print_stored(read_stored(bucket_name(bucket), open_stack(stack, region, profile)))


@app.command(epilog="Exit status 1: errors were found, or AWS refused a request.")
def delete(
    bucket: BucketArgument,
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Detach a bucket's events and remove its rules. Replicas stay, and the control bucket keeps the old rules."""
    name = bucket_name(bucket)
    result, output = open_rules(open_stack(stack, region, profile)).delete(name), Output(as_json=as_json)
    print_result(result, output)
    _end(result, output)


@app.command(epilog="Exit status 1: errors were found, or AWS refused a request.")
def check(
    bucket: Annotated[
        str | None,
        typer.Argument(
            metavar="BUCKET", help="The source bucket. Default: every bucket with rules.", show_default=False
        ),
    ] = None,
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="Check these rules instead of the stored ones; - reads standard input.",
            show_default=False,
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Check every bucket with rules, as without BUCKET.")] = False,
    profiles: AccountProfilesOption = None,
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find everything that is wrong with rules, buckets, keys and event notifications. Changes nothing."""
    if every and bucket is not None:
        fail("--all checks every bucket with rules: leave out BUCKET")
    name, text = None if bucket is None else bucket_name(bucket), None if file is None else read_argument(file)
    opened, output = open_stack(stack, region, profile), Output(as_json=as_json)
    rules = open_rules(opened, profiles)
    if name is not None:
        result = rules.check(name, text)
        print_result(result, output)
        _end(result, output)
    with stop_on_failed_call(f"bucket {opened.facts.control_bucket}", "cannot list the rules"):
        buckets = rules.buckets()
    if not buckets:
        output.line("no bucket has rules")
    end_many({each: partial(rules.check, each) for each in buckets}, output)


def read_stored(bucket: str, stack: Stack) -> bytes:
    """Return the document that is stored for a bucket. Ends the command if there is none, or it cannot be read."""
    with stop_on_failed_call(f"bucket {stack.facts.control_bucket}", f"cannot read the rules of {bucket}"):
        document = open_rules(stack).get(bucket)
    if document is None:
        complain(f"no rules are stored for {bucket}")
        raise typer.Exit(FOUND)
    return document


def open_rules(
    stack: Stack, profiles: list[str] | None = None, settings: type[AwsBucketSettings] = AwsBucketSettings
) -> StackRules:
    """Return the rules of a stack. settings: what reads its buckets. Ends the command for profiles that are none."""
    s3 = stack.client("s3")
    documents = RuleDocuments(s3, stack.facts.control_bucket)
    shape = partial(shape_problems, service=s3.meta.service_model)
    try:
        given = pairs(profiles or [], "ACCOUNT=PROFILE")
        of_account = elsewhere(stack, given)
        others = inspector(stack, given)
    except Misused as error:
        fail(str(error))

    def toward(bucket: str, account: str, service: str, region: str) -> Any:
        named = account in given
        return of_account(account)(service, region) if named else stack.client_toward(bucket, account, service, region)

    read = settings(stack.client, stack.facts, of_account, toward)
    writers = RoleWriters(stack.facts, stack.accounts.roles, stack.role_id)
    peers = Peers(stack.facts, read, AwsMappings(stack.client), time.sleep, writers)
    both_ways = BothWays(stack.facts, PeerFiles(stack.client))
    return StackRules(stack.facts, documents, read, shape, peers, _coverage(stack), both_ways, others)


def _coverage(stack: Stack) -> CoverageKeeper:
    files = CoverageFiles(stack.client("s3"), stack.facts.control_bucket)
    created = stack.parameters.get("CreateSourceBucket", ""), stack.facts.default_destination
    return CoverageKeeper(files, files.has_versions, _now, created)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _end(result: RulesResult, output: Output) -> NoReturn:
    output.document(result.document())
    raise typer.Exit(FINE if result.ok else FOUND)
