"""Whether the buckets and keys that rules name can do what the rules ask: values in, findings out.

Separate from the AWS calls that read settings, so that every finding has a test; and from the restrictions on the rule
document itself, which hold whatever the buckets are like. None in a view means that the setting cannot be read; a
failed call says why.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from replicator.core.rules.rule import Rule

from s3replicator.failed_calls import FailedCall
from s3replicator.findings import Finding, error, warning
from s3replicator.stack_facts import StackFacts

# The key that S3 uses if a bucket's encryption is aws:kms without a key. Every principal of the account may use it.
AWS_MANAGED_KEY = "alias/aws/s3"


@dataclass(frozen=True, slots=True)
class NativeRoute:
    """An enabled rule of S3 Replication itself: keys with this prefix go to this bucket."""

    destination: str
    prefix: str = ""

    def meets(self, rule: Rule) -> bool:
        """Return whether some key may be concerned by both this rule and one of ours; tags are not looked at."""
        return self.prefix.startswith(rule.prefix) or rule.prefix.startswith(self.prefix)


@dataclass(frozen=True, slots=True)
class BucketView:
    """A bucket as an operator's credentials see it.

    `versioning`: Enabled, Suspended or Disabled. `owner_matches`: the account that the rule names owns it.
    `aborts_uploads`: a lifecycle rule aborts incomplete multipart uploads. `kms_key`: the key of its default
    encryption, empty if there is none. `native_routes`: where S3 Replication itself copies it to.
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
    native_routes: tuple[NativeRoute, ...] | None = None
    failed_calls: tuple[FailedCall, ...] = ()

    @property
    def subject(self) -> str:
        """The subject of findings about it."""
        return f"bucket {self.name}"


@dataclass(frozen=True, slots=True)
class KeyView:
    """A KMS key as an operator's credentials see it. `arn`: the key's own ARN, also if a rule names an alias."""

    exists: bool | None = None
    arn: str = ""
    state: str = "Enabled"
    symmetric: bool = True
    failed_call: FailedCall | None = None


def check_source(view: BucketView, stack: StackFacts, rules: Iterable[Rule]) -> Iterator[Finding]:
    """Yield what is wrong with a source bucket."""
    subject = view.subject
    if not stack.reads_from(view.name):
        message = f"stack {stack.name} has no permission to read it; add it to SourceBuckets and deploy the stack again"
        yield error(subject, message)
    yield from _presence(view, may_be_elsewhere=stack.source_account != stack.account)
    if not view.exists:
        return
    if view.region is not None and view.region != stack.region:
        regions = f"is in {view.region}, but stack {stack.name} is in {stack.region}"
        yield error(subject, f"{regions}; S3 sends events only within a Region, use a stack in {view.region}")
    yield from _versioning(view)
    selected = [rule for rule in rules if rule.enabled]
    routes = {route: rule for route in view.native_routes or () for rule in selected if _does_the_same(route, rule)}
    for route, rule in routes.items():
        yield error(subject, f"{_natively(route)}, as rule '{rule.id}' does; disable one of the two")
    if view.kms_key and selected and not any(rule.kms_selected for rule in selected):
        yield warning(
            subject, "encrypts with a KMS key; its objects are skipped unless a rule enables SseKmsEncryptedObjects"
        )


def check_destination(
    view: BucketView, source: BucketView, stack: StackFacts, rules: Iterable[Rule]
) -> Iterator[Finding]:
    """Yield what is wrong with a destination bucket of these rules."""
    subject, rules = view.subject, tuple(rules)
    elsewhere = any(rule.destination.account not in {None, stack.account} for rule in rules)
    if not stack.writes_to(view.name):
        missing = f"stack {stack.name} has no permission to write to it"
        yield error(subject, f"{missing}; add it to DestinationBuckets and deploy the stack again")
    yield from _presence(view, may_be_elsewhere=elsewhere)
    if not view.exists:
        return
    yield from _versioning(view)
    if view.owner_matches is False:
        accounts = ", ".join(sorted({rule.destination.account or "" for rule in rules} - {""}))
        yield error(subject, f"is not owned by account {accounts}, which Destination.Account names")
    back = [route for route in view.native_routes or () if route.destination == source.name]
    if any(route.meets(rule) for route in back for rule in rules if rule.enabled):
        message = f"{_natively(back[0])}; use two-way rules of this stack and one beside {view.name} instead"
        yield error(subject, message)
    if source.object_lock and view.object_lock is False:
        yield warning(subject, f"has no Object Lock, but {source.name} has; locked objects will fail to replicate")
    has_role = all(stack.role_for(view.name, rule.destination.account) for rule in rules)
    yield from _ownership(view, source, rules, elsewhere=elsewhere and not has_role)
    if view.aborts_uploads is False:
        yield warning(
            subject, "has no lifecycle rule that aborts incomplete multipart uploads, which are billed; add one"
        )
    own_keys = {None, "", AWS_MANAGED_KEY, *stack.destination_kms_keys}
    if view.kms_key not in own_keys and not has_role:
        message = f"encrypts with {view.kms_key}; the stack can use that key only if DestinationKmsKeys names it"
        yield warning(subject, message)


