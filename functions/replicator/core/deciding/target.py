"""A destination bucket as a value: its name, owner, Region and capabilities.

Separate from a rule's `Destination`, which says what replicas should look like there: many rules may name one bucket,
and what the bucket supports decides what a copy may contain.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a bucket supports beside an object's bytes and metadata.

    versions: versioning is enabled, so that no write there destroys anything. acls: ACLs are enabled. lock: Object Lock
    is enabled.
    """

    versions: bool = True
    acls: bool = False
    lock: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """One destination bucket. `account` must own it; empty if no rule names an owner.

    region, capabilities and listens have these defaults until `Buckets.describe` has read the bucket. listens: the
    bucket sends notifications of new objects, so it may be the source of rules in the opposite direction. That decides
    how a conflict is settled; True if it is unknown.
    """

    bucket: str
    account: str = ""
    region: str = ""
    capabilities: Capabilities = Capabilities()
    listens: bool = True


NO_TARGET = Target("")
"""For an attempt that ended before its destination was known."""
