"""Which permissions a call needs of a service that moto answers, on which of its resources.

S3 has its own checks (`emulator.s3.access`). An operation that is not listed needs the action of its name on `*`.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_sqs.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-abac-condition-keys.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_dynamodb.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_events.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_kms.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-iam-role-policies.html
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from moto.sqs.models import Queue

from emulator.calls.answers import Answer, error_answer
from emulator.calls.call import Call
from emulator.calls.operations import service_model
from emulator.iam import actions
from emulator.services import kms
from emulator.services.authorization import denial, is_evaluated
from emulator.services.event_forwarding import bus_of
from emulator.services.sqs import queue_of

_JOB = re.compile(r"/v20180820/jobs/([^/]+)")
_ROLE = re.compile(r"<RoleArn>([^<]+)</RoleArn>")
# Services whose calls may name a resource of another account, and whose resources have policies that may allow it.
_NAMED_ACROSS_ACCOUNTS = frozenset({"kms", "sqs"})


class Need(NamedTuple):
    """A permission on a resource, with the resource's policy."""

    action: str
    resource: str
    policy: str | None = None
    of_key: bool = False
    conditions: Mapping[str, str] | None = None
    owner: str = ""

    def account(self, own: str) -> str:
        """Return the account that the resource belongs to; `own` where nothing says so."""
        return self.owner or (self.resource.split(":")[4] if self.resource != "*" else "") or own


def needs_of(call: Call, environ: Mapping[str, Any]) -> Sequence[Need]:
    """Return what a call needs, on each resource that it is about."""
    own = call.principal.account
    if (call.service, call.operation) in actions.NEED_NOTHING:
        return ()
    return tuple(_of_jobs(call, environ, own) if call.service == "s3control" else _needs(call, _body(environ), own))


def check(call: Call, needs: Iterable[Need]) -> Answer | None:
    """Return the error with which the service refuses a call, None if it is allowed."""
    own = call.principal.account
    for need in needs:
        account = need.account(own)
        if not is_evaluated(call.principal, account):
            continue
        message = denial(
            call.principal,
            need.action,
            need.resource,
            account=account,
            region=call.region,
            conditions=need.conditions,
            policy=need.policy,
            of_key=need.of_key,
        )
        if message:
            return _refusal(call, message)
    return None


def owner(call: Call, needs: Iterable[Need]) -> str:
    """Return the account whose queue or key a call is about; for other services, the caller's own."""
    own = call.principal.account
    if call.service not in _NAMED_ACROSS_ACCOUNTS:
        return own
    return next((need.account(own) for need in needs), own)


def _refusal(call: Call, message: str) -> Answer:
    """Return the error in the service's own words: SQS keeps those of its old protocol."""
    model = service_model(call.service)
    if call.service == "sqs" or model is None or model.resolved_protocol in ("query", "ec2", "rest-xml"):
        return error_answer(call, 403, "AccessDenied", message)
    return error_answer(call, 400, "AccessDeniedException", message)


def _body(environ: Mapping[str, Any]) -> Mapping[str, Any]:
    text = environ["wsgi.input"].getvalue()
    try:
        body = json.loads((gzip.decompress(text) if environ.get("HTTP_CONTENT_ENCODING") == "gzip" else text) or b"{}")
    except (ValueError, OSError):
        return {}
    return body if isinstance(body, dict) else {}


def _needs(call: Call, body: Mapping[str, Any], account: str) -> Iterator[Need]:
    action = actions.of_service(call.service, call.operation)
    prefix = f"arn:aws:{call.service}:{call.region}:{account}:"
    match call.service:
        case "sqs" if "QueueUrl" in body or "QueueName" in body:
            arn = _queue(body, call.region, account)
            queue = queue_of(arn)
            yield Need(action, arn, queue.policy if queue else None, conditions=_tags(queue))
        case "dynamodb" if "TableName" in body or "RequestItems" in body or "TransactItems" in body:
            yield from (Need(each, _table(prefix, name)) for each, name in _tables(action, body))
        case "events" if "Entries" in body:
            buses = dict.fromkeys(str(each.get("EventBusName", "default")) for each in body["Entries"])
            yield from (_bus(action, bus if ":" in bus else f"{prefix}event-bus/{bus}") for bus in buses)
        case "kms" if "KeyId" in body:
            yield _key(action, str(body["KeyId"]), call.region, account)
        case "cloudwatch" if call.operation == "PutMetricData":
            yield Need(action, "*", conditions={"cloudwatch:namespace": str(body.get("Namespace", ""))})
        case _:
            yield Need(action, "*")


def _of_jobs(call: Call, environ: Mapping[str, Any], account: str) -> Iterator[Need]:
    """Yield what an operation of S3's control API needs. Who creates a job passes a role to Batch Operations."""
    job = _JOB.match(str(environ["PATH_INFO"]))
    account = str(environ.get("HTTP_X_AMZ_ACCOUNT_ID") or account)
    resource = f"arn:aws:s3:{call.region}:{account}:job/{job[1]}" if job else "*"
    yield Need(f"s3:{call.operation}", resource, owner=account)
    if call.operation == "CreateJob":
        body = environ["wsgi.input"].getvalue().decode()
        if "<Tags>" in body:
            yield Need("s3:PutJobTagging", "*")
        for role in _ROLE.findall(body):
            passed = {"iam:PassedToService": "batchoperations.s3.amazonaws.com"}
            yield Need("iam:PassRole", role, conditions=passed)


def _queue(body: Mapping[str, Any], region: str, account: str) -> str:
    if "QueueName" in body:
        return f"arn:aws:sqs:{region}:{body.get('QueueOwnerAWSAccountId') or account}:{body['QueueName']}"
    owner, _, name = urlsplit(str(body["QueueUrl"])).path.strip("/").rpartition("/")
    return f"arn:aws:sqs:{region}:{owner or account}:{name}"


def _tags(queue: Queue | None) -> Mapping[str, str]:
    return {f"aws:ResourceTag/{name}": value for name, value in (queue.tags if queue else {}).items()}


def _table(prefix: str, name: str) -> str:
    return name if name.startswith("arn:") else f"{prefix}table/{name}"


def _tables(action: str, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each action with its table, or the index that is read instead of it."""
    if "TableName" in body:
        yield action, str(body["TableName"]) + (f"/index/{body['IndexName']}" if "IndexName" in body else "")
    yield from ((action, name) for name in body.get("RequestItems", {}))
    for item in body.get("TransactItems", []):
        for kind, request in item.items():
            operation = {"Get": "GetItem", "ConditionCheck": "ConditionCheckItem"}.get(kind, f"{kind}Item")
            yield f"dynamodb:{operation}", str(request["TableName"])


def _bus(action: str, arn: str) -> Need:
    bus = bus_of(arn)
    return Need(action, arn, bus.policy if bus else None)


def _key(action: str, name: str, region: str, account: str) -> Need:
    resource = name if name.startswith(("arn:", "alias/")) else f"key/{name}"
    arn = resource if resource.startswith("arn:") else f"arn:aws:kms:{region}:{account}:{resource}"
    named = kms.parse(arn)
    key = kms.find(named) if named else None
    return Need(action, key.arn, key.policy, of_key=True) if key else Need(action, arn, of_key=True)
