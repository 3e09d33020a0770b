"""The facts about a stack that decide whether rules can work: its Region, its queue, the buckets that it can use."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StackFacts:
    """One stack, from its parameters and outputs.

    `event_bridge`: it receives S3's events from EventBridge as well. `writers`: its functions that write replicas, each
    as ROLE_ID:NAME. `replicate_function`: the name of the one that its change queue invokes.
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
