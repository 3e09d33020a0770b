"""The operator's command: `s3replicator`. One module per group of commands, registered here."""

import typer

from s3replicator import emulate_command
from s3replicator.explain import commands as explain_commands
from s3replicator.failures import commands as failures_commands
from s3replicator.report import commands as report_commands
from s3replicator.rules import commands as rules_commands
from s3replicator.status import commands as status_commands

app = typer.Typer(
    name="s3replicator",
    help="S3 Replicator: rules, state and failures of a deployed stack, and AWS emulated on this machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(rules_commands.app, name="rules")
app.add_typer(failures_commands.app, name="failures")
app.command()(status_commands.status)
app.command()(report_commands.report)
app.command()(explain_commands.explain)
app.command()(emulate_command.emulate)


def main() -> None:
    """Run the command; exit status 0 fine, 1 found something, 2 usage, 130 interrupted."""
    app()


if __name__ == "__main__":
    main()
