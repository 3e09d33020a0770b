"""The attributes of a queue where moto differs from SQS: SetQueueAttributes changes only what it names.

moto deletes the policy of a queue whose other attributes are set. Separate from the messages of queues.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.sqs.models import Queue

from emulator.patching import patch


@patch(Queue, "_set_attributes")
def _set_attributes(
    original: Callable[..., None], queue: Queue, attributes: dict[str, Any], now: float | None = None
) -> None:
    """Set attributes; the policy stays unless the request names it. It has none yet while the queue is created."""
    policy = queue.policy if hasattr(queue, "_policy_json") else None
    original(queue, attributes, now)
    if "Policy" not in attributes:
        queue.policy = policy
