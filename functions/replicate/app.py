"""ReplicateFunction: a batch of changes from the change queue or the backfill queue -> flows.change.consume."""

from collections.abc import Mapping
from typing import Any

from replicator.aws.sqs_event import answer, queue_name, read_messages
from replicator.flows.change.consume import consume
from replicator.flows.change.deadline import TimeLimit
from replicator.runtime import Settings, make_consumer, trace_header

_consumer = make_consumer(Settings.read())


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Process one batch; the messages named in the response come back, all others are done."""
    consumer = _consumer(queue_name(event))
    limit = TimeLimit.after(consumer.services.now(), context.get_remaining_time_in_millis())
    return answer(consume(read_messages(event, trace_header()), consumer, limit))
