"""The command line of `s3replicator`: every command is registered here, one module per group.

What each command may need of AWS is in `permissions.py`.
"""

import sys
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from s3replicator import emulate_command
from s3replicator.explain import commands as explain_commands
from s3replicator.failures import commands as failures_commands
from s3replicator.output import USAGE
from s3replicator.report import commands as report_commands
from s3replicator.rules import commands as rules_commands
from s3replicator.status import commands as status_commands

DISTRIBUTION = "s3-replicator"

app = typer.Typer(
    name="s3replicator",
    help="Operate S3 Replicator: rules, status and failures of a deployed stack. Also emulates AWS on this machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(rules_commands.app, name="rules")
app.command(epilog=status_commands.EPILOG)(status_commands.status)
app.command(epilog=explain_commands.EPILOG)(explain_commands.explain)
app.add_typer(failures_commands.app, name="failures")
app.command(epilog=report_commands.EPILOG)(report_commands.report)
app.command()(emulate_command.emulate)


def _print_version() -> NoReturn:
    typer.echo(f"s3replicator {version(DISTRIBUTION)}")
    raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version and exit.",
            callback=lambda wanted: _print_version() if wanted else None,
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Take the options that stand before a command."""
    del show_version


def main() -> None:
    """Run the command. Exit status: 0 fine, 1 found something, 2 wrong usage, 130 interrupted."""
    for argument in sys.argv[1:]:
        if not _is_unicode(argument):
            sys.stderr.write(f"s3replicator: {argument!r} is not valid UTF-8\n")
            sys.exit(USAGE)
    app()


def _is_unicode(text: str) -> bool:
    """Return whether a text can be encoded. Python decodes bytes that are not UTF-8 to lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


if __name__ == "__main__":
    main()
