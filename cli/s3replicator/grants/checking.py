"""Whether the policies of other accounts have what is needed: a plan and policies in, findings out.

Statement by statement: what is missing or denied, for whom, and what will be seen without it. What a condition decides
that nobody knows before the request, and what cannot be read, are warnings, never silence.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from s3replicator.findings import Finding, error, warning
from s3replicator.grants.facts import Facts
from s3replicator.grants.grant import Grant, Resource, RolePlan
from s3replicator.grants.plan import Plan
from s3replicator.grants.policy import Judgement, Question, Statement, Verdict, actions_named, judge

Policies = Mapping[Resource, Sequence[Statement] | None]
"""The statements of each policy; None for one that cannot be read."""
NATIVE = {
    "s3:replicateobject": "s3:ReplicateObject",
    "s3:replicatedelete": "s3:ReplicateDelete",
    "s3:replicatetags": "s3:ReplicateTags",
    "s3:objectowneroverridetobucketowner": "s3:ObjectOwnerOverrideToBucketOwner",
}
"""Actions of S3 Replication's own service (S3 user guide, "Granting permissions"). No request of ours has them."""
FUNCTIONS = ("replicate", "copy-parts", "batch", "monitor", "verify")
SAMPLES = 20
"""The most prefixes of rules for which a policy is asked about objects."""


@dataclass(frozen=True, slots=True)
class RoleView:
    """A role as credentials of its account see it: the statements of its trust policy, and of all its own policies."""

    trust: Sequence[Statement]
    policies: Sequence[Statement]


def check(
    facts: Facts, planned: Plan, policies: Policies, roles: Mapping[str, RoleView | None] | None = None
) -> Iterator[Finding]:
    """Yield what policies lack. Only those of resources of other accounts than their callers' are looked at.

    roles: those that functions assume, by ARN; None for one that cannot be read.
    """
    for resource in dict.fromkeys(grant.resource for grant in planned.grants):
        statements, subject = policies.get(resource), _subject(resource)
        grants = [grant for grant in planned.grants if grant.resource == resource]
        if statements is None:
            yield warning(subject, f"it cannot be seen whether its policy has what {_printed(facts)}")
            continue
        found = [finding for grant in grants for finding in _check_grant(facts, grant, statements)]
        if found:
            yield from _native(resource, statements)
        yield from found
    for role in planned.roles:
        if (view := (roles or {}).get(role.arn)) is None:
            yield warning(f"role {role.arn}", f"it cannot be seen whether it has what {_printed(facts)}")
        else:
            yield from _check_role(facts, role, view)


def _check_role(facts: Facts, role: RolePlan, view: RoleView) -> Iterator[Finding]:
    """Yield what a role of another account lacks. Its policies have no principals, its trust policy no resources."""
    subject = f"role {role.arn}"
    given = {"sts:externalid": (facts.external_id,) if facts.external_id else ()}
    trust = [{**each, "Resource": "*"} for each in view.trust]
    for principal in role.trusted:
        context = _context(principal, role.account) | given
        asked = Question(_names(facts, principal), principal.split(":")[4], "sts:AssumeRole", role.arn, context)
        judgement = judge(trust, asked)
        if judgement.verdict is not Verdict.ALLOWED:
            why = _WORDS[judgement.verdict].format(statement=judgement.statement, keys=", ".join(judgement.depends_on))
            what = f"its trust policy {why} sts:AssumeRole for {principal}"
            with_id = f" with external id '{facts.external_id}'" if facts.external_id else ""
            certain = judgement.verdict is not Verdict.DEPENDS
            yield (error if certain else warning)(
                subject, f"{what}{with_id}. Without it: FAILED AssumeRoleNotPermitted"
            )
    own = [{**each, "Principal": "*"} for each in view.policies]
    for grant in role.grants:
        yield from _check_grant(facts, grant, own, subject)


@dataclass(frozen=True, slots=True)
class _Answer:
    principal: str
    action: str
    judgement: Judgement


