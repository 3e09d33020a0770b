"""SQS for concurrent consumers: moto's queues with a lock, change notifications, and what Lambda's pollers do.

moto changes a queue's list of messages without a lock, and so loses a message that is added while another is deleted;
and it invokes functions inside SendMessage. The patches below correct both.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from moto.awslambda.models import EventSourceMapping, LambdaBackend
from moto.core.utils import unix_time_millis
from moto.sqs.constants import MAXIMUM_MESSAGE_LENGTH
from moto.sqs.exceptions import BatchRequestTooLong, SQSException
from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends

from emulator.calls.lineage import lineages
from emulator.patching import patch
from emulator.services import queue_requests
from emulator.state import active

T = TypeVar("T")


class Wakeups:
    """Listeners for changes of queues and of event source mappings."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call the listener after every change, in the thread that made the change."""
        with self._lock:
            self._listeners = [*self._listeners, listener]

    def forget(self, listener: Callable[[], None]) -> None:
        """Stop calling the listener."""
        with self._lock:
            self._listeners = [each for each in self._listeners if each != listener]

    def notify(self) -> None:
        """Call every listener."""
        for listener in self._listeners:
            listener()


wakeups = Wakeups()


def queue_of(arn: str) -> Queue | None:
    """Return the queue with this ARN; None if there is none."""
    _, _, _, region, account, name = arn.split(":", 5)
    queue: Queue | None = sqs_backends[account][region].queues.get(name)
    return queue


def length(queue: Queue) -> int:
    """Return how many messages a queue holds: visible, delayed and in flight."""
    return len(queue._messages)  # noqa: SLF001 - moto has no public access, here and below


def count_visible(queue: Queue, enough: int = 1) -> int:
    """Return how many messages can be received now, counting no further than `enough`."""
    now = unix_time_millis()
    waiting = (message for message in list(queue._messages) if _can_be_received(message, now))  # noqa: SLF001
    return sum(1 for _ in itertools.islice(waiting, enough))


def _can_be_received(message: Message, now: float) -> bool:
    return message.visible_at < now and message.delayed_until <= now


def take(queue: Queue, count: int) -> list[Message]:
    """Receive up to `count` messages as Lambda's poller does, and hide them for the queue's visibility timeout.

    Messages beyond their maxReceiveCount move to the dead-letter queue; those past their retention are deleted.
    """
    now = unix_time_millis()
    taken: list[Message] = []
    with queue._messages_lock:  # noqa: SLF001
        count = min(count, _room_in_flight(queue))
        for message in list(queue._messages):  # noqa: SLF001
            if len(taken) == count:
                break
            if not _can_be_received(message, now):
                continue
            if (message.sent_timestamp or 0) / 1000 + queue.message_retention_period <= now / 1000:  # type: ignore[attr-defined]
                discard(queue, message)
            elif _received_too_often(queue, message):
                dead_letter(queue, message)
            else:
                queue.pending_messages.add(message)
                message.mark_received(visibility_timeout=queue.visibility_timeout)  # type: ignore[attr-defined]
                taken.append(message)
    return taken


def _room_in_flight(queue: Queue) -> int:
    """Return how many more messages may be received before some are deleted or become visible again."""
    quota, now = active().limits.in_flight_messages, unix_time_millis()
    if length(queue) < quota:
        return quota
    return quota - sum(message.visible_at >= now for message in queue._messages)  # noqa: SLF001


def _received_too_often(queue: Queue, message: Message) -> bool:
    policy = queue.redrive_policy if queue.dead_letter_queue is not None else None
    return bool(policy) and message.approximate_receive_count >= policy["maxReceiveCount"]  # type: ignore[index]


def discard(queue: Queue, message: Message) -> None:
    """Delete a message, if it still exists."""
    with queue._messages_lock:  # noqa: SLF001
        if message in queue._messages:  # noqa: SLF001
            queue._messages.remove(message)  # noqa: SLF001
        queue.pending_messages.discard(message)
        queue.deleted_messages.update(filter(None, message.all_receipt_handles))


def dead_letter(queue: Queue, message: Message) -> None:
    """Move a message to the dead-letter queue, or delete it if the queue has none."""
    with queue._messages_lock:  # noqa: SLF001
        discard(queue, message)
        if queue.dead_letter_queue is not None:
            message.visible_at = 0.0
            queue.dead_letter_queue.add_message(message)


def hide(queue: Queue, message: Message, seconds: float) -> None:
    """Make a message in flight visible again after this many seconds."""
    with queue._messages_lock:  # noqa: SLF001
        message.visible_at = unix_time_millis() + seconds * 1000
    wakeups.notify()


