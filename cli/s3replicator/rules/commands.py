"""`s3replicator rules`: put, get, delete and check the replication rules of a source bucket.

Reads arguments and prints reports; what the commands do is the flow `rules_admin`.
"""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from replicator.aws.rule_shape import shape_problems

from s3replicator.findings import CallFailed
from s3replicator.output import FINE, FOUND, Output, as_document, fail
from s3replicator.rule_documents import RuleDocuments
from s3replicator.rules.bucket_settings import BucketAdmin
from s3replicator.rules.stack_rules import RulesAdmin, RulesReport
from s3replicator.stack import JsonOption, ProfileOption, RegionOption, Stack, StackOption, open_stack

app = typer.Typer(no_args_is_help=True, help="The replication rules of source buckets.")

BucketArgument = Annotated[str, typer.Argument(metavar="BUCKET", help="The source bucket.")]
FileArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="S3's ReplicationConfiguration as JSON; - reads standard input.")
]


@app.command()
def put(
    bucket: BucketArgument,
    file: FileArgument,
    force: Annotated[bool, typer.Option("--force", help="Store them in spite of errors in buckets and keys.")] = False,
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check rules and everything they touch, store them, and attach the bucket's events. Can be run again."""
    text = _read(file)
    admin = _admin(open_stack(stack, region, profile))
    report, output = admin.put(_bucket(bucket), text, force=force), Output(as_json=as_json)
    _print(report, output)
    if not report.done:
        output.line(f"{report.bucket}: nothing was changed")
    _end(report, output)


@app.command()
def get(
    bucket: BucketArgument,
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,  # noqa: ARG001 - rules are JSON in any case
) -> None:
    """Print the rules in force, as they are stored."""
    opened = open_stack(stack, region, profile)
    try:
        document = _admin(opened).get(_bucket(bucket))
    except CallFailed as failed:
        target = f"bucket {opened.facts.control_bucket}"
        typer.echo(f"rules of {bucket} could not be read: {failed.obstacle.advice(target)}", err=True)
        raise typer.Exit(FOUND) from None
    if document is None:
        typer.echo(f"no rules are stored for {bucket}", err=True)
        raise typer.Exit(FOUND)
    sys.stdout.buffer.write(document if document.endswith(b"\n") else document + b"\n")


@app.command()
def delete(
    bucket: BucketArgument,
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Detach the bucket's events and remove its rules; replicas stay, and the rules' versions stay recoverable."""
    admin = _admin(open_stack(stack, region, profile))
    report, output = admin.delete(_bucket(bucket)), Output(as_json=as_json)
    _print(report, output)
    _end(report, output)


@app.command()
def check(
    bucket: Annotated[
        str | None, typer.Argument(metavar="BUCKET", help="The source bucket; by default every one with rules.")
    ] = None,
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="Check these rules instead of the stored ones; - reads input.")
    ] = None,
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look for everything that is wrong with rules, buckets, keys and events. Changes nothing."""
    text = None if file is None else _read(file)
    opened = open_stack(stack, region, profile)
    admin, output = _admin(opened), Output(as_json=as_json)
    if bucket is not None:
        report = admin.check(_bucket(bucket), text)
        _print(report, output)
        _end(report, output)
    try:
        reports = [admin.check(each) for each in admin.buckets()]
    except CallFailed as failed:
        target = f"bucket {opened.facts.control_bucket}"
        typer.echo(f"rules could not be listed: {failed.obstacle.advice(target)}", err=True)
        raise typer.Exit(FOUND) from None
    for each in reports:
        _print(each, output)
    if not reports:
        output.line("no bucket has rules")
    output.document({"ok": all(each.ok for each in reports), "reports": [_as_document(each) for each in reports]})
    raise typer.Exit(FINE if all(each.ok for each in reports) else FOUND)


def _admin(stack: Stack) -> RulesAdmin:
    s3 = stack.client("s3")
    documents = RuleDocuments(s3, stack.facts.control_bucket)
    shape = partial(shape_problems, service=s3.meta.service_model)
    return RulesAdmin(stack.facts, documents, BucketAdmin(stack.client, stack.facts), shape)


def _bucket(name: str) -> str:
    """Return the bucket's name, also when it was given as s3://NAME or as its ARN."""
    bare = name.removeprefix("s3://").rstrip("/").rpartition(":::")[2]
    if not bare or "/" in bare:
        fail(f"{name!r} is not the name of a bucket")
    return bare


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}")


def _end(report: RulesReport, output: Output) -> NoReturn:
    output.document(_as_document(report))
    raise typer.Exit(FINE if report.ok else FOUND)


def _print(report: RulesReport, output: Output) -> None:
    output.findings(report.findings)
    for sentence in report.done:
        output.line(f"{report.bucket}: {sentence}")
    if report.ok and not report.done:
        output.line(f"{report.bucket}: nothing stands in the way", style="green")


def _as_document(report: RulesReport) -> dict[str, Any]:
    return {
        "bucket": report.bucket,
        "ok": report.ok,
        "rules": [rule.id for rule in report.rules.rules] if report.rules else [],
        "done": report.done,
        "findings": [as_document(finding) for finding in report.findings],
    }