def _check_grant(facts: Facts, grant: Grant, statements: Sequence[Statement], subject: str = "") -> Iterator[Finding]:
    answers = [
        _Answer(principal, question.action, judge(statements, question))
        for principal in grant.principals
        for question in questions(facts, grant, principal)
    ]
    for verdict, words in _WORDS.items():
        lacking = [each for each in answers if each.judgement.verdict is verdict]
        if lacking:
            actions = ", ".join(sorted({each.action for each in lacking}))
            principals = ", ".join(dict.fromkeys(each.principal for each in lacking))
            why = words.format(statement=lacking[0].judgement.statement, keys=_keys(lacking))
            message = (
                f"its policy {why} {actions} for {principals}: statement {grant.need.sid} of `s3replicator grants "
                f"{facts.rules.bucket}`. Without it: {grant.need.without.replace('`', '')}"
            )
            fails = verdict is not Verdict.DEPENDS and grant.need.without.startswith("FAILED")
            yield (error if fails else warning)(subject or _subject(grant.resource), message)


_WORDS = {
    Verdict.NOT_MENTIONED: "does not allow",
    Verdict.DENIED: "denies, by {statement},",
    Verdict.DEPENDS: "makes it depend on {keys}, by {statement}, whether it allows",
}


def questions(facts: Facts, grant: Grant, principal: str) -> Iterator[Question]:
    """Yield what is asked about one statement for one role: each action, on the bucket or on objects of the rules."""
    names = _names(facts, principal)
    account = principal.split(":")[4]
    arn = grant.resource.arn
    if grant.resource.is_key:
        for sample in grant.resource.contexts:
            context = _context(principal, grant.resource.account, of_key=True) | {
                "kms:viaservice": (grant.resource.via,),
                "kms:calleraccount": (account,),
                "kms:encryptioncontext:aws:s3:arn": (sample.replace("*", "any-key"),),
            }
            for action in grant.actions:
                yield Question(names, account, action, arn, context)
        return
    context = _context(principal, grant.resource.account)
    for action in grant.need.bucket_actions:
        yield Question(names, account, f"s3:{action}", arn, context)
    for action in grant.need.object_actions:
        for key in _keys_of_rules(facts, grant.resource):
            yield Question(names, account, f"s3:{action}", f"{arn}/{key}", context)


def _keys_of_rules(facts: Facts, resource: Resource) -> list[str]:
    """Return keys that stand for what the rules select in a bucket."""
    enabled = [rule for rule in facts.rules.rules if rule.enabled]
    named = [rule for rule in enabled if resource.name in (facts.rules.bucket, rule.destination.bucket)]
    return [f"{prefix}any-key" for prefix in sorted({rule.prefix for rule in named})[:SAMPLES]]


def _context(principal: str, owner: str, *, of_key: bool = False) -> dict[str, Sequence[str]]:
    """Return what is known of every request of a role to what an account owns. No service makes it, but S3 to keys."""
    return {
        "aws:principalarn": (principal,),
        "aws:principalaccount": (principal.split(":")[4],),
        "aws:principaltype": ("AssumedRole",),
        "aws:principalisawsservice": ("false",),
        "aws:viaawsservice": (str(of_key).lower(),),
        "aws:securetransport": ("true",),
        "aws:resourceaccount": (owner,),
        "s3:resourceaccount": (owner,),
        "aws:sourcearn": (),
        "aws:sourceaccount": (),
    }


def _names(facts: Facts, principal: str) -> frozenset[str]:
    """Return the ARNs of a role and of the sessions in which functions work as it: each is named like its function."""
    partition, account, name = principal.split(":")[1], principal.split(":")[4], principal.rpartition("/")[2]
    session = f"arn:{partition}:sts::{account}:assumed-role/{name}/{facts.stack.name}"
    return frozenset({principal, *(f"{session}-{function}" for function in FUNCTIONS)})


def _native(resource: Resource, statements: Sequence[Statement]) -> Iterator[Finding]:
    """Yield that a policy was written for S3 Replication, if it was."""
    named = [NATIVE[action] for action in NATIVE if action in actions_named(statements)]
    if named and not resource.is_key:
        message = (
            f"its policy is written for S3 Replication itself: {', '.join(named)} are for S3's own service, and do not "
            "authorise copies"
        )
        yield warning(_subject(resource), message)


def _keys(lacking: Sequence[_Answer]) -> str:
    keys = [key for each in lacking for key in each.judgement.depends_on]
    return ", ".join(dict.fromkeys(keys)) or "a policy variable"


def _subject(resource: Resource) -> str:
    return f"key {resource.arn}" if resource.is_key else f"bucket {resource.name}"


def _printed(facts: Facts) -> str:
    return f"`s3replicator grants {facts.rules.bucket}` prints for it"
