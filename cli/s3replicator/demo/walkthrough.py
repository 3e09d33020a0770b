"""The demo from start to end: one way, a replica in detail, a failure and its redrive, two ways, what to try next."""

import json
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text
from typer.testing import CliRunner

from emulator.running import Options, Running, running
from s3replicator.demo import two_way
from s3replicator.demo.comparison import compare
from s3replicator.demo.objects import OBJECTS, SHOWN, failures, results, write
from s3replicator.demo.screen import Screen
from s3replicator.demo.world import (
    EAST,
    NOTES_EAST,
    NOTES_WEST,
    REPLICATOR_EAST,
    REPLICATOR_WEST,
    SHOP_EAST,
    SHOP_RULES,
    SHOP_WEST,
    WEST,
    WORLD,
    add_lifecycle_rules,
    allow_private_keys,
    deny_private_keys,
    notes_rules,
)
from s3replicator.main import app
from s3replicator.output import SafeConsole

IDLE_SECONDS = 60.0
LATENCY = {"local_ms": 3, "cross_region_ms": 60}
"""About the round trip between N. Virginia and Oregon."""


class NotIdle(Exception):
    """Replication was not finished after IDLE_SECONDS."""


def run_demo(*, keep: bool) -> int:
    """Run all parts; return the exit status."""
    console = SafeConsole()
    screen = Screen(console)
    screen.title("S3 Replicator", "Two AWS Regions on this machine, the real template, the real functions.")
    with _started(console, screen) as emulator:
        try:
            with tempfile.TemporaryDirectory(prefix="s3replicator-demo-") as folder:
                walkthrough = Walkthrough(emulator, screen, console, Path(folder))
                walkthrough.one_way()
                walkthrough.one_replica()
                walkthrough.failure_and_redrive()
                walkthrough.two_ways()
        except NotIdle:
            screen.say(
                f"Replication was not finished after {IDLE_SECONDS:.0f} seconds; run the demo again.", "bold red"
            )
            return 1
        _ending(emulator, screen, keep=keep)
        if keep:
            threading.Event().wait()
    return 0


@contextmanager
def _started(console: Console, screen: Screen) -> Iterator[Running]:
    """Start the emulator, and show its steps."""
    console.print()
    with ExitStack() as stage:
        with console.status("starting AWS") as status:
            steps = _Steps(screen, "AWS is up")

            def say(words: str) -> None:
                steps.step(words)
                status.update(Text(words))

            emulator = stage.enter_context(running(WORLD, Options(say=say)))
            steps.step("")
        add_lifecycle_rules(emulator)
        emulator.post("latency", LATENCY)
        yield emulator


class _Steps:
    """Prints each step as finished when the next one starts."""

    def __init__(self, screen: Screen, first: str) -> None:
        self._screen, self._name, self._since = screen, first, time.monotonic()

    def step(self, name: str) -> None:
        now = time.monotonic()
        self._screen.done(self._name, now - self._since)
        self._name, self._since = name, now


