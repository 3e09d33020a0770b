"""The play: start, one way, a replica under the glass, a failure and its repair, both ways, and what to try next."""

import json
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from typer.testing import CliRunner

from emulator.running import Options, Running, running
from s3replicator.demo import two_way
from s3replicator.demo.comparison import compare
from s3replicator.demo.objects import OBJECTS, SHOWN, failures, fates, write
from s3replicator.demo.screen import Pages
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
    close_a_door,
    furnish,
    notes_rules,
    open_the_door,
)
from s3replicator.main import app

REST_SECONDS = 60.0
LATENCY = {"local_ms": 3, "cross_region_ms": 60}
"""About what N. Virginia and Oregon are apart."""


class NeverRested(Exception):
    """Something was still on its way after REST_SECONDS."""


def play(*, keep: bool) -> int:
    """Play all parts; returns the exit status."""
    console = Console(highlight=False)
    pages = Pages(console)
    pages.title("S3 Replicator", "Two AWS Regions on this machine, the real template, the real functions.")
    with _started(console, pages) as emulator:
        try:
            with tempfile.TemporaryDirectory(prefix="s3replicator-demo-") as folder:
                actors = Actors(emulator, pages, console, Path(folder))
                actors.one_way()
                actors.under_the_glass()
                actors.failure_and_repair()
                actors.both_ways()
        except NeverRested:
            pages.say(f"Something was still on its way after {REST_SECONDS:.0f} seconds; run it again.", "bold red")
            return 1
        _ending(emulator, pages, keep=keep)
        if keep:
            threading.Event().wait()
    return 0


@contextmanager
def _started(console: Console, pages: Pages) -> Iterator[Running]:
    """Start the emulator, and say all the while what is being done."""
    console.print()
    with ExitStack() as stage:
        with console.status("starting AWS") as status:
            steps = _Steps(pages, "AWS is up")

            def say(words: str) -> None:
                steps.step(words)
                status.update(words)

            emulator = stage.enter_context(running(WORLD, Options(say=say)))
            steps.step("")
        furnish(emulator)
        emulator.post("latency", LATENCY)
        yield emulator


class _Steps:
    """Ticks off each step when the next one begins."""

    def __init__(self, pages: Pages, first: str) -> None:
        self._pages, self._name, self._since = pages, first, time.monotonic()

    def step(self, name: str) -> None:
        now = time.monotonic()
        self._pages.done(self._name, now - self._since)
        self._name, self._since = name, now


