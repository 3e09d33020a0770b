"""The handler of a deployed stack in this process, beside an emulator in another one: for benchmarks that look inside.

So its time and CPU are those of a function alone. Lambda's part is played here: messages are received from the change
queue, passed to the handler, and deleted.
"""

import json
import os
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from subprocess import Popen
from typing import Any

import boto3

STACK, HOME, AWAY = "bench", "us-east-1", "us-west-2"
_PATIENCE = 60.0
_BATCH = 10


class Context:
    """What Lambda passes to a handler beside the event, as far as ours look at it."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the template's timeout."""
        return 120_000


@dataclass
class Stage:
    """An emulator in another process, with one stack."""

    ready: Mapping[str, Any]
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def outputs(self) -> Mapping[str, str]:
        """Return the outputs of the stack."""
        outputs: Mapping[str, str] = self.ready["stacks"][STACK]["outputs"]
        return outputs

    @property
    def surroundings(self) -> dict[str, str]:
        """Return the environment variables that point boto3 at the emulator."""
        return {
            "AWS_ACCESS_KEY_ID": self.ready["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": self.ready["secret_access_key"],
            "AWS_DEFAULT_REGION": HOME,
            "AWS_REGION": HOME,
            "AWS_ENDPOINT_URL": self.ready["endpoint"],
        }

    def client(self, service: str, region: str = HOME) -> Any:
        """Return a client, always the same one."""
        if (service, region) not in self._clients:
            self._clients[service, region] = boto3.client(  # type: ignore[call-overload]
                service,
                region_name=region,
                endpoint_url=self.ready["endpoint"],
                aws_access_key_id=self.ready["access_key_id"],
                aws_secret_access_key=self.ready["secret_access_key"],
            )
        return self._clients[service, region]

    def control(self, method: str, route: str, body: Any = None) -> Any:
        """Call a control endpoint of the emulator."""
        url = f"{self.ready['endpoint']}/_emulator/{route}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)  # noqa: S310
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own server
            return json.loads(answer.read() or b"null")

    def function_environment(self) -> dict[str, str]:
        """Return the environment of the deployed function, which talks to the emulator as the user."""
        deployed = self.client("lambda").get_function_configuration(FunctionName=f"{STACK}-replicate")
        return {**deployed["Environment"]["Variables"], **self.surroundings, "AWS_LAMBDA_FUNCTION_NAME": "benchmark"}

    def stop_polling(self) -> None:
        """Let no function of the emulator receive changes, once it has received S3's test events."""
        self.control("GET", "idle?timeout=60")
        client = self.client("lambda")
        for each in client.list_event_source_mappings(FunctionName=f"{STACK}-replicate")["EventSourceMappings"]:
            client.update_event_source_mapping(UUID=each["UUID"], Enabled=False)

    def receive(self, count: int) -> list[dict[str, Any]]:
        """Return this many records of the change queue, as Lambda passes them. Raises TimeoutError."""
        url, records, deadline = self.outputs["ChangeQueue"], list[dict[str, Any]](), time.monotonic() + _PATIENCE
        while len(records) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"only {len(records)} of {count} events have arrived")
            most = min(_BATCH, count - len(records))
            answer = self.client("sqs").receive_message(
                QueueUrl=url, MaxNumberOfMessages=most, WaitTimeSeconds=1, AttributeNames=["All"]
            )
            records += [_record(url, message) for message in answer.get("Messages", ())]
        return records

    def delete(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Delete messages that were processed, as Lambda does."""
        entries = [{"Id": str(number), "ReceiptHandle": each["receiptHandle"]} for number, each in enumerate(records)]
        for start in range(0, len(entries), _BATCH):
            batch = entries[start : start + _BATCH]
            self.client("sqs").delete_message_batch(QueueUrl=self.outputs["ChangeQueue"], Entries=batch)


def _record(url: str, message: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "eventSourceARN": f"arn:aws:sqs:{HOME}:123456789012:{url.rpartition('/')[2]}",
    }


@contextmanager
def stage(world: Mapping[str, Any]) -> Iterator[Stage]:
    """Run an emulator with a world whose stack has this module's name, and stop its polling."""
    with tempfile.TemporaryDirectory() as name:
        file, ready = Path(name, "world.json"), Path(name, "ready.json")
        file.write_text(json.dumps(world), encoding="utf-8")
        arguments = [str(file), "--port", "0", "--ready-file", str(ready), "--quiet"]
        with Popen([sys.executable, "-m", "s3replicator", "emulate", *arguments]) as emulator:
            try:
                found = Stage(_wait_for(ready, emulator))
                found.stop_polling()
                yield found
            finally:
                emulator.terminate()


def _wait_for(ready: Path, emulator: Popen[bytes]) -> Any:
    deadline = time.monotonic() + _PATIENCE
    while not ready.exists():
        if emulator.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the emulator does not start")
        time.sleep(0.05)
    return json.loads(ready.read_text(encoding="utf-8"))


Handle = Callable[[Sequence[Mapping[str, Any]]], float]


def load_handler(surroundings: Mapping[str, str]) -> Handle:
    """Import the handler with the environment of its function; return what runs it and returns its seconds.

    Raises RuntimeError if a record is not done: then figures mean nothing.
    """
    os.environ.update(surroundings)
    from replicate.app import handler  # noqa: PLC0415 - reads the environment

    def handle(records: Sequence[Mapping[str, Any]]) -> float:
        with redirect_stdout(StringIO()):
            began = time.perf_counter()
            answer = handler({"Records": list(records)}, Context())
            taken = time.perf_counter() - began
        if answer["batchItemFailures"]:
            raise RuntimeError(f"{len(answer['batchItemFailures'])} of {len(records)} changes are not done")
        return taken

    return handle