def check_key(rule: Rule, view: KeyView, destination: BucketView, stack: StackFacts) -> Iterator[Finding]:
    """Yield what is wrong with the KMS key that a rule names for its replicas."""
    named = rule.destination.kms_key or ""
    subject = f"key {named}"
    if view.exists is False:
        yield error(subject, f"does not exist, but rule '{rule.id}' names it for its replicas")
        return
    if view.failed_call is not None:
        yield warning(subject, f"cannot be read: {view.failed_call.advice(named)}")
    region = named.split(":")[3]
    if destination.region is not None and region != destination.region:
        yield error(
            subject,
            f"is in {region}, but {destination.name} is in {destination.region}; S3 needs a key of the bucket's Region",
        )
    if not view.exists:
        return
    if view.state != "Enabled":
        yield error(subject, f"is in state {view.state}; replicas of rule '{rule.id}' cannot be encrypted with it")
    if not view.symmetric:
        yield error(subject, "is not a symmetric encryption key; S3 cannot use any other")
    has_role = stack.role_for(rule.destination.bucket, rule.destination.account)
    if not has_role and stack.destination_kms_keys.isdisjoint({named, view.arn, "*"}):
        missing = f"stack {stack.name} has no permission to use it"
        yield warning(subject, f"{missing}; add {view.arn} to DestinationKmsKeys and deploy the stack again")


def _presence(view: BucketView, *, may_be_elsewhere: bool) -> Iterator[Finding]:
    if view.exists is False:
        yield error(view.subject, "does not exist")
    for call in view.failed_calls:
        if view.exists is None and not may_be_elsewhere:
            yield error(view.subject, f"cannot be read: {call.advice(view.name)}")
        else:
            yield warning(view.subject, f"cannot be checked completely: {call.advice(view.name)}")


def _does_the_same(route: NativeRoute, rule: Rule) -> bool:
    return route.destination == rule.destination.bucket and route.meets(rule)


def _natively(route: NativeRoute) -> str:
    prefix = f" under {route.prefix}" if route.prefix else ""
    return f"S3 Replication itself copies its objects{prefix} to {route.destination}"


def _versioning(view: BucketView) -> Iterator[Finding]:
    if view.versioning in {"Suspended", "Disabled"}:
        command = f"aws s3api put-bucket-versioning --bucket {view.name} --versioning-configuration Status=Enabled"
        yield error(view.subject, f"has versioning {view.versioning.lower()}; enable it: {command}")


def _ownership(view: BucketView, source: BucketView, rules: tuple[Rule, ...], *, elsewhere: bool) -> Iterator[Finding]:
    enforced = "BucketOwnerEnforced"
    if view.ownership is None:
        return
    overridden = all(rule.destination.owner_override for rule in rules)
    if elsewhere and view.ownership == "ObjectWriter":
        more = ", also with AccessControlTranslation, which lets its account read them" if overridden else ""
        yield warning(
            view.subject,
            f"has object ownership ObjectWriter: the account of the stack will own the replicas{more}; set {enforced} "
            "there, or BucketOwnerPreferred with AccessControlTranslation in the rules, or reach it by a role "
            "(DestinationRoles)",
        )
    elif elsewhere and view.ownership != enforced and not overridden:
        yield warning(
            view.subject,
            f"has object ownership {view.ownership}: the account of the stack will own the replicas; "
            f"set {enforced} there, or AccessControlTranslation in the rules",
        )
    if view.ownership == enforced and source.ownership not in {enforced, None}:
        yield warning(view.subject, f"has ACLs disabled; ACLs of objects in {source.name} are not replicated")
