"""Return whether the buckets and keys that rules name can do what the rules ask: values in, findings out.

Separate from the AWS calls that look, so that every finding has a test, and from the rule document's own restrictions,
which hold whatever the buckets are like. None in a view means that it could not be looked at; the obstacle says why.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from replicator.core.rules.rule import Rule

from s3replicator.findings import Finding, Obstacle, error, warning
from s3replicator.stack_facts import StackFacts

# What S3 encrypts with when a bucket asks for aws:kms and names no key; every principal of the account may use it.
AWS_MANAGED_KEY = "alias/aws/s3"


@dataclass(frozen=True, slots=True)
class BucketView:
    """A bucket as an operator's credentials see it.

    `versioning` is Enabled, Suspended or Disabled. `owner_matches`: it belongs to the account that the rule names.
    `aborts_uploads`: a lifecycle rule removes incomplete multipart uploads. `kms_key`: its default encryption's key,
    empty when it uses none. `native_destinations`: where S3's own replication sends its objects.
    """

    name: str
    exists: bool | None = None
    region: str | None = None
    owner_matches: bool | None = None
    versioning: str | None = None
    object_lock: bool | None = None
    ownership: str | None = None
    aborts_uploads: bool | None = None
    kms_key: str | None = None
    native_destinations: frozenset[str] | None = None
    obstacles: tuple[Obstacle, ...] = ()

    @property
    def subject(self) -> str:
        """What findings about it are headed."""
        return f"bucket {self.name}"


@dataclass(frozen=True, slots=True)
class KeyView:
    """A KMS key as an operator's credentials see it; `arn` is the key's own, also when it was asked by an alias."""

    exists: bool | None = None
    arn: str = ""
    state: str = "Enabled"
    symmetric: bool = True
    obstacle: Obstacle | None = None


def check_source(view: BucketView, stack: StackFacts, rules: Iterable[Rule]) -> Iterator[Finding]:
    """Yield what is wrong with a source bucket."""
    subject = view.subject
    if view.name not in stack.source_buckets:
        message = f"stack {stack.name} may not read it; deploy the stack again with it in SourceBuckets"
        yield error(subject, message)
    yield from _presence(view, may_be_elsewhere=False)
    if not view.exists:
        return
    if view.region is not None and view.region != stack.region:
        place = f"is in {view.region}, stack {stack.name} in {stack.region}"
        yield error(subject, f"{place}; S3 sends events only within a Region, use a stack in {view.region}")
    yield from _versioning(view)
    selected = [rule for rule in rules if rule.enabled]
    twice = sorted({rule.destination.bucket for rule in selected} & (view.native_destinations or frozenset()))
    if twice:
        message = (
            f"S3's own replication copies it to {', '.join(twice)} too; its replicas are not told from users' writes"
        )
        yield warning(subject, message)
    if view.kms_key and selected and not any(rule.kms_selected for rule in selected):
        yield warning(
            subject, "encrypts with a KMS key; its objects are skipped without SseKmsEncryptedObjects in a rule"
        )


def check_destination(
    view: BucketView, source: BucketView, stack: StackFacts, rules: Iterable[Rule]
) -> Iterator[Finding]:
    """Yield what is wrong with a destination bucket of these rules."""
    subject, rules = view.subject, tuple(rules)
    elsewhere = any(rule.destination.account not in {None, stack.account} for rule in rules)
    if view.name not in stack.destination_buckets:
        message = f"stack {stack.name} may not write to it; deploy the stack again with it in DestinationBuckets"
        yield error(subject, message)
    yield from _presence(view, may_be_elsewhere=elsewhere)
    if not view.exists:
        return
    yield from _versioning(view)
    if view.owner_matches is False:
        accounts = ", ".join(sorted({rule.destination.account or "" for rule in rules} - {""}))
        yield error(subject, f"does not belong to account {accounts}, which Destination.Account names")
    if source.object_lock and view.object_lock is False:
        yield warning(subject, f"has no Object Lock, but {source.name} has; its locked objects will fail to replicate")
    yield from _ownership(view, source, rules, elsewhere=elsewhere)
    if view.aborts_uploads is False:
        yield warning(
            subject, "has no lifecycle rule that aborts incomplete multipart uploads; add one, they are billed"
        )
    if view.kms_key not in {None, "", AWS_MANAGED_KEY} and view.kms_key not in stack.destination_kms_keys:
        message = f"encrypts with {view.kms_key}; the stack may use that key only if DestinationKmsKeys names it"
        yield warning(subject, message)


def check_key(rule: Rule, view: KeyView, destination: BucketView, stack: StackFacts) -> Iterator[Finding]:
    """Yield what is wrong with the key that a rule names for its replicas."""
    named = rule.destination.kms_key or ""
    subject = f"key {named}"
    if view.exists is False:
        yield error(subject, f"does not exist, but rule {rule.id!r} names it for its replicas")
        return
    if view.obstacle is not None:
        yield warning(subject, f"could not be looked at: {view.obstacle.advice(named)}")
    region = named.split(":")[3]
    if destination.region is not None and region != destination.region:
        yield error(
            subject, f"is in {region}, but {destination.name} in {destination.region}; S3 wants a key of its Region"
        )
    if not view.exists:
        return
    if view.state != "Enabled":
        yield error(subject, f"is in state {view.state}; replicas of rule {rule.id!r} cannot be encrypted with it")
    if not view.symmetric:
        yield error(subject, "is not a symmetric encryption key; S3 encrypts only with those")
    if stack.destination_kms_keys.isdisjoint({named, view.arn, "*"}):
        message = (
            f"deploy stack {stack.name} again with {view.arn} in DestinationKmsKeys, or its functions may not use it"
        )
        yield warning(subject, message)


def _presence(view: BucketView, *, may_be_elsewhere: bool) -> Iterator[Finding]:
    if view.exists is False:
        yield error(view.subject, "does not exist")
    for obstacle in view.obstacles:
        if view.exists is None and not may_be_elsewhere:
            yield error(view.subject, f"could not be looked at: {obstacle.advice(view.name)}")
        else:
            yield warning(view.subject, f"could not be looked at completely: {obstacle.advice(view.name)}")


def _versioning(view: BucketView) -> Iterator[Finding]:
    if view.versioning in {"Suspended", "Disabled"}:
        command = f"aws s3api put-bucket-versioning --bucket {view.name} --versioning-configuration Status=Enabled"
        yield error(view.subject, f"has versioning {view.versioning.lower()}; enable it: {command}")


def _ownership(view: BucketView, source: BucketView, rules: tuple[Rule, ...], *, elsewhere: bool) -> Iterator[Finding]:
    enforced = "BucketOwnerEnforced"
    if view.ownership is None:
        return
    overridden = all(rule.destination.owner_override for rule in rules)
    if elsewhere and view.ownership != enforced and not overridden:
        yield warning(
            view.subject,
            f"has object ownership {view.ownership}: replicas will belong to account of the stack; "
            f"set {enforced} there, or AccessControlTranslation in the rules",
        )
    if view.ownership == enforced and source.ownership not in {enforced, None}:
        yield warning(view.subject, f"has ACLs disabled; ACLs of objects in {source.name} are not carried over")
