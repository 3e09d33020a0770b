"""What is the same for every key of a bucket, read once per container."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BucketFacts:
    """Region and the settings that change what a copy may carry.

    `listens`: something is told of new objects there, so the bucket may be the source of rules in the other
    direction. It decides how a conflict is settled, and is True whenever it cannot be known.
    """

    name: str
    region: str
    versioned: bool
    acls_enabled: bool
    object_lock: bool
    listens: bool
