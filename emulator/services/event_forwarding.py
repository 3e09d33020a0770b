"""Events that a rule sends on to another account: to an event bus or a queue there, as far as both sides allow.

Separate from EventBridge within an account, which moto performs. An event keeps the account, the Region, the time and
the id that it has. What came from another account is not sent on to a third one.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-perms.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-cross-account.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from moto.core.utils import iso_8601_datetime_without_milliseconds
from moto.events.models import EventBus, Rule, events_backends
from moto.sqs.models import sqs_backends

from emulator.iam.evaluation import evaluate
from emulator.iam.policies import Identity, Policy, RequestContext, Service, read
from emulator.services.iam import policies_of, trust_policy_of, with_resource
from emulator.services.queue_policies import EVENT_BRIDGE
from emulator.services.sqs import queue_of

Event = Mapping[str, Any]
_EVERYTHING = Policy(({"Effect": "Allow", "Action": "events:PutEvents", "Resource": "*"},), "the account's own rule")


class _Asked(NamedTuple):
    """What a rule wants to do with a target, and the policy of the target."""

    action: str
    arn: str
    policy: str | None


def account_of(target: Mapping[str, Any]) -> str:
    """Return the account of a rule's target; empty where the ARN names none."""
    parts = str(target["Arn"]).split(":")
    return parts[4] if len(parts) > 4 else ""


def send_on(rule: Rule, target: Mapping[str, Any], event: Event) -> None:
    """Send an event to a target in another account, or lose it where either side does not allow that."""
    arn, role = str(target["Arn"]), str(target.get("RoleArn") or "")
    if event["account"] != rule.account_id:
        return
    if ":event-bus/" in arn and (bus := bus_of(arn)) is not None:
        if _may(rule, role, event, _Asked("events:PutEvents", arn, bus.policy)):
            deliver(bus, event)
        return
    queue = queue_of(arn) if ":sqs:" in arn and role else None
    if queue is not None and _may(rule, role, event, _Asked("sqs:SendMessage", arn, queue.policy)):
        sqs_backends[queue.account_id][queue.region].send_message(queue.name, json.dumps(_timed(event)))


def bus_of(arn: str) -> EventBus | None:
    """Return an event bus by its ARN; None if there is none."""
    _, _, _, region, account, resource = arn.split(":", 5)
    bus: EventBus | None = events_backends[account][region].event_buses.get(resource.removeprefix("event-bus/"))
    return bus


def deliver(bus: EventBus, event: Event) -> None:
    """Send an event to the rules of a bus that are enabled."""
    for rule in list(bus.rules.values()):
        if rule.state == "ENABLED":
            rule.send_to_targets({**event}, transform_input=False)  # type: ignore[typeddict-item]


def _may(rule: Rule, role: str, event: Event, asked: _Asked) -> bool:
    """Return whether the target's policy and the rule's role allow it; without a role, the sender is the account."""
    conditions = {
        "aws:SourceArn": rule.arn,
        "aws:SourceAccount": rule.account_id,
        "events:source": str(event["source"]),
        "events:detail-type": str(event["detail-type"]),
    }
    root = f"arn:aws:iam::{rule.account_id}:root"
    sender = Identity(frozenset({role or root}), rule.account_id)
    request = RequestContext(sender, asked.action, asked.arn, conditions, asked.arn.split(":")[4])
    if role and not _may_assume(rule, role):
        return False
    own = policies_of(role) if role else (_EVERYTHING,)
    return evaluate(request, own, read(asked.policy) if asked.policy else None).allowed


def _may_assume(rule: Rule, role: str) -> bool:
    trust, conditions = trust_policy_of(role), {"aws:SourceArn": rule.arn, "aws:SourceAccount": rule.account_id}
    request = RequestContext(Service(EVENT_BRIDGE), "sts:AssumeRole", role, conditions, role.split(":")[4])
    return trust is not None and evaluate(request, (), read(with_resource(trust))).allowed


def _timed(event: Event) -> dict[str, Any]:
    """Return an event as a queue receives it, with its time as text."""
    return {**event, "time": iso_8601_datetime_without_milliseconds(datetime.fromtimestamp(float(event["time"]), UTC))}
