"""The facts about a stack that decide whether rules can work: its Region, its queue, the buckets that it can use."""

from dataclasses import dataclass, field

from replicator.core.deciding.accounts import DestinationRoles
from replicator.core.deciding.bucket_names import includes
from replicator.core.deciding.target import Target


@dataclass(frozen=True, slots=True)
class StackFacts:
    """One stack, from its parameters and outputs.

    `source_buckets`, `destination_buckets`: names, and patterns with asterisks; `reads_from` and `writes_to` read them.
    `sources_account`: the account that owns these if it is another one.
    `event_bridge`: it receives S3's events from EventBridge as well. `writers`: its functions that write replicas, each
    as ROLE_ID:NAME. `replicate_function`: the name of the one that its change queue invokes.
    `roles`: those that functions assume to reach destinations.
    `replica_modifications`, `annotation_deletions`: what the parameters of these names permit the functions.
    """

    name: str
    region: str
    account: str
    control_bucket: str
    change_queue_url: str
    change_queue_arn: str
    source_buckets: frozenset[str] = frozenset()
    destination_buckets: frozenset[str] = frozenset()
    destination_kms_keys: frozenset[str] = frozenset()
    default_source: str = ""
    default_destination: str = ""
    event_bridge: bool = False
    writers: tuple[str, ...] = ()
    replicate_function: str = ""
    replica_modifications: bool = False
    annotation_deletions: bool = False
    sources_account: str = ""
    roles: DestinationRoles = field(default_factory=DestinationRoles, compare=False)

    @property
    def source_account(self) -> str:
        """The account that owns the source buckets."""
        return self.sources_account or self.account

    def role_for(self, bucket: str, account: str | None) -> str:
        """Return the ARN of the role by which functions reach a destination; empty for their own."""
        return self.roles.of(Target(bucket, account or ""))

    def reads_from(self, bucket: str) -> bool:
        """Return whether the stack may read a bucket as a source."""
        return includes(self.source_buckets, bucket)

    def writes_to(self, bucket: str) -> bool:
        """Return whether the stack may write to a bucket as a destination."""
        return includes(self.destination_buckets, bucket)
