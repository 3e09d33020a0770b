"""A destination as a value: which bucket, whose it is, where it is, and what it can take.

Separate from a rule's `Destination`, which says what somebody wants there: many rules may name one bucket, and what the
bucket can do decides what a copy may carry.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a bucket can keep beside an object's bytes and metadata.

    versions: it keeps versions, so that nothing written there overwrites anything for good. acls: objects have ACLs of
    their own. lock: Object Lock is enabled.
    """

    versions: bool = True
    acls: bool = False
    lock: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """One destination bucket. `account` must own it; empty if no rule says who does.

    region, capabilities and listens are those of a bucket that was looked at; before, they are assumed. listens:
    something is notified of new objects there, so the bucket may be the source of rules in the other direction. That
    decides how a conflict is settled, and is True whenever it cannot be known.
    """

    bucket: str
    account: str = ""
    region: str = ""
    capabilities: Capabilities = Capabilities()
    listens: bool = True
