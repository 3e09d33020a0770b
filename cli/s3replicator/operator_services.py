"""The services that the functions of a stack run on, built with the operator's own credentials.

Separate because only commands that ask the flows of the data plane need them. Those commands answer from the same code
as a function, so the two cannot disagree.
"""

from replicator.aws.bucket_listing import BucketListing
from replicator.aws.buckets import S3Buckets
from replicator.aws.clients import Clients
from replicator.flows.change.replicate import Services
from replicator.runtime import make_services
from replicator.settings import Settings, read_cost_model
from replicator.threads import side_by_side

from s3replicator.stack import Stack

COST_PARAMETERS = {
    "SINGLE_COPY_LIMIT_BYTES": "SingleCopyLimit",
    "MULTIPART_THRESHOLD_BYTES": "MultipartThreshold",
    "SPREAD_THRESHOLD_BYTES": "SpreadThreshold",
    "PART_SIZE_BYTES": "PartSize",
    "PARTS_SIDE_BY_SIDE": "PartsSideBySide",
    "COPY_BYTES_PER_SECOND": "CopyBytesPerSecond",
    "MAXIMUM_CONCURRENCY": "MaximumConcurrency",
}


class _StackClients(Clients):
    """Clients for the stack's Region, whatever Region is configured."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack.session, stack.accounts)
        self._stack_region = stack.facts.region

    @property
    def region(self) -> str:
        return self._stack_region


def operator_services(stack: Stack, *, checks_sight: bool = False) -> Services:
    """Build the services of a stack from its outputs and parameters.

    checks_sight: fail if a HEAD leaves out tags or locks, as for a caller who may not read them.
    """
    facts = stack.facts
    has_default = facts.default_source and facts.default_destination
    given = {variable: stack.parameters.get(name, "") for variable, name in COST_PARAMETERS.items()}
    settings = Settings(
        control_bucket=facts.control_bucket,
        journal_table=stack.output("JournalTable"),
        metrics_namespace="",
        accounts=stack.accounts,
        cost=read_cost_model(given),
        default_rule=(facts.default_source, facts.default_destination) if has_default else None,
    )
    return make_services(settings, _StackClients(stack), checks_sight=checks_sight)


def operator_listing(stack: Stack) -> BucketListing:
    """Return what lists whole buckets, each in its own Region."""
    return S3Buckets(_StackClients(stack), side_by_side, checks_sight=False).listing()
