"""What runs inside function processes: a server that forks them, and Lambda's Python runtime in each.

Runs as a script, by the interpreter in isolated mode, so that a function sees what it would see on Lambda: its own
code, boto3 and its environment. The fork server has imported boto3, which is most of a cold start; it has neither
threads nor connections, so forking it is safe. Uses the standard library only.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import os
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from typing import Any, NoReturn

_LENGTH = struct.Struct("!I")


def send(channel: socket.socket, message: dict[str, Any]) -> None:
    """Send one message: its length, then JSON."""
    body = json.dumps(message).encode()
    channel.sendall(_LENGTH.pack(len(body)) + body)


def receive(channel: socket.socket) -> dict[str, Any] | None:
    """Wait for one message; return None if the other side has closed the connection."""
    head = _exactly(channel, _LENGTH.size)
    if head is None:
        return None
    body = _exactly(channel, _LENGTH.unpack(head)[0])
    message: dict[str, Any] | None = None if body is None else json.loads(body)
    return message


def _exactly(channel: socket.socket, count: int) -> bytes | None:
    received = b""
    while len(received) < count:
        chunk = channel.recv(count - len(received))
        if not chunk:
            return None
        received += chunk
    return received


class Context:
    """Lambda's context object.

    https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
    """

    identity = None
    client_context = None

    def __init__(self, request: dict[str, Any]) -> None:
        self._deadline = time.monotonic() + request["timeout"]
        self.aws_request_id: str = request["request_id"]
        self.invoked_function_arn: str = request["arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the invocation times out."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))

    def log(self, text: str) -> None:
        """Write to the function's log."""
        sys.stdout.write(text)


def fork_on_request(control: socket.socket, lifeline: int) -> None:
    """Fork a function process for every request on `control`, until the emulator closes the socket."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, 1, 2)
        if not request:
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            _run(socket.socket(fileno=descriptors[0]), descriptors[1], lifeline)
        for descriptor in descriptors:
            os.close(descriptor)
        control.sendall(struct.pack("!i", pid))


def _run(channel: socket.socket, output: int, lifeline: int) -> NoReturn:
    """Run as a function process; never return into the fork server's code."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        threading.Thread(target=_die_with_the_emulator, args=(lifeline,), daemon=True).start()
        _take_output(output)
        start = receive(channel)
        if start is not None:
            _become(start)
            _serve(channel, start["handler"])
    except SystemExit as leaving:
        _leave(leaving.code if isinstance(leaving.code, int) else 1)
    except BaseException:
        traceback.print_exc()
        _leave(1)
    _leave(0)


def _leave(status: int) -> NoReturn:
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def _die_with_the_emulator(lifeline: int) -> None:
    os.read(lifeline, 1)
    os._exit(1)


def _take_output(output: int) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
        os.set_inheritable(target, True)  # noqa: FBT003 - the function's child processes write to its log, too
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115


def _become(start: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(start["environment"])
    time.tzset()
    os.chdir(start["root"])
    handler = logging.StreamHandler(sys.stdout)  # the root handler that Lambda's runtime sets up
    handler.setFormatter(logging.Formatter("[%(levelname)s]\t%(asctime)s\t%(message)s"))
    logging.getLogger().addHandler(handler)


def _serve(channel: socket.socket, name: str) -> None:
    handler: Any = None
    while (request := receive(channel)) is not None:
        try:
            if handler is None:
                handler = _load(name)
        except Exception as error:
            _answer(channel, {"error": _described(error, _init_error_type(error)), "unusable": True})
            return
        send(channel, {"started": True})
        os.environ["_X_AMZN_TRACE_ID"] = request["trace_id"]
        _answer(channel, _call(handler, request))


def _load(name: str) -> Any:
    module, _, function = name.replace("/", ".").rpartition(".")
    return getattr(importlib.import_module(module), function)


def _init_error_type(error: Exception) -> str:
    if isinstance(error, ImportError):
        return "Runtime.ImportModuleError"
    return "Runtime.HandlerNotFound" if isinstance(error, AttributeError) else type(error).__name__


def _call(handler: Any, request: dict[str, Any]) -> dict[str, Any]:
    try:
        value = handler(request["event"], Context(request))
    except Exception as error:
        return {"error": _described(error, type(error).__name__, request["request_id"])}
    try:
        return {"value": json.loads(json.dumps(value))}
    except (TypeError, ValueError) as error:
        message = f"Unable to marshal response: {error}"
        return {"error": {"errorMessage": message, "errorType": "Runtime.MarshalError", "stackTrace": []}}


def _described(error: Exception, kind: str, request_id: str = "") -> dict[str, Any]:
    """Describe an exception in Lambda's format, and log it as Lambda does."""
    own = error.__traceback__.tb_next if error.__traceback__ else None  # the first frame is this file's
    sys.stdout.write(f"[ERROR] {kind}: {error}\n{''.join(traceback.format_exception(type(error), error, own))}")
    described = {"errorMessage": str(error), "errorType": kind, "stackTrace": traceback.format_tb(own)}
    return {**described, "requestId": request_id} if request_id else described


def _answer(channel: socket.socket, answer: dict[str, Any]) -> None:
    """Send the answer after the output, so that its receiver can read all of the output."""
    sys.stdout.flush()
    sys.stderr.flush()
    send(channel, answer)


def main() -> None:
    """Run the fork server. Arguments: control socket, lifeline, directory of the code, directories of packages."""
    control, lifeline, root, *packages = sys.argv[1:]
    sys.path[:] = [root, *(path for path in sys.path if path != root), *packages]
    importlib.import_module("boto3")
    fork_on_request(socket.socket(fileno=int(control)), int(lifeline))


if __name__ == "__main__":
    main()
