"""`s3replicator emulate`: start an emulator, print how to connect to it, and serve until a signal stops it."""

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

from emulator.iam.principals import ACCOUNT
from emulator.running import Options, Running, running
from emulator.terminal import Formatter, Terminal
from emulator.world.document import World, load_world
from emulator.world.fields import WorldError
from emulator.world.stacks import DeployError

USAGE = 2
_OF_ACCOUNT = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
Refusals = Callable[[str, Mapping[str, Any]], Sequence[str]]
"""Bucket and rule document -> problems with the document. The emulator knows no more about rules than AWS does."""


class _StopRequested(BaseException):
    """SIGINT or SIGTERM arrived. A BaseException, so that no handler on its way treats it as an error."""


def run(  # noqa: PLR0913 - the options of a command
    world: Path | None = None,
    port: int = 0,
    ready_file: Path | None = None,
    *,
    quiet: bool = False,
    verbose: bool = False,
    crash_visibility: float | None = None,
    refusals: Refusals | None = None,
) -> int:
    """Run an emulator until SIGINT or SIGTERM, and return the exit status.

    `ready_file` is written once everything is up. `quiet` prints only errors; `verbose` also prints every line that
    functions log. `crash_visibility` is that of `Options`. Status 2 means that the world, the port or the ready file
    cannot be used. `refusals` returns the problems that `rules put` would report for a bucket's rules; without it,
    rules are stored unchecked.
    """
    out, err = Terminal(quiet=quiet), Terminal(stderr=True)
    log = logging.StreamHandler()
    log.setFormatter(Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, handlers=[log])
    options = Options(
        port=port,
        crash_visibility=crash_visibility,
        echo=err.line if verbose else None,
        say=lambda words: out.line(f"… {words}", style="dim"),
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
        out.line("Stopped.", style="dim")
    except (WorldError, DeployError) as error:
        err.line(f"error: {error}", style="red")
        return USAGE
    except OSError as error:
        err.line(f"error: {_os_error(error, port)}", style="red")
        return USAGE
    return 0


def _load(path: Path | None, refusals: Refusals | None) -> World:
    """Read a world. Raises WorldError, also for the first rule document that `rules put` would refuse."""
    world = load_world(path)
    for index, stack in enumerate(world.stacks):
        for bucket, document in stack.rules.items():
            if refusals is not None and (problems := refusals(bucket, document)):
                raise WorldError(f"stacks[{index}].rules.{bucket}", "; ".join(problems))
    return world


@contextmanager
def _stoppable() -> Iterator[None]:
    """Turn the first SIGINT or SIGTERM into _StopRequested; ignore further ones during shutdown."""

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
    """Remove the file of an earlier run, so that nobody reads it as ours. Raises OSError if it cannot be written."""
    if not ready_file.parent.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "no such directory", str(ready_file.parent))
    ready_file.unlink(missing_ok=True)


def _write(ready_file: Path, emulator: Running) -> None:
    """Write the ready file atomically: a reader that waits for it never sees half of it."""
    with tempfile.NamedTemporaryFile("w", dir=ready_file.parent, delete=False, encoding="utf-8") as file:
        json.dump(emulator.ready_document(), file, indent=2)
        file.write("\n")
    Path(file.name).chmod(0o644)
    Path(file.name).replace(ready_file)


def _os_error(error: OSError, port: int) -> str:
    where = error.filename or (f"port {port}" if port else "")
    problem = error.strerror if error.filename else os.strerror(error.errno or 0)
    return f"{where}: {problem}; choose another" if where else str(error)


def _introduce(emulator: Running, out: Terminal) -> None:
    """Print the buckets and stacks, and how to connect."""
    rows = [(bucket.name, bucket.region, bucket.versioning, bucket.account) for bucket in emulator.world.buckets]
    out.table(("bucket", "region", "versioning", "account"), rows)
    for stack in emulator.world.stacks:
        out.line(f"stack {stack.name} in {stack.region}, rules for: {', '.join(stack.rules) or 'no bucket'}")
    out.line()
    out.line("The emulator is ready. To use it:", style="green")
    out.line()
    region = emulator.world.stacks[0].region if emulator.world.stacks else "us-east-1"
    for name, value in emulator.environment(region).items():
        if name != "AWS_REGION":
            out.line(f"  export {name}={value}")
    out.line()
    for account in sorted(emulator.accounts.keys() - {ACCOUNT}):
        out.line(f"As the user of account {account}:")
        out.line()
        for name, value in emulator.environment(region, account).items():
            if name in _OF_ACCOUNT:
                out.line(f"  export {name}={value}")
        out.line()
    out.line("For example:")
    out.line()
    for example in _examples(emulator):
        out.line(f"  {example}")
    out.line()
    out.line("Ctrl-C stops it; nothing is kept.", style="dim")


def _examples(emulator: Running) -> list[str]:
    examples = [f"curl {emulator.endpoint}/_emulator/idle"]
    source = next((bucket for stack in emulator.world.stacks for bucket in stack.rules), None)
    if source:
        examples.insert(0, f"aws s3 cp README.md s3://{source}/")
    if emulator.world.stacks:
        examples.append(f"s3replicator status --stack {emulator.world.stacks[0].name}")
    return examples