class Walkthrough:
    """The parts of the demo, on a running emulator."""

    def __init__(self, emulator: Running, screen: Screen, console: Console, folder: Path) -> None:
        self._emulator, self._screen, self._console, self._folder = emulator, screen, console, folder
        self._part = 0

    def one_way(self) -> None:
        """Store rules as an operator does, write the objects, and show what became of each."""
        self._begin("One way: shop-east in N. Virginia to shop-west in Oregon")
        self._put_rules(SHOP_EAST, SHOP_RULES, REPLICATOR_EAST, EAST)
        self._screen.rules(SHOP_RULES)
        deny_private_keys(self._emulator)
        for each in OBJECTS:
            write(self._emulator, each)
        self._wait("replicating")
        self._screen.say("")
        self._screen.results(results(self._emulator))
        self._screen.say("The latencies include the cold start of the function.", "dim")
        self._screen.say("")
        self._screen.say("Why is the draft not replicated?")
        self._command("explain", f"s3://{SHOP_EAST}/reports/draft.csv", stack=REPLICATOR_EAST, region=EAST)

    def one_replica(self) -> None:
        """Compare one replica with its source."""
        self._begin(f"One replica beside its source: {SHOWN}")
        self._screen.comparison(compare(self._emulator, SHOWN), SHOP_EAST, SHOP_WEST)

    def failure_and_redrive(self) -> None:
        """Show the failed message, remove the cause, and redrive it."""
        self._begin("The failure, and its redrive")
        for failure in failures(self._emulator):
            self._screen.failure(failure)
        self._screen.say("The bucket policy is removed, and the operator redrives the failure:")
        self._screen.say("")
        allow_private_keys(self._emulator)
        self._command("failures", "redrive", stack=REPLICATOR_EAST, region=EAST)
        self._wait("redriving")
        self._command("status", stack=REPLICATOR_EAST, region=EAST)

    def two_ways(self) -> None:
        """Let both sides write at once and one side delete, and count the echoes."""
        self._begin("Two ways: notes-east and notes-west, each a source and a destination")
        self._put_rules(NOTES_EAST, notes_rules(NOTES_WEST), REPLICATOR_EAST, EAST)
        self._put_rules(NOTES_WEST, notes_rules(NOTES_EAST), REPLICATOR_WEST, WEST)
        two_way.conflict(self._emulator)
        self._wait("replicating")
        self._screen.say("")
        self._screen.say(
            "Both sides write plan.txt at the same moment. Both end with the same current version, and keep all:"
        )
        self._show_histories(two_way.CONTESTED)
        with self._console.status("writing in the east, deleting in the west"):
            if not two_way.write_and_delete(self._emulator, IDLE_SECONDS):
                raise NotIdle
        self._screen.say(
            "A note is written in the east and, once it is replicated, deleted in the west. It stays deleted:"
        )
        self._show_histories(two_way.DELETED)
        self._screen.echoes(two_way.echoes(self._emulator))

    def _begin(self, text: str) -> None:
        self._part += 1
        self._screen.heading(self._part, text)

    def _show_histories(self, key: str) -> None:
        sides = {bucket: two_way.history(self._emulator, bucket, region, key) for bucket, region in two_way.SIDES}
        self._screen.histories(sides)

    def _put_rules(self, bucket: str, document: Mapping[str, Any], stack: str, region: str) -> None:
        file = self._folder / f"{bucket}-rules.json"
        file.write_text(json.dumps(document, indent=2))
        self._command("rules", "put", bucket, str(file), stack=stack, region=region)

    def _command(self, *words: str, stack: str, region: str) -> None:
        """Run a command in this process, and print it with its output."""
        self._screen.command("s3replicator", *[Path(word).name if word.startswith("/") else word for word in words])
        environment = {**self._emulator.environment(region), "S3REPLICATOR_STACK": stack, "COLUMNS": "96"}
        done = CliRunner().invoke(app, list(words), env=environment)
        if done.exit_code == 130 or isinstance(done.exception, KeyboardInterrupt):
            raise KeyboardInterrupt
        self._screen.output(done.output)

    def _wait(self, doing: str) -> None:
        """Wait until replication is idle. Raises NotIdle."""
        with self._console.status(doing):
            if not self._emulator.idle(IDLE_SECONDS):
                raise NotIdle


def _ending(emulator: Running, screen: Screen, *, keep: bool) -> None:
    screen.heading(5, "What to try next")
    if not keep:
        screen.next_steps(
            [
                ("KEEP=1 make demo", "the same, and it stays up for you to try things"),
                ("s3replicator emulate", "AWS on this machine, empty or with a world of your own"),
                ("make test", "run all tests"),
                ("sam build && sam deploy --guided", "deploy into your account"),
            ]
        )
        return
    screen.say("The demo stays up. In another terminal, in this folder, run:")
    screen.say("")
    for name, value in emulator.environment(EAST).items():
        screen.say(f"export {name}={value}", "bold")
    screen.say(f"export S3REPLICATOR_STACK={REPLICATOR_EAST}", "bold")
    screen.say("export PATH=$PWD/.venv/bin:$PATH", "bold")
    screen.say("")
    screen.next_steps(
        [
            (f"s3replicator explain s3://{SHOP_EAST}/reports/draft.csv", "why it is not replicated"),
            (f"s3replicator status s3://{SHOP_EAST}/{SHOWN}", "the status of an object"),
            (f"s3replicator rules get {SHOP_EAST}", "the rules in force"),
            (f"aws s3 cp README.md s3://{SHOP_EAST}/photos/", "write an object, if the AWS CLI is installed"),
            (f"curl {emulator.endpoint}/_emulator/requests", "every request so far"),
        ]
    )
    screen.say("")
    screen.say("Press Ctrl-C to end it. Nothing is kept.", "dim")
