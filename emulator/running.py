"""A running emulator: started from a world, with what tests, the demo and the command need to use it.

with running({"buckets": [...], "stacks": [...]}) as emulator:
    emulator.client("s3", "us-east-1").put_object(...)
    assert emulator.idle()
"""

from __future__ import annotations

import json
import re
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
from emulator.iam.principals import ACCOUNT, AccessKey
from emulator.serving.server import Server
from emulator.state import Emulator
from emulator.world.buckets import create_buckets
from emulator.world.document import World, load_world, parse_world
from emulator.world.kms_keys import create_keys
from emulator.world.rules import put_owners, put_rules
from emulator.world.stacks import TEMPLATE, deploy, set_peers


@dataclass(frozen=True)
class Options:
    """How an emulator runs.

    `crash_visibility`: seconds until the messages of an invocation that crashed, failed or was throttled become visible
    again; None waits for the queue's visibility timeout, as AWS does. `processes_per_function`: the most processes per
    function; None takes the stack's `MaximumConcurrency` if that is 16 or less, and 4 otherwise. `echo` receives every
    line that functions log. `say` receives progress messages during the start.
    """

    port: int = 0
    template: Path = TEMPLATE
    crash_visibility: float | None = None
    processes_per_function: int | None = None
    echo: Callable[[str], None] | None = None
    say: Callable[[str], None] = field(default=lambda _: None)


@dataclass(frozen=True)
class DeployedStack:
    """A stack of the world, deployed."""

    region: str
    outputs: Mapping[str, str]


class _Session(boto3.Session):
    """A session whose clients and resources use the emulator's endpoint."""

    def __init__(self, endpoint: str, region: str, key: AccessKey) -> None:
        super().__init__(
            region_name=region, aws_access_key_id=key.access_key_id, aws_secret_access_key=key.secret_access_key
        )
        self._endpoint = endpoint

    def client(self, *arguments: Any, **settings: Any) -> Any:
        return without_account(super().client(*arguments, **{"endpoint_url": self._endpoint, **settings}))

    def resource(self, *arguments: Any, **settings: Any) -> Any:
        return super().resource(*arguments, **{"endpoint_url": self._endpoint, **settings})


def without_account(client: Any) -> Any:
    """Return a client that does not put the account in front of the host, as S3 Control's does.

    No such name resolves to 127.0.0.1.
    """
    client.meta.events.register("before-send.s3-control", _drop_account)
    return client


def _drop_account(request: Any, **_context: Any) -> None:
    request.url = re.sub(r"//\d{12}\.", "//", request.url)


@dataclass
class Running:
    """A running emulator."""

    emulator: Emulator
    host: Host
    world: World
    stacks: dict[str, DeployedStack] = field(default_factory=dict)
    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict)

    @property
    def endpoint(self) -> str:
        """The URL of every service and of the control endpoints."""
        return self.emulator.endpoint

    @property
    def accounts(self) -> Mapping[str, AccessKey]:
        """Return the accounts by id, each with the access key of a user that may do everything in it."""
        return self.emulator.principals.accounts

    def session(self, region: str = "us-east-1", account: str = ACCOUNT) -> boto3.Session:
        """Return a session with the credentials of an account's user, whose clients use the emulator's endpoint."""
        return _Session(self.endpoint, region, self.accounts[account])

    def client(self, service: str, region: str = "us-east-1", account: str = ACCOUNT) -> Any:
        """Return a client of an account's user, always the same one. Not thread-safe; the clients are."""
        if (service, region, account) not in self._clients:
            made = self.session(region, account).client(service)  # type: ignore[call-overload]
            self._clients[service, region, account] = made
        return self._clients[service, region, account]

    def environment(self, region: str = "us-east-1", account: str = ACCOUNT) -> dict[str, str]:
        """Return the environment variables that point boto3 and the SAM CLI at the emulator, as an account's user."""
        key = self.accounts[account]
        return {
            "AWS_ACCESS_KEY_ID": key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
            "AWS_DEFAULT_REGION": region,
            "AWS_REGION": region,
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    def outputs(self, stack: str) -> Mapping[str, str]:
        """Return the outputs of a stack of the world."""
        return self.stacks[stack].outputs

    def idle(self, timeout: float = 120.0) -> bool:
        """Wait until nothing is in flight and no function runs. Return False after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not self.emulator.idle():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        return True

    def logs(self, stack: str, function: str) -> list[str]:
        """Return the last lines that a function logged, by the stack's name and the function's logical id."""
        return self.host.logs(stack, function)

    def get(self, route: str) -> Any:
        """GET a control endpoint, such as `/requests`."""
        return self._control("GET", route, None)

    def post(self, route: str, body: Any) -> Any:
        """POST a body to a control endpoint, such as `/faults`."""
        return self._control("POST", route, body)

    def delete(self, route: str) -> Any:
        """DELETE what a control endpoint holds."""
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
        """Return the content of the ready file."""
        return {
            "endpoint": self.endpoint,
            **self.accounts[ACCOUNT]._asdict(),
            "accounts": {account: key._asdict() for account, key in self.accounts.items()},
            "stacks": {
                name: {"region": stack.region, "outputs": dict(stack.outputs)} for name, stack in self.stacks.items()
            },
        }


@contextmanager
def running(world: World | Mapping[str, Any] | Path | None = None, options: Options | None = None) -> Iterator[Running]:
    """Run an emulator with a world, given as values, a document or a file; without one, with the default world.

    One per process at a time: moto keeps its state in module globals. Raises WorldError if the world is invalid,
    DeployError if a stack cannot be deployed, OSError if the port is taken.
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
    emulator.emulator.new_buckets = emulator.world.new_buckets
    for account in emulator.world.accounts:
        emulator.emulator.principals.admit(account)
    create_keys(emulator.world)
    create_buckets(emulator.world)
    for stack in emulator.world.stacks:
        options.say(f"deploying {stack.name} in {stack.region}")
        emulator.stacks[stack.name] = DeployedStack(stack.region, deploy(stack, emulator.world, options.template))
    principals = {name: stack.outputs.get("ReplicatorPrincipals", "") for name, stack in emulator.stacks.items()}
    for stack in emulator.world.stacks:
        set_peers(stack, [each for name, each in principals.items() if name != stack.name and each])
    for stack in emulator.world.stacks:
        for bucket, document in stack.rules.items():
            owner = emulator.world.account_of(bucket) or stack.account
            put_rules(stack, emulator.outputs(stack.name), bucket, document, owner)
    put_owners(emulator.world, {name: stack.outputs for name, stack in emulator.stacks.items()})
    return emulator
