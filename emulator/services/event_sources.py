"""Event source mappings: Lambda refuses one whose function may not receive from the queue.

Separate from the queues themselves: here the role of a function is evaluated, for what Lambda does in its name.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException
from moto.awslambda.models import EventSourceMapping, LambdaBackend, LambdaFunction

from emulator.iam import actions
from emulator.iam.principals import Principal
from emulator.patching import patch
from emulator.services.authorization import denial
from emulator.services.sqs import queue_of


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


def _check(function: LambdaFunction, queue: str) -> None:
    caller = Principal("replicator", "", function.function_name, function.region, str(function.role))
    known, account = queue_of(queue), queue.split(":")[4]
    for action in actions.OF_QUEUE_POLLERS:
        policy = known.policy if known else None
        if denial(caller, action, queue, account=account, region=function.region, policy=policy):
            name = action.removeprefix("sqs:")
            raise InvalidParameterValueException(
                f"The provided execution role does not have permissions to call {name} on SQS"
            )
