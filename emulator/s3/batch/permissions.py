"""What the role of a job may do: it must be assumable by Batch Operations, read the manifest, invoke, and report.

Each check is in the log of authorizations, as those of functions are; the caller is Batch Operations.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-iam-role-policies.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-policies.html
"""

from __future__ import annotations

from moto.s3.models import FakeBucket

from emulator.iam.authorizations import Authorization
from emulator.iam.evaluation import evaluate
from emulator.iam.policies import Identity, RequestContext, Service, read
from emulator.s3.batch.jobs import Job
from emulator.services.iam import policies_of, trust_policy_of, with_resource
from emulator.state import active

SERVICE = "batchoperations.s3.amazonaws.com"


def may_assume(job: Job) -> bool:
    """Return whether the role of a job exists, and Batch Operations may assume it for the job's account."""
    trust = trust_policy_of(job.role)
    context = RequestContext(Service(SERVICE), "sts:AssumeRole", "*", {"aws:SourceAccount": job.account}, job.account)
    return trust is not None and evaluate(context, (), read(with_resource(trust))).allowed


def may_on(job: Job, action: str, bucket: FakeBucket, key: str | None = None) -> bool:
    """Return whether the role may do this with a bucket, or with one of its objects."""
    resource = bucket.arn if key is None else f"{bucket.arn}/{key}"
    return _may(job, action, resource, bucket.account_id, bucket.policy)


def may_invoke(job: Job) -> bool:
    """Return whether the role may invoke the job's function."""
    return _may(job, "lambda:InvokeFunction", job.function_arn, job.function_arn.split(":")[4])


def _may(job: Job, action: str, resource: str, account: str, policy: bytes | None = None) -> bool:
    own, values = job.role.split(":")[4], {"aws:PrincipalArn": job.role, "aws:SecureTransport": "true"}
    context = RequestContext(Identity(frozenset({job.role}), own), action, resource, values, account)
    decision = evaluate(context, policies_of(job.role), read(policy.decode()) if policy else None)
    reason = "" if decision.allowed else decision.reason(action)
    row = Authorization(SERVICE, job.role, action, resource, account, values, decision.allowed, reason)
    active().authorizations.add(row)
    return decision.allowed
