"""What Lambda refuses of an event source mapping of a queue, where moto accepts it: as recorded on AWS or documented.

Separate from the permissions that a mapping needs, which `event_sources` evaluates.
https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError
from moto.awslambda.models import EventSourceMapping, LambdaBackend, LambdaFunction
from moto.sqs.models import Queue

from emulator.patching import patch
from emulator.services.event_filters import LONGEST_PATTERN, MOST_FILTERS, is_pattern
from emulator.services.sqs import queue_of

# A batch larger than this needs a batch window.
_SMALL_BATCH = 10
_POLLERS = {"MinimumPollers": (2, 200), "MaximumPollers": (2, 10_000)}
_USUAL_POLLERS = {"MinimumPollers": 2, "MaximumPollers": 200}
_NO_QUEUE = (
    "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
    "SQS Error Message: The specified queue does not exist."
)


class MappingExistsError(LambdaClientError):
    """409 ResourceConflictException: the function has a mapping of the queue."""

    code = 409

    def __init__(self, queue: str, function: str, known: str) -> None:
        what = f'An event source mapping with SQS arn (" {queue} ") and function (" {function} ") already exists.'
        super().__init__(
            "ResourceConflictException", f"{what} Please update or delete the existing mapping with UUID {known}"
        )


@patch(LambdaBackend, "create_event_source_mapping")
def _create(
    original: Callable[[LambdaBackend, dict[str, Any]], EventSourceMapping],
    backend: LambdaBackend,
    spec: dict[str, Any],
) -> EventSourceMapping:
    arn = str(spec.get("EventSourceArn", ""))
    if ":sqs:" in arn:
        function = backend.get_function(spec["FunctionName"])
        if (queue := queue_of(arn)) is None:
            raise InvalidParameterValueException(_NO_QUEUE)
        _check_batches(spec)
        _check_scaling(spec)
        _check_filters(spec)
        _check_timeout(function, queue)
        for known in backend._event_source_mappings.values():  # noqa: SLF001 - moto has no public access
            if (known.event_source_arn, known.function_arn) == (arn, function.function_arn):
                raise MappingExistsError(arn, function.function_name, known.uuid)
    return original(backend, spec)


@patch(LambdaBackend, "update_event_source_mapping")
def _update(
    original: Callable[..., EventSourceMapping | None], backend: LambdaBackend, uuid: str, spec: dict[str, Any]
) -> EventSourceMapping | None:
    known = backend.get_event_source_mapping(uuid)
    if known is not None and ":sqs:" in known.event_source_arn:
        now = {"BatchSize": known.batch_size, "MaximumBatchingWindowInSeconds": known.max_batch_window}
        _check_batches({**now, **spec})
        scaling = {"ScalingConfig": known.scaling_config, "ProvisionedPollerConfig": known.poller_config}
        _check_scaling({**scaling, **spec})
        _check_filters(spec)
    return original(backend, uuid, spec)


def _check_batches(spec: Mapping[str, Any]) -> None:
    if int(spec.get("BatchSize") or _SMALL_BATCH) > _SMALL_BATCH and not spec.get("MaximumBatchingWindowInSeconds"):
        words = f"must be greater than 0 if maximum batch size is greater than {_SMALL_BATCH}"
        raise InvalidParameterValueException(f"Maximum batch window in seconds {words}")


def _check_scaling(spec: Mapping[str, Any]) -> None:
    """Refuse pollers beside a maximum concurrency, and numbers of them that a queue may not have.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
    https://docs.aws.amazon.com/lambda/latest/api/API_ProvisionedPollerConfig.html
    """
    pollers = spec.get("ProvisionedPollerConfig")
    if not pollers:
        return
    if (spec.get("ScalingConfig") or {}).get("MaximumConcurrency"):
        raise InvalidParameterValueException("MaximumConcurrency and ProvisionedPollerConfig exclude each other.")
    chosen = {name: int(pollers.get(name) or usual) for name, usual in _USUAL_POLLERS.items()}
    for name, (least, most) in _POLLERS.items():
        if not least <= chosen[name] <= most:
            raise InvalidParameterValueException(f"{name} of an SQS queue must be between {least} and {most}.")
    if chosen["MinimumPollers"] > chosen["MaximumPollers"]:
        raise InvalidParameterValueException("MinimumPollers must not be greater than MaximumPollers.")


def _check_filters(spec: Mapping[str, Any]) -> None:
    filters = (spec.get("FilterCriteria") or {}).get("Filters", [])
    if len(filters) > MOST_FILTERS:
        raise InvalidParameterValueException(f"An event source mapping may have at most {MOST_FILTERS} filters.")
    for each in filters:
        text = each.get("Pattern", "{}")
        if len(text) > LONGEST_PATTERN:
            raise InvalidParameterValueException(f"A filter pattern may have at most {LONGEST_PATTERN} characters.")
        try:
            pattern = json.loads(text)
        except ValueError:
            pattern = None
        if not isinstance(pattern, dict) or not is_pattern(pattern):
            raise InvalidParameterValueException("Invalid filter pattern definition.")
        if pattern.keys() - {"body"}:
            raise InvalidParameterValueException("Filters of an SQS queue may look at the body only.")


def _check_timeout(function: LambdaFunction, queue: Queue) -> None:
    """Refuse a queue that would return messages while the function may still process them."""
    visibility, timeout = int(queue.visibility_timeout), int(function.timeout)  # type: ignore[attr-defined]
    if visibility < timeout:
        words = f"is less than Function timeout: {timeout} seconds"
        raise InvalidParameterValueException(f"Queue visibility timeout: {visibility} seconds {words}")
