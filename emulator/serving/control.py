"""The control endpoints under /_emulator, by which tests and the demo inject faults, read logs and wait.

Every response is JSON. The response to an invalid body is status 400 with `{"error": "what to send instead"}`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from emulator.calls.answers import Answer
from emulator.fault_injection.delivery import DeliverySettings
from emulator.fault_injection.faults import BadRequestError, read_faults
from emulator.state import Emulator, Limits

_POLL_SECONDS = 0.02
_DELIVERY_SWITCHES = ("shuffle", "unequal_sequencers", "version_ids")


def answer(emulator: Emulator, environ: Mapping[str, Any]) -> Answer:
    """Answer a request to a control endpoint."""
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix("/_emulator").strip("/")
    route = _ROUTES.get((method, path))
    if route is None:
        routes = [f"{method} /_emulator/{path}" for method, path in _ROUTES]
        return _json(404, {"error": f"There is no endpoint {method} /_emulator/{path}.", "routes": routes})
    try:
        return _json(200, route(emulator, environ))
    except BadRequestError as error:
        return _json(400, {"error": str(error)})


def _json(status: int, content: Any) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(content, default=str).encode())


def _body(environ: Mapping[str, Any]) -> Any:
    try:
        return json.loads(environ["wsgi.input"].getvalue())
    except ValueError:
        raise BadRequestError("The body must be JSON.") from None


def _object(environ: Mapping[str, Any], example: str, *fields: str) -> dict[str, Any]:
    body = _body(environ)
    if not isinstance(body, dict) or body.keys() - set(fields):
        raise BadRequestError(f"The body must be an object with the fields {', '.join(fields)}, such as {example}.")
    return body


def _number(body: Mapping[str, Any], name: str, default: float, largest: float = float("inf")) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= largest:
        most = "" if largest == float("inf") else f" and at most {largest:g}"
        raise BadRequestError(f"{name!r} must be a number of at least 0{most}, not {value!r}.")
    return value


def _idle(emulator: Emulator, environ: Mapping[str, Any]) -> Any:
    given = parse_qs(environ.get("QUERY_STRING", "")).get("timeout", ["30"])[0]
    try:
        until = time.monotonic() + float(given)
    except ValueError:
        raise BadRequestError(f"'timeout' must be a number of seconds, not {given!r}.") from None
    while not (idle := emulator.idle()) and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
    return {"idle": idle}


def _add_faults(emulator: Emulator, environ: Mapping[str, Any]) -> Any:
    """Append faults to the list: earlier ones stay, and are matched first."""
    emulator.faults.add(read_faults(_body(environ)))
    return emulator.faults.all()


def _clear_faults(emulator: Emulator, _: Mapping[str, Any]) -> Any:
    emulator.faults.clear()
    return []


def _set_delivery(emulator: Emulator, environ: Mapping[str, Any]) -> Any:
    example = '{"duplicate": 0.3, "shuffle": true, "seed": 1, "unequal_sequencers": true, "version_ids": false}'
    body = _object(environ, example, "duplicate", "seed", *_DELIVERY_SWITCHES)
    seed = body.get("seed")
    for name in _DELIVERY_SWITCHES:
        if not isinstance(body.get(name, False), bool):
            raise BadRequestError(f"'{name}' must be true or false, not {body[name]!r}.")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        raise BadRequestError(f"'seed' must be a whole number, not {seed!r}.")
    duplicate = _number(body, "duplicate", 0.0, largest=1.0)
    switches = {name: body[name] for name in _DELIVERY_SWITCHES if name in body}
    emulator.delivery.configure(DeliverySettings(duplicate=duplicate, seed=seed, **switches))
    return _get_delivery(emulator, environ)


def _get_delivery(emulator: Emulator, _: Mapping[str, Any]) -> Any:
    return vars(emulator.delivery.settings)


def _set_latency(emulator: Emulator, environ: Mapping[str, Any]) -> Any:
    example = '{"local_ms": 5, "cross_region_ms": 80, "copy_mb_per_s": 50}'
    body = _object(environ, example, "local_ms", "cross_region_ms", "copy_mb_per_s")
    emulator.latency.local_ms = _number(body, "local_ms", 0.0)
    emulator.latency.cross_region_ms = _number(body, "cross_region_ms", 0.0)
    emulator.latency.copy_mb_per_s = _number(body, "copy_mb_per_s", 0.0)
    return vars(emulator.latency)


def _set_limits(emulator: Emulator, environ: Mapping[str, Any]) -> Any:
    body = _object(environ, '{"sqs_in_flight": 100}', "sqs_in_flight")
    quota = body.get("sqs_in_flight", Limits.in_flight_messages)
    if isinstance(quota, bool) or not isinstance(quota, int) or quota < 1:
        raise BadRequestError(f"'sqs_in_flight' must be a whole number of at least 1, not {quota!r}.")
    emulator.limits.in_flight_messages = quota
    return _get_limits(emulator, environ)


def _get_limits(emulator: Emulator, _: Mapping[str, Any]) -> Any:
    return {"sqs_in_flight": emulator.limits.in_flight_messages}


def _clear_requests(emulator: Emulator, _: Mapping[str, Any]) -> Any:
    emulator.requests.clear()
    return []


def _fire(emulator: Emulator, environ: Mapping[str, Any]) -> Any:
    body = _object(environ, '{"stack": "replicator", "function": "MonitorFunction"}', "stack", "function")
    stack, function = body.get("stack"), body.get("function")
    if not isinstance(stack, str) or not isinstance(function, str):
        raise BadRequestError("'stack' must be a stack's name, and 'function' the logical id of one of its functions.")
    try:
        return {"stack": stack, "function": function, "result": emulator.functions.fire(stack, function)}
    except LookupError as error:
        raise BadRequestError(str(error.args[0] if error.args else error)) from None


def _kept(kind: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return the handlers that show and that empty one of the emulator's lists."""

    def show(emulator: Emulator, _: Mapping[str, Any]) -> Any:
        return list(getattr(emulator, kind))

    def empty(emulator: Emulator, _: Mapping[str, Any]) -> Any:
        getattr(emulator, kind).clear()
        return []

    return show, empty


_authorizations, _clear_authorizations = _kept("authorizations")
_metrics, _clear_metrics = _kept("metrics")
_events, _clear_events = _kept("events")
_ROUTES: Mapping[tuple[str, str], Callable[[Emulator, Mapping[str, Any]], Any]] = {
    ("GET", "idle"): _idle,
    ("GET", "faults"): lambda emulator, _: emulator.faults.all(),
    ("POST", "faults"): _add_faults,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "delivery"): _get_delivery,
    ("POST", "delivery"): _set_delivery,
    ("GET", "latency"): lambda emulator, _: vars(emulator.latency),
    ("POST", "latency"): _set_latency,
    ("GET", "limits"): _get_limits,
    ("POST", "limits"): _set_limits,
    ("GET", "requests"): lambda emulator, _: emulator.requests.rows(),
    ("DELETE", "requests"): _clear_requests,
    ("GET", "authorizations"): _authorizations,
    ("DELETE", "authorizations"): _clear_authorizations,
    ("GET", "metrics"): _metrics,
    ("DELETE", "metrics"): _clear_metrics,
    ("GET", "events"): _events,
    ("DELETE", "events"): _clear_events,
    ("POST", "fire"): _fire,
}
