"""EventBridge: events from PutEvents are kept for `GET /_emulator/events`.

Schedules receive no events, and queues only what their policies allow.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from moto.events.exceptions import ValidationException
from moto.events.models import EventsBackend, Rule

from emulator.calls.call import current_call
from emulator.patching import patch
from emulator.services.queue_policies import EVENT_BRIDGE, may_send
from emulator.services.sqs import queue_of
from emulator.state import active

_LONGEST_PATTERN = 4096
"""Characters. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html"""


@patch(EventsBackend, "put_events")
def _put_events(original: Any, backend: EventsBackend, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = original(backend, events)
    call = current_call.get()
    if call is None or call.operation != "PutEvents":
        return entries  # moto forwards an event to another bus
    for event, entry in zip(events, entries, strict=True):
        if "EventId" in entry:
            active().events.append(_kept(event, backend.region_name))
    return entries


@patch(EventsBackend, "put_rule")
def _put_rule(original: Any, backend: EventsBackend, name: str, *arguments: Any, **named: Any) -> Any:
    """Refuse a pattern that is longer than the API takes; the quota of an account may be smaller."""
    pattern = named.get("event_pattern") or ""
    if len(pattern) > _LONGEST_PATTERN:
        at = f"Value '{pattern}' at 'eventPattern' failed to satisfy constraint"
        limit = f"Member must have length less than or equal to {_LONGEST_PATTERN}"
        raise ValidationException(f"1 validation error detected: {at}: {limit}")
    return original(backend, name, *arguments, **named)


@patch(Rule, "send_to_targets")
def _send_to_targets(original: Any, rule: Rule, *arguments: Any, **named: Any) -> None:
    """Skip scheduled rules: they have no event pattern, which moto treats as one that matches every event."""
    if not rule.scheduled_expression:
        original(rule, *arguments, **named)


@patch(Rule, "_send_to_sqs_queue")
def _send_to_sqs_queue(original: Any, rule: Rule, name: str, *arguments: Any, **named: Any) -> None:
    """Drop an event for a queue whose policy does not let EventBridge send it for this rule."""
    queue = queue_of(f"arn:aws:sqs:{rule.region_name}:{rule.account_id}:{name}")
    if queue is not None and may_send(EVENT_BRIDGE, queue, rule.arn, rule.account_id):
        original(rule, name, *arguments, **named)


def _kept(event: dict[str, Any], region: str) -> dict[str, Any]:
    time = event.get("Time")
    happened = datetime.fromtimestamp(float(time), UTC) if time is not None else datetime.now(UTC)
    return {
        "source": event["Source"],
        "detail-type": event["DetailType"],
        "detail": json.loads(event["Detail"]),
        "time": happened.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "region": region,
        "resources": event.get("Resources", []),
    }
