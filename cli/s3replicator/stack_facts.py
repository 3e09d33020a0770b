"""What of a deployed stack decides whether rules can work: its place, its queue and the buckets it may touch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StackFacts:
    """One stack, from its parameters and outputs. `event_bridge`: it takes S3's events from EventBridge as well."""

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
