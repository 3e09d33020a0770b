"""The command line of `s3replicator`: every command is registered here, one module per group.

The IAM actions that each command needs are in `permissions.py`.
"""

import logging
import sys
import traceback
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer
from typer.rich_utils import rich_format_error

from s3replicator import emulate_command
from s3replicator.explain import commands as explain_commands
from s3replicator.failover import commands as failover_commands
from s3replicator.failures import commands as failures_commands
from s3replicator.formatting import visible
from s3replicator.grants import commands as grants_commands
from s3replicator.jobs import commands as jobs_commands
from s3replicator.output import FINE, FOUND, complain
from s3replicator.report import commands as report_commands
from s3replicator.resync import commands as resync_commands
from s3replicator.rules import commands as rules_commands
from s3replicator.rules import native_commands
from s3replicator.status import commands as status_commands
from s3replicator.verify import commands as verify_commands

DISTRIBUTION = "s3-replicator"

app = typer.Typer(
    name="s3replicator",
    help="Operate S3 Replicator: rules, status and failures of a deployed stack. Also emulates AWS on this machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
rules_commands.app.command("import", epilog=native_commands.IMPORT_EPILOG)(native_commands.import_rules)
rules_commands.app.command("export", epilog=native_commands.EXPORT_EPILOG)(native_commands.export_rules)
app.add_typer(rules_commands.app, name="rules")
app.command(epilog=grants_commands.EPILOG)(grants_commands.grants)
app.command(epilog=status_commands.EPILOG)(status_commands.status)
app.command(epilog=explain_commands.EPILOG)(explain_commands.explain)
app.command(epilog=resync_commands.EPILOG)(resync_commands.resync)
app.add_typer(jobs_commands.app, name="jobs")
app.add_typer(failures_commands.app, name="failures")
app.add_typer(failover_commands.app, name="failover")
app.command(epilog=report_commands.EPILOG)(report_commands.report)
app.command(epilog=verify_commands.EPILOG)(verify_commands.verify)
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
    """Take the options that come before a command."""
    del show_version


class _Warnings(logging.Handler):
    """Prints what libraries and the data plane's modules log. Python's own handler would print it as it is."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one warning or error."""
        complain(record.getMessage())


def run() -> int:
    """Run the command, and return its exit status. Raises OSError if its output cannot be written."""
    logging.getLogger().addHandler(_Warnings(logging.WARNING))
    try:
        return app(standalone_mode=False) or FINE
    except typer.TyperException as error:
        error.message = visible(error.message)
        rich_format_error(error)  # type: ignore[arg-type] # typer raises no other kind
        return error.exit_code
    except OSError:
        raise
    except Exception:
        # A fault of the command's own. Python would print the words of an exception as they are.
        for line in traceback.format_exc().splitlines():
            sys.stderr.write(f"{visible(line)}\n")
        return FOUND


def main() -> NoReturn:
    """Run the command as `python -m s3replicator` does."""
    from s3replicator.__main__ import main as command  # noqa: PLC0415 - the module that runs this one

    command()


if __name__ == "__main__":
    main()
