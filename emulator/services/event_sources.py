"""Event source mappings: Lambda polls a queue with the role of the function, and refuses a mapping if that may not.

Separate from the queues themselves: here the role of a function is evaluated, for what Lambda does in its name.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException
from moto.awslambda.models import EventSourceMapping, LambdaBackend, LambdaFunction
from moto.sqs.models import Queue

from emulator.iam import actions
from emulator.iam.principals import Principal
from emulator.patching import patch
from emulator.services.authorization import denial, may
from emulator.services.sqs import queue_of

_DELETE = "sqs:DeleteMessage"


@patch(LambdaBackend, "create_event_source_mapping")
def _create_event_source_mapping(
    original: Callable[[LambdaBackend, dict[str, Any]], EventSourceMapping],
    backend: LambdaBackend,
    spec: dict[str, Any],
) -> EventSourceMapping:
    """Refuse a mapping whose function's role may not do what a poller does."""
    arn = str(spec.get("EventSourceArn", ""))
    if ":sqs:" in arn and queue_of(arn) is not None:
        _check(backend.get_function(spec["FunctionName"]), arn)
    return original(backend, spec)


def may_poll(function: LambdaFunction, queue: Queue) -> bool:
    """Return whether Lambda may receive from a queue now: the role or the queue's policy may have changed."""
    return all(_may(function, queue, action) for action in actions.OF_QUEUE_POLLERS if action != _DELETE)


def may_delete(function: LambdaFunction, queue: Queue) -> bool:
    """Return whether Lambda may delete a message that succeeded; if not, it comes back."""
    return _may(function, queue, _DELETE)


def _may(function: LambdaFunction, queue: Queue, action: str) -> bool:
    return may(_caller(function), action, str(queue.queue_arn), region=function.region, policy=queue.policy)


def _caller(function: LambdaFunction) -> Principal:
    return Principal("replicator", "", function.function_name, function.region, str(function.role))


def _check(function: LambdaFunction, queue: str) -> None:
    caller = _caller(function)
    known, account = queue_of(queue), queue.split(":")[4]
    for action in actions.OF_QUEUE_POLLERS:
        policy = known.policy if known else None
        if denial(caller, action, queue, account=account, region=function.region, policy=policy):
            name = action.removeprefix("sqs:")
            raise InvalidParameterValueException(
                f"The provided execution role does not have permissions to call {name} on SQS"
            )
