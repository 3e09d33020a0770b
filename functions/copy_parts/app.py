"""CopyPartsFunction: part messages from the part queue -> flows.copy_parts. Decides nothing."""

import time
from collections.abc import Mapping
from typing import Any

from replicator.aws.sqs_event import answer, queue_name, read_messages
from replicator.flows.copy_parts import TimeBudget, copy_parts
from replicator.runtime import Settings, make_parts_consumer

_consumer = make_parts_consumer(Settings.read())
LEEWAY_SECONDS = 15


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Process part messages; those named in the response come back, all others are done."""
    left = context.get_remaining_time_in_millis() / 1000
    half_time = time.monotonic() + left / 2
    budget = TimeBudget(lambda: time.monotonic() < half_time, hidden=int(left) + LEEWAY_SECONDS)
    return answer(copy_parts(read_messages(event), _consumer(queue_name(event)), budget))
