"""What SQS refuses of a request, where moto accepts it: bodies, message attributes, sizes, ids of batches, counts.

Separate from what the queues do. Names and values of attributes count towards the size of a message.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from moto.sqs.exceptions import (
    BatchEntryIdsNotDistinct,
    EmptyBatchRequest,
    InvalidBatchEntryId,
    InvalidParameterValue,
    MissingParameter,
    SQSException,
    TooManyEntriesInBatchRequest,
)
from moto.sqs.models import Queue
from moto.sqs.responses import SQSResponse

from emulator.patching import patch

Handler = Callable[[SQSResponse], Any]
_ENTRIES, _ATTRIBUTES = 10, 10
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_NOT_ALLOWED = re.compile(r"[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
_RECEIVE = {
    "MaxNumberOfMessages": (1, 10, "Must be between 1 and 10, if provided."),
    "WaitTimeSeconds": (0, 20, "Must be >= 0 and <= 20, if provided."),
}


def size_of(message: Mapping[str, Any]) -> int:
    """Return the bytes of a message: its body, and the names, types and values of its attributes."""
    attributes: dict[str, dict[str, str]] = message.get("MessageAttributes") or {}
    texts = [text for name, value in attributes.items() for text in (name, *value.values())]
    return sum(len(str(text).encode()) for text in (message["MessageBody"], *texts))


def check(message: Mapping[str, Any]) -> None:
    """Raise SQSException for a message that no queue takes, whether it is sent alone or in a batch."""
    attributes: Mapping[str, Mapping[str, Any]] = message.get("MessageAttributes") or {}
    if not message.get("MessageBody"):
        raise MissingParameter("MessageBody")
    if _NOT_ALLOWED.search(message["MessageBody"]):
        raise SQSException("InvalidMessageContents", "The message contains characters outside the allowed set.")
    if len(attributes) > _ATTRIBUTES:
        allowed = f"exceeds the allowed maximum [{_ATTRIBUTES}]."
        raise InvalidParameterValue(f"Number of message attributes [{len(attributes)}] {allowed}")
    for name, value in attributes.items():
        if value.get("StringValue") == "":
            kind = f"must contain a non-empty value of type '{value['DataType']}'."
            raise InvalidParameterValue(f"Message (user) attribute '{name}' {kind}")


def is_too_long(message: Mapping[str, Any], queue: Queue) -> bool:
    """Return whether a message has more bytes than the queue's MaximumMessageSize."""
    return size_of(message) > int(queue.maximum_message_size)  # type: ignore[attr-defined]


def failures(entries: Iterable[Mapping[str, Any]], queue: Queue) -> list[dict[str, Any]]:
    """Return the entries of a batch that the queue does not take, as SendMessageBatch reports them."""
    return [
        {"Id": entry["Id"], "SenderFault": True, "Code": error.code, "Message": error.message}
        for entry in entries
        if (error := _problem(entry, queue)) is not None
    ]


def _problem(entry: Mapping[str, Any], queue: Queue) -> SQSException | None:
    try:
        check(entry)
    except SQSException as error:
        return error
    if is_too_long(entry, queue):
        limit = f"Message must be shorter than {queue.maximum_message_size} bytes."  # type: ignore[attr-defined]
        return InvalidParameterValue(f"One or more parameters cannot be validated. Reason: {limit}")
    return None


@patch(SQSResponse, "send_message")
def _send(original: Handler, request: SQSResponse) -> Any:
    names = ("MessageBody", "MessageAttributes")
    message = {name: request._get_param(name) for name in names}  # noqa: SLF001 - moto has no public access, as below
    queue = request.sqs_backend.get_queue(request._get_queue_name())  # noqa: SLF001
    check(message)
    if is_too_long(message, queue):
        limit = f"Message must be shorter than {queue.maximum_message_size} bytes."  # type: ignore[attr-defined]
        raise InvalidParameterValue(f"One or more parameters are invalid. Reason: {limit}")
    return original(request)


@patch(SQSResponse, "delete_message_batch")
def _delete_batch(original: Handler, request: SQSResponse) -> Any:
    _check_entries(request, "Delete")
    return original(request)


@patch(SQSResponse, "change_message_visibility_batch")
def _change_batch(original: Handler, request: SQSResponse) -> Any:
    _check_entries(request, "ChangeMessageVisibility")
    return original(request)


def _check_entries(request: SQSResponse, action: str) -> None:
    ids = [str(entry["Id"]) for entry in request._get_param("Entries", [])]  # noqa: SLF001
    if not ids:
        raise EmptyBatchRequest(action)
    if len(ids) > _ENTRIES:
        raise TooManyEntriesInBatchRequest(len(ids))
    if not all(_ID.fullmatch(each) for each in ids):
        raise InvalidBatchEntryId
    if (most := Counter(ids).most_common(1)[0])[1] > 1:
        raise BatchEntryIdsNotDistinct(most[0])


@patch(SQSResponse, "receive_message")
def _receive(original: Handler, request: SQSResponse) -> Any:
    for name, (least, most, reason) in _RECEIVE.items():
        value = request._get_param(name)  # noqa: SLF001
        if value is not None and not least <= int(value) <= most:
            raise InvalidParameterValue(f"Value {value} for parameter {name} is invalid. Reason: {reason}")
    return original(request)
