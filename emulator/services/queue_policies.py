"""Whether an AWS service may send to a queue: only what the queue's policy allows it, at each message.

Separate from permissions of functions: here S3 and EventBridge call SQS themselves, in nobody's name.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sqs-permissions
"""

from __future__ import annotations

from moto.sqs.models import Queue

from emulator.iam import policies
from emulator.iam.evaluation import evaluate

S3, EVENT_BRIDGE = "s3.amazonaws.com", "events.amazonaws.com"


def may_send(service: str, queue: Queue, source_arn: str, source_account: str) -> bool:
    """Return whether a service may send a message for a bucket or rule, of an account, to a queue."""
    conditions = {"aws:SourceArn": source_arn, "aws:SourceAccount": source_account}
    caller = policies.Service(service)
    context = policies.RequestContext(caller, "sqs:SendMessage", str(queue.queue_arn), conditions, queue.account_id)
    return evaluate(context, (), policies.read(queue.policy or "{}")).allowed
