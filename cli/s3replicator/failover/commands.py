"""`s3replicator failover check`: reads arguments, reaches the two Regions, prints the answer."""

import time
from collections.abc import Iterator
from typing import Annotated, Any

import boto3
import typer
from botocore.exceptions import BotoCoreError
from replicator.aws.journal_index import JournalIndex
from replicator.aws.parked import DynamoParking
from replicator.core.outcomes.outcome import Permanent, Temporary
from replicator.core.outcomes.parking import PARTITIONS
from replicator.core.outcomes.recovery import NOWHERE, Buckets, Figures
from replicator.core.outcomes.threshold import Pending
from replicator.flows.watch.parked import EVER

from s3replicator.addresses import bucket_name
from s3replicator.calls import calling
from s3replicator.failed_calls import CallFailed
from s3replicator.failover.answer import Verdict
from s3replicator.failover.check import Reach, Unreachable, check
from s3replicator.failover.json_output import answer_document
from s3replicator.failover.lost_keys import LostKeys, read_lost_keys
from s3replicator.failover.regional_figures import QUICK, find_region, latest_figures
from s3replicator.failover.text_output import print_answer
from s3replicator.output import Output, fail
from s3replicator.stack import JsonOption, Named, ProfileOption, RegionOption, StackOption, StackUnusable, name_stack

app = typer.Typer(no_args_is_help=True, help="May one fail over to a destination, and what would be lost?")
EXIT = {Verdict.SAFE: 0, Verdict.LOSES: 1, Verdict.UNKNOWN: 2}


@app.callback()
def failover() -> None:
    """Stand for the group: there is one command, and it keeps its name."""


@app.command("check", epilog="Exit status 0: SAFE. 1: LOSES. 2: UNKNOWN, or the command could not be carried out.")
def check_failover(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The bucket to leave.", show_default=False)],
    destination: Annotated[str, typer.Argument(metavar="DESTINATION", help="The bucket to go to.", show_default=False)],
    accept_unverified: Annotated[
        bool,
        typer.Option(
            "--accept-unverified", help="Accept that nobody has verified versions older than the source's rules."
        ),
    ] = False,
    destination_region: Annotated[
        str | None,
        typer.Option("--destination-region", help="Region of DESTINATION. Default: S3 is asked.", show_default=False),
    ] = None,
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether everything is at the destination: SAFE, LOSES or UNKNOWN. Works while the source's Region is down."""
    left, gone_to, output = bucket_name(source), bucket_name(destination), Output(as_json=as_json)
    try:
        named = name_stack(stack, region, profile)
    except (BotoCoreError, ValueError) as error:
        fail(f"the AWS configuration is not usable: {error}")
    found = check(left, gone_to, _reach(named, destination_region), accept_unverified=accept_unverified)
    print_answer(found, _now(), output)
    output.document(answer_document(found))
    raise typer.Exit(EXIT[found[0].answer.verdict])


def _reach(named: Named, destination_region: str | None) -> Reach:
    def client(service: str, region: str) -> Any:
        return _quick(named.session, service, region)

    def figures(region: str, buckets: Buckets) -> Figures | None:
        with calling("cloudwatch:GetMetricData"):  # a name that is no Region's is refused before any request
            cloudwatch = client("cloudwatch", region)
        return latest_figures(cloudwatch, buckets, _now())

    return Reach(
        find_region=lambda bucket: destination_region or find_region(client, bucket, named.region),
        figures=figures,
        lost_keys=lambda buckets: _lost_keys(named, buckets),
        source_region=named.region,
        now=_now,
    )


def _lost_keys(named: Named, buckets: Buckets) -> LostKeys:
    """Read the journal of the stack, in the Region that may be down."""
    if named.region is None:
        raise Unreachable("name the stack's Region with --region")
    try:
        stack = named.describe(QUICK)
        if not stack.facts.reads_from(buckets[0]):
            raise Unreachable(f"stack {named.name} in {named.region} does not serve {buckets[0]}; name it with --stack")
        threshold = round(float(stack.parameters.get("ThresholdMinutes") or 15) * 60_000)
        dynamodb, table = stack.client("dynamodb"), stack.output("JournalTable")
        parked = _parked(DynamoParking(dynamodb, table, threshold), buckets[1])
        return read_lost_keys(JournalIndex(dynamodb, table, threshold), buckets, parked)
    except CallFailed as failed:
        raise Unreachable(failed.call.advice(f"stack {named.name}")) from failed
    except (Temporary, Permanent) as trouble:
        raise Unreachable(str(trouble)) from trouble
    except StackUnusable as unusable:
        raise Unreachable(str(unusable)) from None
    except typer.Exit:  # it said why
        raise Unreachable(f"stack {named.name} cannot be used") from None


def _parked(parking: DynamoParking, destination: str) -> Iterator[Pending]:
    """Yield what is parked for a destination, or before its destinations are known."""
    for each in (destination, NOWHERE):
        for partition in PARTITIONS:
            entries = parking.entries(each, partition.name, 0, EVER)
            yield from (entry.pending for entry in entries if entry.pending)


def _quick(session: boto3.Session, service: str, region: str) -> Any:
    return session.client(service, region_name=region, config=QUICK)  # type: ignore[call-overload]


def _now() -> int:
    return int(time.time())
