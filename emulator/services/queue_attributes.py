"""The attributes of a queue where moto differs from SQS: what is refused, and what stays when others are set.

moto deletes the policy of a queue whose other attributes are set, and takes any name and value. Separate from messages.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.sqs.exceptions import InvalidAttributeName, InvalidAttributeValue, InvalidParameterValue, SQSException
from moto.sqs.models import Queue, SQSBackend, sqs_backends

from emulator.patching import patch

_RANGES = {
    "DelaySeconds": (0, 900),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
    "MaximumMessageSize": (1024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
}
_OTHERS = {"KmsMasterKeyId", "Policy", "RedriveAllowPolicy", "RedrivePolicy", "SqsManagedSseEnabled"}
_OF_FIFO = {"FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"}
_POLICY_BYTES = 8192
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html"""
_TWO_KINDS = (
    "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE."
)


@patch(Queue, "_set_attributes")
def _set_attributes(
    original: Callable[..., None], queue: Queue, attributes: dict[str, Any], now: float | None = None
) -> None:
    """Set attributes; the policy stays unless the request names it. It has none yet while the queue is created."""
    policy = queue.policy if hasattr(queue, "_policy_json") else None
    original(queue, attributes, now)
    queue.last_modified_timestamp = int(queue.last_modified_timestamp)
    if "Policy" not in attributes:
        queue.policy = policy


@patch(SQSBackend, "set_queue_attributes")
def _set_queue_attributes(
    original: Callable[..., Queue], backend: SQSBackend, queue_name: str, attributes: dict[str, Any]
) -> Queue:
    """Refuse what SQS refuses; a KMS key switches the encryption with SQS's own keys off."""
    check(attributes, fifo=queue_name.endswith(".fifo"))
    _check_redrive(attributes.get("RedrivePolicy"))
    if len(str(attributes.get("Policy", "")).encode()) > _POLICY_BYTES:
        raise SQSException("OverLimit", "Submitted policy is over max allowed size.")
    if attributes.get("KmsMasterKeyId"):
        if str(attributes.get("SqsManagedSseEnabled", "")).lower() == "true":
            raise SQSException("InvalidAttributeName", _TWO_KINDS)
        attributes = {**attributes, "SqsManagedSseEnabled": "false"}
    return original(backend, queue_name, attributes)


@patch(SQSBackend, "create_queue")
def _create_queue(
    original: Callable[..., Queue],
    backend: SQSBackend,
    name: str,
    tags: dict[str, str] | None = None,
    **attributes: Any,
) -> Queue:
    """Refuse what SQS refuses; an existing queue is returned if each attribute that is named has the same value."""
    named = {key: value for key, value in attributes.items() if key != "region"}
    check(named, fifo=name.endswith(".fifo"))
    _check_redrive(named.get("RedrivePolicy"))
    if (existing := backend.queues.get(name)) is not None:
        _check_same(existing, named)
    queue = original(backend, name, tags, **attributes)
    queue.created_timestamp = int(queue.created_timestamp)
    return queue


def check(attributes: Mapping[str, Any], *, fifo: bool) -> None:
    """Raise SQSException for an attribute that such a queue does not have, or for a value out of range."""
    for name, value in attributes.items():
        if name not in _RANGES and name not in _OTHERS and not (fifo and name in _OF_FIFO):
            raise InvalidAttributeName(name)
        if name in _RANGES and not _within(value, *_RANGES[name]):
            raise InvalidAttributeValue(name)


def _within(value: Any, least: int, most: int) -> bool:
    try:
        return least <= int(value) <= most
    except (TypeError, ValueError):
        return False


def _check_same(queue: Queue, named: Mapping[str, Any]) -> None:
    for name in _RANGES:
        if name in named and int(named[name]) != int(queue.attributes.get(name, named[name])):
            words = "A queue already exists with the same name and a different value for attribute"
            raise SQSException("QueueAlreadyExists", f"{words} {name}")


def _check_redrive(policy: Any) -> None:
    """Refuse a redrive policy whose dead-letter queue does not exist."""
    document = json.loads(policy) if isinstance(policy, str) and policy else policy
    if not document:
        return
    parts = str(document.get("deadLetterTargetArn", "")).split(":", 5)
    if len(parts) < 6 or parts[5] not in sqs_backends[parts[4]][parts[3]].queues:
        given = f"Value {json.dumps(document)} for parameter RedrivePolicy is invalid."
        raise InvalidParameterValue(f"{given} Reason: Dead letter target does not exist.")
