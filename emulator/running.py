"""An emulator that is up: started from a world, and what a test, the demo or the command needs to talk to it.

with running({"buckets": [...], "stacks": [...]}) as emulator:
    emulator.client("s3", "us-east-1").put_object(...)
    assert emulator.idle()
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from moto.core.base_backend import BackendDict

from emulator.cloudformation import stacks
from emulator.functions.host import Host
from emulator.iam.principals import USER_ACCESS_KEY_ID, USER_SECRET_ACCESS_KEY
from emulator.serving.server import Server
from emulator.state import Emulator
from emulator.world.buckets import create_buckets
from emulator.world.document import World, load_world, parse_world
from emulator.world.rules import put_rules
from emulator.world.stacks import TEMPLATE, deploy, introduce


@dataclass(frozen=True)
class Options:
    """How an emulator runs.

    `crash_visibility`: after how many seconds the messages of a crashed invocation come back; None leaves them hidden
    for the queue's whole visibility time-out, as AWS does. `processes_per_function`: at most; None for what the stack's
    `MaximumConcurrency` says, if it says 16 or less, and 4 otherwise. `echo` gets every line that functions log. `say`
    is told what is being done while the emulator starts.
    """

    port: int = 0
    template: Path = TEMPLATE
    crash_visibility: float | None = 1.0
    processes_per_function: int | None = None
    echo: Callable[[str], None] | None = None
    say: Callable[[str], None] = field(default=lambda _: None)


@dataclass(frozen=True)
class DeployedStack:
    """A stack that was deployed from the world."""

    region: str
    outputs: Mapping[str, str]


class _Session(boto3.Session):
    """A session whose clients talk to the emulator."""

    def __init__(self, endpoint: str, region: str) -> None:
        super().__init__(
            region_name=region, aws_access_key_id=USER_ACCESS_KEY_ID, aws_secret_access_key=USER_SECRET_ACCESS_KEY
        )
        self._endpoint = endpoint

    def client(self, *arguments: Any, **settings: Any) -> Any:
        return super().client(*arguments, **{"endpoint_url": self._endpoint, **settings})

    def resource(self, *arguments: Any, **settings: Any) -> Any:
        return super().resource(*arguments, **{"endpoint_url": self._endpoint, **settings})


@dataclass
class Running:
    """A running emulator."""

    emulator: Emulator
    host: Host
    world: World
    stacks: dict[str, DeployedStack] = field(default_factory=dict)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def endpoint(self) -> str:
        """The URL of everything."""
        return self.emulator.endpoint

    def session(self, region: str = "us-east-1") -> boto3.Session:
        """Return a session with the user's credentials, whose clients talk to the emulator."""
        return _Session(self.endpoint, region)

    def client(self, service: str, region: str = "us-east-1") -> Any:
        """Return a client with the user's credentials; the same one every time. Not to be called side by side."""
        if (service, region) not in self._clients:
            self._clients[service, region] = self.session(region).client(service)  # type: ignore[call-overload]
        return self._clients[service, region]

    def environment(self, region: str = "us-east-1") -> dict[str, str]:
        """Return the environment variables with which boto3 and the SAM CLI talk to the emulator."""
        return {
            "AWS_ACCESS_KEY_ID": USER_ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": USER_SECRET_ACCESS_KEY,
            "AWS_DEFAULT_REGION": region,
            "AWS_REGION": region,
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    def outputs(self, stack: str) -> Mapping[str, str]:
        """Return the outputs of a stack of the world."""
        return self.stacks[stack].outputs

    def idle(self, timeout: float = 120.0) -> bool:
        """Wait until nothing is on its way or running; False when that takes longer than `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not self.emulator.idle():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        return True

    def logs(self, stack: str, function: str) -> list[str]:
        """Return what a function has logged last, by the stack's name and the function's logical id."""
        return self.host.logs(stack, function)

    def get(self, route: str) -> Any:
        """Ask a control route, such as `/requests`."""
        return self._control("GET", route, None)

    def post(self, route: str, body: Any) -> Any:
        """Set something by a control route, such as `/faults`."""
        return self._control("POST", route, body)

    def delete(self, route: str) -> Any:
        """Empty something by a control route."""
        return self._control("DELETE", route, None)

    def _control(self, method: str, route: str, body: Any) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.endpoint}/_emulator/{route.strip('/')}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            text = answer.read()
        return json.loads(text) if text else None

    def ready_document(self) -> dict[str, Any]:
        """Return what the ready file says."""
        return {
            "endpoint": self.endpoint,
            "access_key_id": USER_ACCESS_KEY_ID,
            "secret_access_key": USER_SECRET_ACCESS_KEY,
            "stacks": {
                name: {"region": stack.region, "outputs": dict(stack.outputs)} for name, stack in self.stacks.items()
            },
        }


@contextmanager
def running(world: World | Mapping[str, Any] | Path | None = None, options: Options | None = None) -> Iterator[Running]:
    """Run an emulator with this world: values, a document, or a file; without one, the default world.

    One per process at a time: moto keeps its state in the process. Raises WorldError when the world is wrong,
    DeployError when a stack cannot be deployed, OSError when the port is taken.
    """
    options = options or Options()
    wanted = _world(world)
    BackendDict.reset()
    stacks.install()
    server = Server(port=options.port)
    emulator = server.start()
    host = Host(
        emulator,
        crash_visibility=options.crash_visibility,
        processes_per_function=options.processes_per_function,
        echo=options.echo,
    )
    try:
        host.start()
        yield _fill(Running(emulator, host, wanted), options)
    finally:
        server.stop()


def _world(world: World | Mapping[str, Any] | Path | None) -> World:
    if isinstance(world, World):
        return world
    return parse_world(world) if isinstance(world, Mapping) else load_world(world)


def _fill(emulator: Running, options: Options) -> Running:
    create_buckets(emulator.world)
    for stack in emulator.world.stacks:
        options.say(f"deploying {stack.name} in {stack.region}")
        emulator.stacks[stack.name] = DeployedStack(stack.region, deploy(stack, emulator.world, options.template))
    principals = {name: stack.outputs.get("ReplicatorPrincipals", "") for name, stack in emulator.stacks.items()}
    for stack in emulator.world.stacks:
        introduce(stack, [each for name, each in principals.items() if name != stack.name and each])
    for stack in emulator.world.stacks:
        for bucket, document in stack.rules.items():
            put_rules(stack, emulator.outputs(stack.name), bucket, document)
    return emulator
