"""Invoking deployed functions: each has a pool of processes that run its real handler.

Processes start on demand, and live until their function changes or they die.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from moto.awslambda.models import LambdaFunction
from moto.sqs.models import Message

from emulator.calls.lineage import lineages
from emulator.functions.code import root_of
from emulator.functions.deployed import FunctionSpec, deployed, invocations_at_once, lambda_environment
from emulator.functions.output import Output
from emulator.functions.pools import Pool
from emulator.functions.processes import Answer, ForkServer, FunctionProcess
from emulator.iam.principals import Principals

# As many as help on a laptop. A function's own limits may be lower.
PROCESSES_PER_FUNCTION = 4
# A `MaximumConcurrency` up to this is taken literally.
MOST_PROCESSES = 16


class Functions:
    """The processes and the output of every function.

    Counted by name: invocations, the messages in them, and the messages that filters dropped before.
    """

    def __init__(
        self,
        endpoint: str,
        principals: Principals,
        on_metrics: Callable[[str, str, list[dict[str, Any]]], None],
        *,
        processes_per_function: int | None = None,
        echo: Callable[[str], None] | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._principals = principals
        self._on_metrics = on_metrics
        self._echo = echo
        self._limit = processes_per_function
        self._folder = Path(tempfile.mkdtemp(prefix="s3replicator-emulator-"))
        (self._folder / "home").mkdir()
        self._pools: dict[str, Pool] = {}
        self._fork_servers: dict[Path, ForkServer] = {}
        self._outputs: dict[str, Output] = {}
        self._lock = threading.Lock()
        self._running = 0
        self.begun = 0
        self.invocations: Counter[str] = Counter()
        self.messages: Counter[str] = Counter()
        self.filtered: Counter[str] = Counter()
        self.on_free: Callable[[], None] = lambda: None

    def pool(self, function: LambdaFunction) -> Pool:
        """Return the pool of a function as it is deployed now; retire the pool of an earlier version."""
        spec = FunctionSpec.of(function, self._most_processes(function))
        with self._lock:
            pool = self._pools.get(spec.arn)
            if pool is not None and pool.spec == spec:
                return pool
            fresh = self._pools[spec.arn] = Pool(spec, lambda: self._start(spec, function))
        if pool is not None:
            pool.retire()
        self._fork_server(function)  # it starts in the background while nothing waits for it
        return fresh

    def _most_processes(self, function: LambdaFunction) -> int:
        if self._limit is not None:
            return self._limit
        asked_for = invocations_at_once(function)
        return asked_for if asked_for and asked_for <= MOST_PROCESSES else PROCESSES_PER_FUNCTION

    def sweep(self) -> None:
        """Stop the processes of functions that have been deleted."""
        with self._lock:
            gone = [self._pools.pop(arn) for arn in list(self._pools) if deployed(arn) is None]
        for pool in gone:
            pool.retire()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count an invocation as running, so that the emulator is not idle."""
        with self._lock:
            self._running += 1
            self.begun += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
            self.on_free()

    def count_filtered(self, name: str) -> None:
        """Count a message that a filter has dropped."""
        with self._lock:
            self.filtered[name] += 1

    def invoke(self, function: LambdaFunction, event: Any, wait: float) -> Answer:
        """Run a function once, waiting up to `wait` seconds for a free process. Raises TimeoutError."""
        with self.running():
            pool = self.pool(function)
            return self.run(pool, pool.wait_for_one(wait), event)

    def run(self, pool: Pool, process: FunctionProcess, event: Any, messages: Sequence[Message] = ()) -> Answer:
        """Run a function once in a process taken from its pool, and give the process back. `messages`: its batch."""
        lineage = lineages.begin(process.access_key_id, pool.spec.arn, messages)
        request = {
            "event": event,
            "request_id": str(uuid.uuid4()),
            "arn": pool.spec.arn,
            "trace_id": lineage.header(),
        }
        with self._lock:
            self.invocations[pool.spec.name] += 1
            self.messages[pool.spec.name] += len(messages)
        usable = False
        try:
            answer = process.invoke(request, pool.spec.timeout)
            usable = not answer.unusable
        finally:
            lineages.end(process.access_key_id)
            pool.give_back(process, usable=usable)
        return answer

    def logs(self, name: str) -> list[str]:
        """Return the last lines that a function logged."""
        output = self._outputs.get(name)
        return list(output.lines) if output else []

    def idle(self) -> bool:
        """Return whether no function runs."""
        return self._running == 0

    def stop(self) -> None:
        """Stop every process and delete the unpacked code."""
        with self._lock:
            pools, fork_servers = list(self._pools.values()), list(self._fork_servers.values())
            self._pools, self._fork_servers = {}, {}
        for pool in pools:
            pool.retire()
        for fork_server in fork_servers:
            fork_server.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _fork_server(self, function: LambdaFunction) -> ForkServer:
        root = root_of(function.code_bytes, self._folder)
        with self._lock:
            if root not in self._fork_servers:
                self._fork_servers[root] = ForkServer(root)
            return self._fork_servers[root]

    def _start(self, spec: FunctionSpec, function: LambdaFunction) -> FunctionProcess:
        fork_server = self._fork_server(function)
        credentials = self._principals.issue(spec.role_id, spec.name, spec.region, spec.role_arn)
        environment = {
            **lambda_environment(spec, fork_server.root, self._folder / "home"),
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
            "AWS_SESSION_TOKEN": credentials.session_token,
            "AWS_ENDPOINT_URL": self._endpoint,
            **dict(spec.environment),
        }
        with self._lock:
            publish = partial(self._on_metrics, spec.region, spec.arn.split(":")[4])
            output = self._outputs.setdefault(spec.name, Output(spec.name, publish, self._echo))
        key = credentials.access_key_id
        process = FunctionProcess(
            fork_server, spec.handler, environment, output.write, lambda: self._principals.revoke(key)
        )
        self._principals.on_kill(key, process.kill)
        return process
