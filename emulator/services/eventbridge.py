"""EventBridge: events from PutEvents are kept for `GET /_emulator/events`.

Schedules receive no events, and queues and other accounts only what their policies allow.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

from __future__ import annotations

import json
from copy import copy
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from moto.events.exceptions import ValidationException
from moto.events.models import EventsBackend, Rule

from emulator.calls.call import current_call
from emulator.patching import patch
from emulator.services import event_forwarding
from emulator.services.queue_policies import EVENT_BRIDGE, may_send
from emulator.services.sqs import queue_of
from emulator.state import active

_LONGEST_PATTERN = 4096
"""Characters. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html"""


@patch(EventsBackend, "put_events")
def _put_events(original: Any, backend: EventsBackend, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if any(_is_elsewhere(backend, event) for event in events):
        entries = [_put_elsewhere(original, backend, event) for event in events]
    else:
        entries = original(backend, events)
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


def _is_elsewhere(backend: EventsBackend, event: dict[str, Any]) -> bool:
    bus = str(event.get("EventBusName") or "").split(":")
    return len(bus) > 4 and bus[4] != backend.account_id


def _put_elsewhere(original: Any, backend: EventsBackend, event: dict[str, Any]) -> dict[str, Any]:
    """Put one event on a bus, which may be of another account: then the event keeps the account that sends it."""
    if not _is_elsewhere(backend, event):
        (entry,) = original(backend, [event])
        return dict(entry)
    bus = event_forwarding.bus_of(str(event["EventBusName"]))
    if bus is None:
        return {"ErrorCode": "ResourceNotFoundException", "ErrorMessage": "Event bus does not exist."}
    message = {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": event["DetailType"],
        "source": event["Source"],
        "account": backend.account_id,
        "time": float(event.get("Time") or datetime.now(UTC).timestamp()),
        "region": backend.region_name,
        "resources": event.get("Resources", []),
        "detail": json.loads(event["Detail"]),
    }
    event_forwarding.deliver(bus, message)
    return {"EventId": message["id"]}


@patch(Rule, "send_to_targets")
def _send_to_targets(original: Any, rule: Rule, event: Any, *arguments: Any, **named: Any) -> None:
    """Skip scheduled rules: they have no event pattern, which moto treats as one that matches every event.

    moto looks for a queue of another account in the rule's own, and asks no bus whether it wants an event.
    """
    if rule.scheduled_expression:
        return
    elsewhere = [each for each in rule.targets if event_forwarding.account_of(each) not in ("", rule.account_id)]
    if elsewhere and rule.event_pattern.matches_event(event):
        for target in elsewhere:
            event_forwarding.send_on(rule, target, event)
    here = rule if not elsewhere else copy(rule)
    if elsewhere:
        here.targets = [each for each in rule.targets if each not in elsewhere]
    original(here, event, *arguments, **named)


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