# moto asks the clock twice for each message, and does so to send one. A backfill has thousands of them on its queue.


@patch(Queue, "messages")
def _receivable(_original: Callable[[Queue], list[Message]], queue: Queue) -> list[Message]:
    now = unix_time_millis()
    return [each for each in queue._messages if each.visible_at < now >= each.delayed_until]  # noqa: SLF001


@patch(Queue, "approximate_number_of_messages_delayed")
def _delayed(_original: Callable[[Queue], int], queue: Queue) -> int:
    now = unix_time_millis()
    return sum(now < each.delayed_until for each in queue._messages)  # noqa: SLF001


@patch(Queue, "approximate_number_of_messages_not_visible")
def _in_flight(_original: Callable[[Queue], int], queue: Queue) -> int:
    now = unix_time_millis()
    return sum(now <= each.visible_at for each in queue._messages)  # noqa: SLF001


@patch(Queue, "add_message")
def _add(original: Callable[[Queue, Message], None], queue: Queue, message: Message) -> None:
    lineages.mark(message)
    original(queue, message)
    wakeups.notify()


@patch(Queue, "delete_message")
def _delete(original: Callable[[Queue, str], None], queue: Queue, receipt_handle: str) -> None:
    with queue._messages_lock:  # noqa: SLF001
        original(queue, receipt_handle)


@patch(SQSBackend, "send_message_batch")
def _send_batch(
    original: Callable[..., tuple[list[Message], list[dict[str, Any]]]],
    backend: SQSBackend,
    queue_name: str,
    entries: dict[str, Any],
) -> tuple[list[Message], list[dict[str, Any]]]:
    """Refuse a batch by its bytes, attributes included, and each message that the queue does not take by itself."""
    size = sum(queue_requests.size_of(entry) for entry in entries.values())
    if size > MAXIMUM_MESSAGE_LENGTH:
        raise BatchRequestTooLong(size)
    failed = queue_requests.failures(entries.values(), backend.get_queue(queue_name))
    refused = {each["Id"] for each in failed}
    taken = {key: entry for key, entry in entries.items() if entry["Id"] not in refused}
    sent, others = original(backend, queue_name, taken)
    return sent, [*failed, *others]


@patch(SQSBackend, "receive_message")
def _receive(  # noqa: PLR0913, PLR0917 - as moto calls it
    original: Callable[..., list[Message]],
    backend: SQSBackend,
    queue_name: str,
    count: int,
    wait_seconds_timeout: int,
    visibility_timeout: int,
    message_attribute_names: list[str] | None = None,
) -> list[Message]:
    """Receive no more than may be in flight: beyond that, OverLimit with short polling, nothing with long polling.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
    """
    queue = backend.get_queue(queue_name)
    with queue._messages_lock:  # noqa: SLF001
        room = _room_in_flight(queue)
        if room <= 0 and not wait_seconds_timeout:
            raise SQSException("OverLimit", "The maximum number of in flight messages is reached.")
        wanted = min(count, room)
        received = (
            original(backend, queue_name, wanted, wait_seconds_timeout, visibility_timeout, message_attribute_names)
            if room > 0
            else []
        )
    wakeups.notify()
    return received


@patch(SQSBackend, "purge_queue")
@patch(SQSBackend, "change_message_visibility")
def _with_lock(original: Callable[..., T], backend: SQSBackend, queue_name: str, *others: Any, **named: Any) -> T:
    with backend.get_queue(queue_name)._messages_lock:  # noqa: SLF001
        result = original(backend, queue_name, *others, **named)
    wakeups.notify()
    return result


@patch(LambdaBackend, "create_event_source_mapping")
def _without_inline_invocation(
    original: Callable[[LambdaBackend, dict[str, Any]], EventSourceMapping],
    backend: LambdaBackend,
    spec: dict[str, Any],
) -> EventSourceMapping:
    """Create a mapping that moto does not serve inside SendMessage; `emulator.functions.poller` serves it."""
    mapping = original(backend, spec)
    if (queue := queue_of(mapping.event_source_arn)) is not None:
        queue.lambda_event_source_mappings.clear()
    wakeups.notify()
    return mapping


@patch(LambdaBackend, "update_event_source_mapping")
@patch(LambdaBackend, "delete_event_source_mapping")
@patch(LambdaBackend, "delete_function")
def _and_notify(original: Callable[..., T], *arguments: Any, **named: Any) -> T:
    try:
        return original(*arguments, **named)
    finally:
        wakeups.notify()
