"""The emulator's side of function processes: starting them, invoking them, timing out, killing.

Separate from Lambda's API: a process has an environment and a handler, receives events, returns answers, and may die at
any time. All processes end with the emulator, even if the emulator is killed.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.functions.runtime import receive, send

_SCRIPT = Path(__file__).with_name("runtime.py")
# Lambda allows 10 s for initialisation; a busy laptop may need more.
_INIT_SECONDS = 60.0


@dataclass(frozen=True)
class Answer:
    """The result of an invocation: the handler's return value, or an error in Lambda's format.

    `crashed`: the process died or was killed during the invocation. `unusable`: it cannot run another invocation.
    """

    value: Any = None
    error: Mapping[str, Any] | None = None
    crashed: bool = False
    unusable: bool = False


class ForkServer:
    """Forks processes that run the code of one directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        reading, self._lifeline = os.pipe()
        packages = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
        arguments = [theirs.fileno(), reading, root, *packages]
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and script
            [sys.executable, "-I", "-S", _SCRIPT, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(), reading),
            start_new_session=True,  # Ctrl-C goes to the emulator alone, which then stops its processes
            env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "en_US.UTF-8"},
        )
        theirs.close()
        os.close(reading)

    def fork(self) -> tuple[int, socket.socket, int]:
        """Return a new process: its id, the socket to talk to it, and the descriptor to read its output from."""
        ours, theirs = socket.socketpair()
        output, writing = os.pipe()
        try:
            with self._lock:
                socket.send_fds(self._control, [b"f"], [theirs.fileno(), writing])
                answer = self._control.recv(4)
        finally:
            theirs.close()
            os.close(writing)
        if len(answer) < 4:
            ours.close()
            os.close(output)
            raise RuntimeError(f"Cannot start a function process for {self.root}: see the error above.")
        os.set_blocking(output, False)
        return struct.unpack("!i", answer)[0], ours, output

    def stop(self) -> None:
        """Stop the fork server and every process that it has forked."""
        self._control.close()
        with contextlib.suppress(OSError):
            os.close(self._lifeline)
        self._process.kill()
        self._process.wait()


def _kill(pid: int) -> bool:
    """Kill a process. Return False once it no longer exists; the fork server reaps it, so that will happen."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    time.sleep(0.001)
    return True


class FunctionProcess:
    """One process of a function. It runs one invocation at a time; `kill` may be called from any thread.

    It starts with its first invocation. `on_end` is called when it is dead.
    """

    def __init__(
        self,
        fork_server: ForkServer,
        handler: str,
        environment: Mapping[str, str],
        on_output: Callable[[str], None],
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        self.access_key_id = environment.get("AWS_ACCESS_KEY_ID", "")
        self.alive = True
        self._server = fork_server
        self._start = {"handler": handler, "root": str(fork_server.root), "environment": dict(environment)}
        self._on_output = on_output
        self._on_end = on_end
        self._rest = b""
        self._pid = 0
        self._ending = threading.Lock()

    def invoke(self, request: Mapping[str, Any], timeout: float) -> Answer:
        """Run the handler once. After `timeout` seconds from the handler's start the process is killed."""
        try:
            if not self._pid:
                self._pid, self._channel, self._output = self._server.fork()
                send(self._channel, self._start)
            send(self._channel, {**request, "timeout": timeout})
            answer = self._wait(_INIT_SECONDS)
            if answer is not None and answer.get("started"):
                answer = self._wait(timeout)
        except TimeoutError:
            return self._crash("Sandbox.Timedout", f"Task timed out after {timeout:.2f} seconds", request)
        except OSError:
            answer = None
        if answer is None:
            return self._crash("Runtime.ExitError", "Runtime exited without providing a reason", request)
        self._drain()
        return Answer(answer.get("value"), answer.get("error"), unusable=bool(answer.get("unusable")))

    def _crash(self, kind: str, words: str, request: Mapping[str, Any]) -> Answer:
        self.kill()
        if self._pid:
            self._drain()
        message = f"RequestId: {request['request_id']} Error: {words}"
        self._on_output(f"[ERROR] {kind}: {message}")
        return Answer(error={"errorType": kind, "errorMessage": message}, crashed=True, unusable=True)

    def _wait(self, seconds: float) -> dict[str, Any] | None:
        """Read output until the process answers; return None if it has died. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel, selectors.EVENT_READ)
            selector.register(self._output, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select(max(0.0, deadline - time.monotonic()))]
                if not ready:
                    raise TimeoutError
                if self._output in ready and not self._drain():
                    selector.unregister(self._output)
                if self._channel in ready:
                    return receive(self._channel)

    def _drain(self) -> bool:
        """Pass on what the process has written. Return False once its output is closed."""
        while True:
            try:
                chunk = os.read(self._output, 65536)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not chunk:
                if self._rest:
                    self._on_output(self._rest.decode("utf-8", "replace"))
                    self._rest = b""
                return False
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            for line in lines:
                self._on_output(line.decode("utf-8", "replace"))

    def kill(self) -> None:
        """Kill the process, and return when it is dead."""
        with self._ending:
            while self.alive:
                self.alive = bool(self._pid) and _kill(self._pid)

    def stop(self) -> None:
        """Kill the process and release its resources."""
        self.kill()
        if self._pid:
            self._channel.close()
            with contextlib.suppress(OSError):
                os.close(self._output)
        self._on_end()
