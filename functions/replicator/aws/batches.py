"""Messages into requests: what one SendMessageBatch may carry.

Separate from the queues, because the functions and the operator's command send to queues of their own.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MOST_ENTRIES = 10
MOST_BYTES = 1024 * 1024
"""Of all messages of a request together, their attributes included."""


def in_batches(entries: Sequence[Any], most_bytes: int = MOST_BYTES) -> Iterator[list[Any]]:
    """Yield the entries of SendMessageBatch in their order, in lists that one request takes.

    An entry that is too large by itself is in a list of its own: SQS refuses it, and no other.
    """
    batch: list[Any] = []
    total = 0
    for entry in entries:
        size = size_of(entry)
        if batch and (len(batch) == MOST_ENTRIES or total + size > most_bytes):
            yield batch
            batch, total = [], 0
        batch.append(entry)
        total += size
    if batch:
        yield batch


def size_of(entry: Mapping[str, Any]) -> int:
    """Return the bytes of a message as SQS counts them: its body, and each attribute's name, type and value."""
    texts = [entry["MessageBody"]]
    for name, value in entry.get("MessageAttributes", {}).items():
        texts += [name, *value.values()]
    return sum(len(text.encode()) for text in texts)
