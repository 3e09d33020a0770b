"""The services of a deployed stack as its functions see it, seen with the operator's own credentials.

Separate because commands that ask the product's flows need it, and commands that only look at queues and tables do not.
"""

from replicator.aws.clients import Clients
from replicator.flows.change.replicate import Services
from replicator.runtime import Settings, make_services, read_cost_model

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
    """Clients that work in the stack's Region, whatever the configured one is."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack.session)
        self._stack_region = stack.facts.region

    @property
    def region(self) -> str:
        return self._stack_region


def operator_services(stack: Stack) -> Services:
    """Build what the stack's flows need from its outputs and parameters."""
    facts = stack.facts
    has_default = facts.default_source and facts.default_destination
    given = {variable: stack.parameters.get(name, "") for variable, name in COST_PARAMETERS.items()}
    settings = Settings(
        control_bucket=facts.control_bucket,
        journal_table=stack.outputs["JournalTable"],
        metrics_namespace="",
        cost=read_cost_model(given),
        default_rule=(facts.default_source, facts.default_destination) if has_default else None,
    )
    return make_services(settings, _StackClients(stack))
