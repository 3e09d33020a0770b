"""The path of every request: faults, latency, permissions and the log around whatever answers it.

`emulator.s3` answers S3's operations on objects; moto's own applications answer everything else.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from http import HTTPStatus
from time import sleep
from typing import Any
from xml.parsers.expat import ExpatError

from flask import Flask
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from emulator import s3
from emulator.calls.answers import Answer, error_answer, error_xml, malformed_xml, request_id
from emulator.calls.call import Call, current_call
from emulator.calls.operations import read_call
from emulator.fault_injection.faults import MESSAGE, Delay, Kill, OkWithError, Status, Then
from emulator.iam.principals import ACCOUNT, is_itself
from emulator.s3.batch import operations as batch
from emulator.services import access, callers, sts
from emulator.serving import control
from emulator.state import Emulator

_ERROR_CODE = re.compile(rb'(?:<Code>|"__type": ?"(?:[^"#]*#)?)([\w.]+)')
# By this header moto knows whose call it is.
_ACCOUNT = "HTTP_X_MOTO_ACCOUNT_ID"
# Services of which the emulator answers some operations itself; None leaves one to moto.
_OURS: Mapping[str, Callable[[Call, dict[str, Any]], Answer | None]] = {"s3control": batch.answer, "sts": sts.answer}
_REQUEST_ID = re.compile(rb"<RequestId>(\w+)</RequestId>")


class UnansweredError(Exception):
    """A fault killed the caller: its connection closes without a response."""


class Dispatcher(DomainDispatcherApplication):
    """moto's dispatcher with a cache: moto itself looks for a service's module on disk at every request."""

    def __init__(self, create_app: Callable[[Any], Flask]) -> None:
        super().__init__(create_app)
        self._known: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        """Return the name of the backend that serves a host."""
        if host not in self._known:
            self._known[host] = super().get_backend_for_host(host)
        return self._known[host]


class Gateway:
    """The WSGI application of an emulator."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._moto = Dispatcher(create_backend_app)
        # moto checks a condition and then writes; DynamoDB does both atomically.
        self._dynamodb = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request. Raises UnansweredError."""
        path = environ["PATH_INFO"]
        if path.startswith("/_emulator"):
            answer = control.answer(self._emulator, environ)
        elif path.startswith("/moto-api"):
            answer = self._from_moto(environ)
        else:
            answer = self._aws(environ)
        status = HTTPStatus(answer.status)
        headers = answer.headers
        if environ["REQUEST_METHOD"] != "HEAD" and answer.status not in (204, 304):
            headers = {name: value for name, value in headers.items() if name.lower() != "content-length"}
            headers["Content-Length"] = str(len(answer.body))
        start_response(f"{status.value} {status.phrase}", list(headers.items()))
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else answer.body]

    def _aws(self, environ: dict[str, Any]) -> Answer:
        call = read_call(environ, callers.principal_of)
        environ[_ACCOUNT] = call.principal.account or ACCOUNT
        if is_itself(call.access_key_id):
            return self._perform(call, environ)
        with self._emulator.requests.open(call):
            fault = self._emulator.faults.take(call)
            try:
                answer = self._answer(call, environ, fault)
            except UnansweredError:
                self._emulator.requests.add(call, status=0, fault=_named(fault))
                raise
            code = _ERROR_CODE.search(answer.body) if answer.status >= 400 or isinstance(fault, OkWithError) else None
            self._emulator.requests.add(call, answer.status, code[1].decode() if code else None, _named(fault))
            return answer

    def _answer(self, call: Call, environ: dict[str, Any], fault: Then | None) -> Answer:
        match fault:
            case Status(status, code, message):
                return error_answer(call, status, code, message)
            case OkWithError(code):
                return Answer(200, {"Content-Type": "application/xml"}, error_xml(code, MESSAGE))
            case Kill("before"):
                self._emulator.principals.kill(call.process)
                raise UnansweredError
            case Kill("after"):
                self._perform(call, environ)
                self._emulator.principals.kill(call.process)
                raise UnansweredError
            case Delay(milliseconds):
                sleep(milliseconds / 1000)
        if self._emulator.latency and (wait := self._emulator.latency.seconds(call, *s3.regions(call))):
            sleep(wait)
        return self._perform(call, environ)

    def _perform(self, call: Call, environ: dict[str, Any]) -> Answer:
        if refused := callers.check(call):
            return refused
        token = current_call.set(call)
        try:
            if call.service != "s3":
                needs = access.needs_of(call, environ)
                if refused := access.check(call, needs):
                    return refused
                environ[_ACCOUNT] = access.owner(call, needs)
            if call.service == "dynamodb":
                with self._dynamodb:
                    return self._unless_missing(call, environ)
            if (ours := _OURS.get(call.service)) and (answer := ours(call, environ)):
                return answer
            if call.service != "s3":
                return self._unless_missing(call, environ)
            answer = s3.answer(call, environ) or self._s3_from_moto(environ)
            named = _REQUEST_ID.search(answer.body) if answer.status >= 400 else None
            answer.headers["x-amz-request-id"] = named[1].decode() if named else request_id()
            answer.headers.update({"x-amz-id-2": "emulator", "Server": "AmazonS3"})
            return answer
        finally:
            current_call.reset(token)

    def _unless_missing(self, call: Call, environ: dict[str, Any]) -> Answer:
        """Answer as moto does, and refuse by name what it does not implement."""
        try:
            return self._from_moto(environ)
        except NotImplementedError:
            return error_answer(call, 501, "NotImplemented", f"The emulator does not implement {call.operation}.")

    def _s3_from_moto(self, environ: dict[str, Any]) -> Answer:
        try:
            return self._from_moto(environ)
        except (ExpatError, KeyError):  # moto fails on a body that the operation does not take
            return malformed_xml().answer()

    def _from_moto(self, environ: dict[str, Any]) -> Answer:
        started: list[Any] = []
        body = b"".join(self._moto(environ, lambda *begin: started.extend(begin)))
        return Answer(int(started[0].split()[0]), dict(started[1]), body)


def _named(fault: Then | None) -> str | None:
    return None if fault is None else f"{type(fault).__name__.lower()} {' '.join(map(str, asdict(fault).values()))}"
