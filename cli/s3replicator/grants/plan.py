"""Facts -> what each account must put in place: statements about buckets and keys, and roles that functions assume.

Pure. Statements are for callers of another account than the resource's: within an account the roles' own policies are
enough. Both ways are here: the destination's bucket policy admits the stack's roles, or functions assume a role of the
destination's account, which the source's bucket policy admits, because one caller signs for both sides of a copy.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-walkthroughs-managing-access-example2.html
https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from s3replicator.grants.facts import BucketFacts, Facts
from s3replicator.grants.grant import Grant, Resource, RolePlan
from s3replicator.grants.needs import (
    FOR_DESTINATION_ROLE,
    ON_DESTINATION,
    ON_REPLICA_KEY,
    ON_SOURCE,
    ON_SOURCE_KEY,
    Case,
    Need,
    Who,
)

Callers = Callable[[Who], tuple[str, ...]]
"""The ARNs of those who make the requests; none for whom the statement is not."""
SUFFIXES = {"aws-cn": "amazonaws.com.cn"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What must be in place: grants in the policies of resources, and roles."""

    grants: tuple[Grant, ...] = ()
    roles: tuple[RolePlan, ...] = ()


def plan(facts: Facts) -> Plan:
    """Return what each account must put in place for the rules of a bucket. Disabled rules need nothing."""
    by_role: dict[str, list[BucketFacts]] = {}
    for each in facts.destinations:
        if facts.rules_for(each):
            by_role.setdefault(facts.role_for(each), []).append(each)
    reached = [each for some in by_role.values() for each in some]
    roles = [_role(facts, arn, some) for arn, some in by_role.items() if arn]
    grants = [
        *(grant for each in by_role.get("", ()) for grant in _on_destination(facts, each, facts.roles.of)),
        *_on_source(facts, [facts.case(each) for each in reached], facts.roles.of, ON_SOURCE),
        *(grant for role in roles for grant in role.grants),
    ]
    return Plan(_merged(_for_others(grants)), tuple(roles))


def _role(facts: Facts, arn: str, destinations: Sequence[BucketFacts]) -> RolePlan:
    """Return a role of a destination's account. It may do there what all functions of the stack do together."""

    def writing(who: Who) -> tuple[str, ...]:
        return (arn,) if who is Who.COPIERS else ()

    def reading(who: Who) -> tuple[str, ...]:
        return (arn,) if who is Who.DESTINATION_ROLE else ()

    grants = [grant for each in destinations for grant in _on_destination(facts, each, writing)]
    grants += _on_source(facts, [facts.case(each) for each in destinations], reading, FOR_DESTINATION_ROLE)
    who = (Who.COPIERS, Who.MONITOR, *((Who.VERIFIER,) if facts.verifies else ()))
    trusted = tuple(role for each in who for role in facts.roles.of(each))
    return RolePlan(arn, trusted, facts.external_id, _merged(grants))


def _on_destination(facts: Facts, destination: BucketFacts, callers: Callers) -> Iterator[Grant]:
    """Yield what callers need on a destination, and on the keys of its replicas."""
    cases = [facts.case(destination)]
    arn = facts.arn_of(destination)
    yield from _grants(Resource(destination.account, arn), ON_DESTINATION, cases, callers)
    for key in _replica_keys(cases[0], destination):
        yield from _grants(_key(key, arn), ON_REPLICA_KEY, cases, callers)


def _on_source(facts: Facts, cases: Sequence[Case], callers: Callers, needs: Iterable[Need]) -> Iterator[Grant]:
    """Yield what callers need on the source, and on the keys of its objects."""
    arn = facts.arn_of(facts.source)
    yield from _grants(Resource(facts.source.account, arn), needs, cases, callers)
    if any(rule.kms_selected for case in cases for rule in case.rules):
        for key in facts.source_keys:
            yield from _grants(_key(key, arn), ON_SOURCE_KEY, cases, callers)


def _grants(resource: Resource, needs: Iterable[Need], cases: Sequence[Case], callers: Callers) -> Iterator[Grant]:
    """Yield the statements that one of the cases needs, and that some caller needs."""
    for need in needs:
        if (principals := callers(need.who)) and any(need.when(case) for case in cases):
            yield Grant(need, resource, principals)


def _key(arn: str, bucket_arn: str) -> Resource:
    """Return a key as S3 uses it for a bucket: objects have the bucket's ARN as context if they use a bucket key."""
    _, partition, _, region, account, *_ = arn.split(":")
    via = f"s3.{region}.{SUFFIXES.get(partition, 'amazonaws.com')}"
    return Resource(account, arn, (bucket_arn, f"{bucket_arn}/*"), via)


def _replica_keys(case: Case, destination: BucketFacts) -> tuple[str, ...]:
    """Return the KMS keys of replicas: those that rules name, and the bucket's own."""
    named = [rule.destination.kms_key for rule in case.rules if rule.kms_selected]
    return tuple(dict.fromkeys(key for key in (*named, destination.kms_key) if key and key.startswith("arn:")))


def _for_others(grants: Iterable[Grant]) -> Iterator[Grant]:
    """Yield what policies of resources must say: about callers of other accounts."""
    for grant in grants:
        others = tuple(each for each in grant.principals if each.split(":")[4] != grant.resource.account)
        if others:
            yield replace(grant, principals=others)


def _merged(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """Return each grant once: those of a key that several buckets use as one, with the contexts of all."""
    found: dict[tuple[object, ...], Grant] = {}
    for grant in grants:
        resource = grant.resource
        same = (grant.need.sid, resource.arn, resource.via, grant.principals)
        contexts = found[same].resource.contexts if same in found else ()
        together = tuple(dict.fromkeys((*contexts, *resource.contexts)))
        found[same] = replace(grant, resource=replace(resource, contexts=together))
    return tuple(found.values())
