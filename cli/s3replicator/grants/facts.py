"""What the statements depend on, as values: the stack, its roles, both buckets, and how destinations are reached.

Separate from what reads them, so that what is printed for which facts has tests without AWS.
"""

from dataclasses import dataclass, field

from replicator.core.deciding.accounts import DestinationRoles
from replicator.core.deciding.target import Target
from replicator.core.rules.matching import RuleSet
from replicator.core.rules.rule import Rule

from s3replicator.grants.needs import Case, Who
from s3replicator.stack_facts import StackFacts


@dataclass(frozen=True, slots=True)
class BucketFacts:
    """A bucket. account: its owner's. acls, object_lock: None if they cannot be read. kms_key: of its default."""

    name: str
    account: str
    region: str = ""
    acls: bool | None = None
    object_lock: bool | None = None
    kms_key: str = ""


@dataclass(frozen=True, slots=True)
class Roles:
    """The ARNs of the stack's roles, by who works as them."""

    copiers: tuple[str, ...]
    monitor: str = ""
    verifier: str = ""

    @property
    def all(self) -> tuple[str, ...]:
        """Return the ARNs of all of them."""
        return tuple(filter(None, (*self.copiers, self.monitor, self.verifier)))

    def of(self, who: Who) -> tuple[str, ...]:
        """Return the ARNs; none for who is no function of the stack."""
        by_who = {Who.COPIERS: self.copiers, Who.MONITOR: (self.monitor,), Who.VERIFIER: (self.verifier,)}
        return tuple(filter(None, by_who.get(who, ())))


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that decides what other accounts must put in place for the rules of one source bucket.

    destination_roles, external_id: which roles functions assume, and what their trust policies ask for. source_keys:
    ARNs of the KMS keys of the source's objects. verifies, status_tag: of the stack's parameters.
    """

    stack: StackFacts
    roles: Roles
    rules: RuleSet
    source: BucketFacts
    destinations: tuple[BucketFacts, ...]
    destination_roles: DestinationRoles = field(default_factory=DestinationRoles)
    external_id: str = ""
    source_keys: tuple[str, ...] = ()
    verifies: bool = False
    status_tag: bool = False

    @property
    def partition(self) -> str:
        """Return the partition of the stack's Region, such as aws."""
        return self.stack.change_queue_arn.split(":")[1]

    def arn_of(self, bucket: BucketFacts) -> str:
        """Return the ARN of a bucket."""
        return f"arn:{self.partition}:s3:::{bucket.name}"

    def rules_for(self, destination: BucketFacts) -> tuple[Rule, ...]:
        """Return the enabled rules for a destination."""
        return tuple(rule for rule in self.rules.rules if rule.enabled and rule.destination.bucket == destination.name)

    def role_for(self, destination: BucketFacts) -> str:
        """Return the ARN of the role that functions assume for a destination; empty for none, as they decide it."""
        named = [rule.destination.account for rule in self.rules_for(destination) if rule.destination.account]
        return self.destination_roles.of(Target(destination.name, named[0] if named else ""))

    def case(self, destination: BucketFacts) -> Case:
        """Return what decides which statements a destination needs."""
        return Case(
            rules=self.rules_for(destination),
            source_acls=self.source.acls,
            source_lock=self.source.object_lock,
            destination_acls=destination.acls,
            destination_lock=destination.object_lock,
            verifies=self.verifies,
            status_tag=self.status_tag,
            replica_modifications=self.stack.replica_modifications,
            annotation_deletions=self.stack.annotation_deletions,
        )
