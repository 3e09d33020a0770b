"""`s3replicator emulate`: start an emulator, say how to talk to it, serve until it is told to stop."""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.table import Table

from emulator.running import Options, Running, running
from emulator.world.document import World, load_world
from emulator.world.fields import WorldError
from emulator.world.stacks import DeployError

USAGE = 2
Refusals = Callable[[str, Mapping[str, Any]], Sequence[str]]
"""Bucket and rule document -> what is wrong with it. The emulator itself knows no more of rules than AWS does."""


class _StopRequested(BaseException):
    """SIGINT or SIGTERM came; a BaseException so that nothing on its way takes it for an error."""


def run(  # noqa: PLR0913 - the options of a command
    world: Path | None = None,
    port: int = 0,
    ready_file: Path | None = None,
    *,
    quiet: bool = False,
    verbose: bool = False,
    crash_visibility: float | None = 1.0,
    refusals: Refusals | None = None,
) -> int:
    """Run an emulator until SIGINT or SIGTERM; returns the exit status.

    `ready_file` is written when everything is up. `quiet` prints nothing but errors, `verbose` also every line that
    functions log. 2 means that the world, the port or the ready file cannot be used. `refusals` says what an operator's
    command has against the rules of a bucket; without it, rules are stored as they are.
    """
    out, err = Console(quiet=quiet), Console(stderr=True, soft_wrap=True, markup=False, highlight=False)
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    options = Options(
        port=port,
        crash_visibility=crash_visibility,
        echo=err.print if verbose else None,
        say=lambda words: out.print(f"… {words}", style="dim"),
    )
    try:
        if ready_file is not None:
            _prepare(ready_file)
        with _stoppable(), running(_load(world, refusals), options) as emulator:
            if ready_file is not None:
                _write(ready_file, emulator)
            _introduce(emulator, out)
            threading.Event().wait()
    except _StopRequested:
        out.print("Stopped.", style="dim")
    except (WorldError, DeployError) as error:
        err.print(f"error: {error}", style="red")
        return USAGE
    except OSError as error:
        err.print(f"error: {_os_error(error, port)}", style="red")
        return USAGE
    return 0


def _load(path: Path | None, refusals: Refusals | None) -> World:
    """Read a world. Raises WorldError, also for the first document of rules that an operator could not put."""
    world = load_world(path)
    for index, stack in enumerate(world.stacks):
        for bucket, document in stack.rules.items():
            if refusals is not None and (problems := refusals(bucket, document)):
                raise WorldError(f"stacks[{index}].rules.{bucket}", "; ".join(problems))
    return world


@contextmanager
def _stoppable() -> Iterator[None]:
    """Turn the first SIGINT or SIGTERM into _StopRequested; while things end, further ones change nothing."""

    def stop(_: int, __: FrameType | None) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        raise _StopRequested

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _prepare(ready_file: Path) -> None:
    """Remove what an earlier run left: nobody must take it for ours. Raises OSError when it could not be written."""
    if not ready_file.parent.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "there is no such folder", str(ready_file.parent))
    ready_file.unlink(missing_ok=True)


def _write(ready_file: Path, emulator: Running) -> None:
    """Write it in one step, so that whoever waits for it never reads half of it."""
    with tempfile.NamedTemporaryFile("w", dir=ready_file.parent, delete=False, encoding="utf-8") as file:
        json.dump(emulator.ready_document(), file, indent=2)
        file.write("\n")
    Path(file.name).chmod(0o644)
    Path(file.name).replace(ready_file)


def _os_error(error: OSError, port: int) -> str:
    where = error.filename or (f"port {port}" if port else "")
    problem = error.strerror if error.filename else os.strerror(error.errno or 0)
    return f"{where}: {problem}; choose another one" if where else str(error)


def _introduce(emulator: Running, out: Console) -> None:
    """Print what there is and how to talk to it."""
    table = Table("bucket", "region", "versioning", title=None)
    for bucket in emulator.world.buckets:
        table.add_row(bucket.name, bucket.region, bucket.versioning)
    out.print(table)
    for stack in emulator.world.stacks:
        out.print(
            f"stack [bold]{stack.name}[/bold] in {stack.region}, rules for: {', '.join(stack.rules) or 'no bucket'}"
        )
    out.print("\nAWS is at your service:\n", style="green")
    region = emulator.world.stacks[0].region if emulator.world.stacks else "us-east-1"
    for name, value in emulator.environment(region).items():
        if name != "AWS_REGION":
            out.print(f"  export {name}={value}", highlight=False)
    out.print("\nThen, for example:\n")
    for example in _examples(emulator):
        out.print(f"  {example}", highlight=False, markup=False)
    out.print("\nCtrl-C ends it, and everything in it.", style="dim")


def _examples(emulator: Running) -> list[str]:
    examples = [f"curl {emulator.endpoint}/_emulator/idle"]
    source = next((bucket for stack in emulator.world.stacks for bucket in stack.rules), None)
    if source:
        examples.insert(0, f"aws s3 cp README.md s3://{source}/")
    if emulator.world.stacks:
        examples.append(f"s3replicator status --stack {emulator.world.stacks[0].name}")
    return examples
