"""`s3replicator status`: reads arguments, opens journal, queues and buckets, prints the status."""

import time
from dataclasses import replace
from functools import partial
from typing import Annotated

import typer
from replicator.aws.coverage_store import CoverageRecords
from replicator.aws.gates import DynamoGates
from replicator.aws.journal_index import JournalIndex
from replicator.aws.parked import DynamoParking
from replicator.aws.queue_depths import QueueDepths
from replicator.core.outcomes.outcome import Permanent, Temporary
from replicator.core.outcomes.replication_status import ReplicationStatus
from replicator.threads import side_by_side

from s3replicator.addresses import bucket_and_optional_key
from s3replicator.operator_services import operator_services
from s3replicator.output import Output, fail
from s3replicator.several import StacksFileOption, StacksOption, choose, for_stacks
from s3replicator.stack import JsonOption, ProfileOption, RegionOption, Stack
from s3replicator.status.json_output import object_document, stack_document
from s3replicator.status.object_reader import read_object_status
from s3replicator.status.proofs import Proof, read_proofs
from s3replicator.status.stack_status import JournalViews, StackStatus, read_stack_status
from s3replicator.status.text_output import print_object, print_stack

EPILOG = "Exit status 1: something failed or is late, there is no such object, or AWS refused a request."


def status(
    address: Annotated[
        str,
        typer.Argument(
            metavar="ADDRESS",
            help="A source bucket (s3://BUCKET) or an object (s3://BUCKET/KEY). Default: the whole stack.",
            show_default=False,
        ),
    ] = "",
    stack: StacksOption = None,
    stacks: StacksFileOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what is pending, what failed and what the queues hold; or an object's status at each destination."""
    bucket, key = bucket_and_optional_key(address) if address else ("", "")
    places = choose(stack, stacks, region, profile)
    if key and len(places) > 1:
        fail("an object's status is that of one stack: name it with --stack")
    for_stacks(places, Output(as_json=as_json), partial(_show, bucket, key))


def _show(bucket: str, key: str, opened: Stack, output: Output) -> bool:
    with output.stop_on_trouble(bucket, key, "cannot read the status"):
        return _object(opened, bucket, key, output) if key else _stack(opened, bucket, output)


def _stack(opened: Stack, bucket: str, output: Output) -> bool:
    found = _read_stack(opened, bucket)
    print_stack(opened.facts, bucket, found, output)
    output.document(stack_document(opened.facts, bucket, found))
    return found.is_fine


def _read_stack(opened: Stack, bucket: str) -> StackStatus:
    threshold_minutes = float(opened.parameters.get("ThresholdMinutes") or 15)
    dynamodb, table, threshold_ms = opened.client("dynamodb"), opened.output("JournalTable"), threshold_minutes * 60_000
    index = JournalIndex(dynamodb, table, round(threshold_ms))
    journal = JournalViews(index, DynamoGates(dynamodb, table), DynamoParking(dynamodb, table, round(threshold_ms)))
    urls = (opened.output(name) for name in ("ChangeQueue", "PartQueue", "DeadLetterQueue", "BackfillQueue"))
    queues = QueueDepths(opened.client("sqs"), *urls)
    found = read_stack_status(journal, queues, side_by_side, time.time_ns() // 1_000_000, bucket)
    return replace(found, proofs=_read_proofs(opened, bucket))


def _read_proofs(opened: Stack, bucket: str) -> list[Proof] | None:
    facts = opened.facts
    has_default = facts.default_source and facts.default_destination
    defaults = (facts.default_source, facts.default_destination) if has_default else None
    records = CoverageRecords(opened.client("s3"), facts.control_bucket, defaults=defaults)
    try:
        return read_proofs(records, operator_services(opened).rules, bucket)
    except (Temporary, Permanent):
        return None


def _object(opened: Stack, bucket: str, key: str, output: Output) -> bool:
    found = read_object_status(bucket, key, operator_services(opened))
    output.document(object_document(found))
    print_object(found, output)
    failed = {ReplicationStatus.FAILED, ReplicationStatus.UNKNOWN}
    return bool(found.versions) and found.status not in failed
