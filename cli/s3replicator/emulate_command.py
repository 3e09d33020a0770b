"""`s3replicator emulate`: AWS on this machine, with stacks of S3 Replicator deployed into it.

Separate because the emulator is an extra: without it, every other command works, and this one says what to install.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from replicator.aws.rule_shape import shape_problems
from replicator.core.rules.document import RulesRefused, parse

from s3replicator.output import fail


def emulate(
    world: Annotated[
        Path | None,
        typer.Argument(
            metavar="WORLD.json", help="JSON file with the buckets, stacks and rules to start with.", show_default=False
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 chooses a free one.")] = 0,
    ready_file: Annotated[
        Path | None,
        typer.Option(
            help="File to write endpoint, credentials and stack outputs to, once everything is up.", show_default=False
        ),
    ] = None,
    crash_visibility: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="Return the messages of a failed invocation after so many seconds; by default, after the queue's "
            "visibility timeout.",
            show_default=False,
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Also print what the functions log.")] = False,
) -> None:
    """Run AWS on this machine, with S3 Replicator deployed, until you press Ctrl-C."""
    try:
        from emulator.main import run  # noqa: PLC0415 - an extra, and slow to import
    except ModuleNotFoundError as error:
        fail(f"the emulator needs the module {error.name}; install it with: pip install 's3-replicator[emulator]'")
    options: dict[str, Any] = {"quiet": quiet, "verbose": verbose, "crash_visibility": crash_visibility}
    raise typer.Exit(run(world, port, ready_file, **options, refusals=refusals))


def refusals(bucket: str, document: Mapping[str, Any]) -> list[str]:
    """Return why `rules put` would refuse a document, so that a world has only rules that a bucket could have."""
    try:
        parse(bucket, document, shape_problems(document))
    except RulesRefused as refused:
        return [str(problem) for problem in refused.problems]
    return []