class Actors:
    """The parts of the play that happen on a running emulator."""

    def __init__(self, emulator: Running, pages: Pages, console: Console, folder: Path) -> None:
        self._emulator, self._pages, self._console, self._folder = emulator, pages, console, folder
        self._part = 0

    def one_way(self) -> None:
        """Put rules in place as an operator does, write the objects, and tell what became of each."""
        self._begin("One way: shop-east in N. Virginia to shop-west in Oregon")
        self._put_rules(SHOP_EAST, SHOP_RULES, REPLICATOR_EAST, EAST)
        self._pages.rules(SHOP_RULES)
        close_a_door(self._emulator)
        for telling in OBJECTS:
            write(self._emulator, telling)
        self._rest("objects are on their way")
        self._pages.say("")
        self._pages.fates(fates(self._emulator))
        self._pages.say("The first ones waited for their function's cold start.", "dim")
        self._pages.say("")
        self._pages.say("Why is the draft not replicated?")
        self._command("explain", f"s3://{SHOP_EAST}/reports/draft.csv", stack=REPLICATOR_EAST, region=EAST)

    def under_the_glass(self) -> None:
        """Show one replica beside its source."""
        self._begin(f"One replica beside its source: {SHOWN}")
        self._pages.comparison(compare(self._emulator, SHOWN), SHOP_EAST, SHOP_WEST)

    def failure_and_repair(self) -> None:
        """Show where the failure lies, repair its cause, and put it back."""
        self._begin("Where the failure lies, and how it is repaired")
        for failure in failures(self._emulator):
            self._pages.failure(failure)
        self._pages.say("The bucket policy is repaired, and the operator puts the failure back:")
        self._pages.say("")
        open_the_door(self._emulator)
        self._command("failures", "redrive", stack=REPLICATOR_EAST, region=EAST)
        self._rest("the failure goes through the same pipeline once more")
        self._command("status", stack=REPLICATOR_EAST, region=EAST)

    def both_ways(self) -> None:
        """Let both sides write at once, one side delete, and count the echoes."""
        self._begin("Both ways: notes-east and notes-west, each a source and a destination")
        self._put_rules(NOTES_EAST, notes_rules(NOTES_WEST), REPLICATOR_EAST, EAST)
        self._put_rules(NOTES_WEST, notes_rules(NOTES_EAST), REPLICATOR_WEST, WEST)
        two_way.conflict(self._emulator)
        self._rest("both sides settle on a winner")
        self._pages.say("")
        self._pages.say(
            "Both sides write plan.txt at the same moment. Both end with the same one on top, and lose none:"
        )
        self._show_histories(two_way.CONTESTED)
        with self._console.status("a note is written in the east and deleted in the west"):
            if not two_way.write_and_delete(self._emulator, REST_SECONDS):
                raise NeverRested
        self._pages.say("A note is written in the east, read in the west, and deleted there. It stays deleted:")
        self._show_histories(two_way.DELETED)
        self._pages.echoes(two_way.echoes(self._emulator))

    def _begin(self, text: str) -> None:
        self._part += 1
        self._pages.heading(self._part, text)

    def _show_histories(self, key: str) -> None:
        sides = {bucket: two_way.history(self._emulator, bucket, region, key) for bucket, region in two_way.SIDES}
        self._pages.histories(sides)

    def _put_rules(self, bucket: str, document: Mapping[str, Any], stack: str, region: str) -> None:
        file = self._folder / f"{bucket}-rules.json"
        file.write_text(json.dumps(document, indent=2))
        self._command("rules", "put", bucket, str(file), stack=stack, region=region)

    def _command(self, *words: str, stack: str, region: str) -> None:
        """Run the operator's command, and show it and what it says."""
        self._pages.command("s3replicator", *[Path(word).name if word.startswith("/") else word for word in words])
        environment = {**self._emulator.environment(region), "S3REPLICATOR_STACK": stack, "COLUMNS": "96"}
        done = CliRunner().invoke(app, list(words), env=environment)
        if done.exit_code == 130 or isinstance(done.exception, KeyboardInterrupt):
            raise KeyboardInterrupt
        self._pages.output(done.output)

    def _rest(self, meanwhile: str) -> None:
        """Wait until nothing is on its way. Raises NeverRested."""
        with self._console.status(meanwhile):
            if not self._emulator.idle(REST_SECONDS):
                raise NeverRested


def _ending(emulator: Running, pages: Pages, *, keep: bool) -> None:
    pages.heading(5, "What to try next")
    if not keep:
        pages.next_steps(
            [
                ("KEEP=1 make demo", "the same, and it stays up to be tried by hand"),
                ("s3replicator emulate", "an empty AWS on this machine, or a world of your own"),
                ("make test", "everything that is promised, as tests"),
                ("sam build && sam deploy --guided", "the same thing in your account"),
            ]
        )
        return
    pages.say("It stays up. In another terminal, in this folder:")
    pages.say("")
    for name, value in emulator.environment(EAST).items():
        pages.say(f"export {name}={value}", "bold")
    pages.say(f"export S3REPLICATOR_STACK={REPLICATOR_EAST}", "bold")
    pages.say("export PATH=$PWD/.venv/bin:$PATH", "bold")
    pages.say("")
    pages.next_steps(
        [
            (f"s3replicator explain s3://{SHOP_EAST}/reports/draft.csv", "why it is not replicated"),
            (f"s3replicator status s3://{SHOP_EAST}/{SHOWN}", "where an object stands"),
            (f"s3replicator rules get {SHOP_EAST}", "the rules in force"),
            (f"aws s3 cp README.md s3://{SHOP_EAST}/photos/", "write something, if the AWS CLI is installed"),
            (f"curl {emulator.endpoint}/_emulator/requests", "every request that was made"),
        ]
    )
    pages.say("")
    pages.say("Ctrl-C ends it, and everything in it.", "dim")
