"""`s3replicator rules import|export`: between S3's own replication rules and ours.

Separate from the other commands on rules: these read or print S3's configuration.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated

import typer
from replicator.core.rules.document import RulesRefused, load, with_ids

from s3replicator.addresses import bucket_name
from s3replicator.findings import Finding
from s3replicator.output import FINE, FOUND, Output, complain, print_stored, stop_on_failed_call
from s3replicator.rules.bucket_checks import BucketView
from s3replicator.rules.bucket_settings import AwsBucketSettings
from s3replicator.rules.commands import BucketArgument, open_rules, read_stored
from s3replicator.rules.native import as_native, look_steps, switched_steps
from s3replicator.rules.native_configuration import AwsNativeConfigurations
from s3replicator.rules.taking_over import Look, NothingToTakeOver, TakingOver
from s3replicator.stack import (
    AccountProfilesOption,
    JsonOption,
    ProfileOption,
    RegionOption,
    Stack,
    StackOption,
    open_stack,
)

IMPORT_EPILOG = "Exit status 1: errors were found, nothing can be taken over, or AWS refused a request."
EXPORT_EPILOG = "Exit status 1: the bucket has no rules, or they cannot be read."


class _AfterTheSwitch(AwsBucketSettings):
    """Settings as they will be once S3's own rules are disabled."""

    def view_source(self, bucket: str) -> BucketView:
        """Read the settings of a source bucket."""
        return replace(super().view_source(bucket), native_routes=())


def import_rules(
    bucket: BucketArgument,
    switch: Annotated[
        bool, typer.Option("--switch", help="Disable the rules of S3 Replication and put them here.")
    ] = False,
    profiles: AccountProfilesOption = None,
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take over a bucket from S3 Replication: what will differ, what is wrong, and how to switch over.

    Without --switch, nothing is changed.
    """
    name, opened, output = bucket_name(bucket), open_stack(stack, region, profile), Output(as_json=as_json)
    taking = _taking_over(opened, profiles)
    with stop_on_failed_call(name, f"cannot read the rules that S3 Replication has for {name}"):
        try:
            found = taking.look(name)
        except NothingToTakeOver as nothing:
            complain(str(nothing))
            raise typer.Exit(FOUND) from None
    result = found.result
    if switch and result.ok:
        with stop_on_failed_call(name, f"cannot disable the rules of S3 Replication for {name}"):
            result = taking.switch(name, found)
    steps = [] if not result.ok else switched_steps(name) if switch else look_steps(name)
    _print_look(found, output)
    output.findings(result.findings)
    for sentence in (*(f"{name}: {each}" for each in result.done), *steps):
        output.line(sentence)
    document = {**result.document(), "differences": _documents(found.differences), "steps": steps}
    output.document({**document, "document": json.loads(found.rules)})
    raise typer.Exit(FINE if result.ok else FOUND)


def export_rules(
    bucket: BucketArgument,
    role: Annotated[
        str, typer.Option("--role", metavar="ARN", help="The role that S3 shall replicate with.", show_default=False)
    ],
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the rules of a bucket as S3 Replication takes them, which is JSON with and without --json."""
    del as_json
    name = bucket_name(bucket)
    stored = read_stored(name, open_stack(stack, region, profile))
    try:
        document, lost = as_native(with_ids(load(name, stored)), role)
    except RulesRefused as refused:
        complain(str(refused))
        raise typer.Exit(FOUND) from None
    for each in lost:
        complain(str(each))
    print_stored(json.dumps(document, indent=2, ensure_ascii=False).encode())


def _taking_over(stack: Stack, profiles: list[str] | None) -> TakingOver:
    native = AwsNativeConfigurations(stack.client("s3"))
    return TakingOver(stack.facts, native, open_rules(stack, profiles, _AfterTheSwitch), open_rules(stack, profiles))


def _print_look(found: Look, output: Output) -> None:
    for each in found.differences:
        output.line(f"differs  {each.subject}: {each.message}", style="cyan")


def _documents(findings: Iterable[Finding]) -> list[dict[str, str]]:
    return [{"subject": each.subject, "message": each.message} for each in findings]
