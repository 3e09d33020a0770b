"""The function host of a running emulator: functions, queue poller and schedules together.

Separate from these parts so that each can be tested alone. The server's control endpoints call it.
https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.awslambda.models import LambdaFunction, lambda_backends
from moto.cloudformation.models import cloudformation_backends
from moto.cloudwatch.models import cloudwatch_backends

from emulator import state
from emulator.functions import schedules
from emulator.functions.deployed import deployed, every_backend, retries_of
from emulator.functions.invoking import Functions
from emulator.functions.parked import anything_parked
from emulator.functions.poller import Poller
from emulator.functions.processes import Answer
from emulator.patching import patch

LOG = logging.getLogger(__name__)
# How long a synchronous invocation waits for a free process; seconds.
_PATIENCE = 60.0


class Host:
    """Everything that invokes functions. Satisfies `state.FunctionHost`."""

    def __init__(
        self,
        emulator: state.Emulator,
        *,
        crash_visibility: float | None = None,
        processes_per_function: int | None = None,
        echo: Callable[[str], None] | None = None,
    ) -> None:
        self._emulator = emulator
        self.functions = Functions(
            emulator.endpoint,
            emulator.principals,
            self._publish,
            processes_per_function=processes_per_function,
            echo=echo,
        )
        self._poller = Poller(self.functions, crash_visibility=crash_visibility)
        self._clock = schedules.Clock(self.run_in_background)

    def start(self) -> None:
        """Start the queue poller and the schedules."""
        self._emulator.functions = self
        self._poller.start()
        self._clock.start()

    def stop(self) -> None:
        """Stop every process and thread."""
        self._clock.stop()
        self._poller.stop()
        self.functions.stop()

    def idle(self) -> bool:
        """Return whether no function runs, nothing is parked, and the queues with a mapping are empty, also in flight.

        Queues are checked one after the other. An invocation that began meanwhile may have moved a message from a queue
        not checked yet to one already checked; then the answer is False.
        """
        before = self.functions.begun
        quiet = self.functions.idle() and self._poller.idle() and not anything_parked() and self.functions.idle()
        return quiet and self.functions.begun == before

    def invoke(self, stack: str, function: str, event: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        """Invoke a function and return its result, or its error in Lambda's format.

        `timeout`: seconds to wait for a free process. Raises LookupError if the function is not deployed, TimeoutError
        if no process becomes free.
        """
        return _as_document(self.functions.invoke(_function(stack, function), event, timeout))

    def fire(self, stack: str, function: str) -> Any:
        """Run a scheduled function now with the event that its schedule sends, and return its result.

        Raises LookupError, with a message for the caller, if there is no such stack, function or schedule.
        """
        found = _function(stack, function)
        schedule = next((each for each in schedules.schedules() if each.target == found.function_arn), None)
        if schedule is None:
            raise LookupError(f"{function} of {stack} has no schedule; invoke it with an event instead.")
        return _as_document(self.functions.invoke(found, schedule.event(datetime.now(UTC)), _PATIENCE))

    def logs(self, stack: str, function: str) -> list[str]:
        """Return the last lines that a function logged. Raises LookupError if it is not deployed."""
        return self.functions.logs(_function(stack, function).function_name)

    def invoke_by_arn(self, arn: str, event: Any) -> Answer:
        """Invoke the function with this ARN. Raises LookupError if it does not exist, TimeoutError if it stays busy."""
        function = deployed(arn)
        if function is None:
            raise LookupError(f"There is no function {arn}.")
        return self.functions.invoke(function, event, _PATIENCE)

    def run_in_background(self, arn: str, event: Any) -> None:
        """Invoke a function asynchronously; its result is discarded. An invocation that fails is tried twice again.

        The waits before are AWS's, or what tests set; a function may want fewer tries, and no old events.
        https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
        """
        self._in_thread(arn, event, 0, time.monotonic())

    def _in_thread(self, arn: str, event: Any, tried: int, since: float) -> None:
        threading.Thread(
            target=self._run_quietly, args=(arn, event, tried, since), name=f"invoke {arn}", daemon=True
        ).start()

    def _run_quietly(self, arn: str, event: Any, tried: int, since: float) -> None:
        with contextlib.suppress(LookupError, TimeoutError):
            answer = self.invoke_by_arn(arn, event)
            if answer.error is not None or answer.crashed:
                self._try_again(arn, event, tried, since)

    def _try_again(self, arn: str, event: Any, tried: int, since: float) -> None:
        """Wait, which the emulator does not count as work, and invoke once more."""
        most, oldest = retries_of(arn)
        waits = self._emulator.limits.retry_seconds
        if tried >= most or time.monotonic() - since + waits[tried] > oldest:
            return
        timer = threading.Timer(waits[tried], self._in_thread, (arn, event, tried + 1, since))
        timer.daemon = True
        timer.start()

    def _publish(self, region: str, account: str, metrics: list[dict[str, Any]]) -> None:
        """Keep metrics for the control endpoint, and put them into CloudWatch."""
        self._emulator.metrics.extend({**entry, "region": region} for entry in metrics)
        cloudwatch = cloudwatch_backends[account][region]
        for entry in metrics:
            datum = {
                "MetricName": entry["metric"],
                "Dimensions": [{"Name": name, "Value": value} for name, value in entry["dimensions"].items()],
                "Timestamp": datetime.fromtimestamp(entry["time"] / 1000, UTC).replace(tzinfo=None),
                "Values": entry["values"],
                "Unit": entry["unit"],
            }
            try:
                cloudwatch.put_metric_data(entry["namespace"], [datum])
            except Exception as error:
                LOG.warning("CloudWatch rejects metric %s of %s: %s", entry["metric"], entry["function"], error)


def _as_document(answer: Answer) -> dict[str, Any]:
    document: dict[str, Any] = dict(answer.error) if answer.error is not None else answer.value
    return document


def _function(stack: str, logical_id: str) -> LambdaFunction:
    """Return a deployed function by its stack's name and its logical id. Raises LookupError."""
    names = []
    for region, backend in every_backend(cloudformation_backends):
        for each in list(backend.stacks.values()):
            names.append(each.name)
            if each.name == stack:
                resource: Any = each.resource_map[logical_id] if logical_id in each.resource_map.resources else None
                if getattr(resource, "kind", None) != "AWS::Lambda::Function":
                    raise LookupError(f"The stack {stack} has no function {logical_id}.")
                function: LambdaFunction = lambda_backends[each.account_id][region].get_function(resource.name)
                return function
    raise LookupError(f"There is no stack {stack}; deployed: {', '.join(sorted(names)) or 'none'}.")


@patch(LambdaFunction, "invoke")
def _invoke(
    _: Callable[..., str | bytes], function: LambdaFunction, body: str, request_headers: Any, response_headers: Any
) -> str | bytes:
    """Answer Lambda's Invoke with the function host, instead of moto's containers."""
    host = state.active().functions
    event = json.loads(body) if body else {}
    kind = request_headers.get("X-Amz-Invocation-Type", "RequestResponse")
    if not isinstance(host, Host) or kind == "DryRun":
        return b""
    if kind == "Event":
        host.run_in_background(function.function_arn, event)
        return b""
    answer = host.invoke_by_arn(function.function_arn, event)
    if answer.error is not None:
        response_headers["x-amz-function-error"] = "Unhandled"
    return json.dumps(_as_document(answer)).encode()
