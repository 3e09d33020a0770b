"""`s3replicator explain`: reads arguments, explains one version, prints the explanation. Changes nothing."""

from typing import Annotated

import typer
from replicator.core.deciding.facts import Absent

from s3replicator.addresses import bucket_and_key
from s3replicator.explain.explanation import explain_version
from s3replicator.explain.json_output import explanation_document
from s3replicator.explain.text_output import print_explanation
from s3replicator.operator_services import operator_services
from s3replicator.output import FINE, FOUND, Output
from s3replicator.stack import JsonOption, ProfileOption, RegionOption, StackOption, open_stack

EPILOG = "Exit status 1: there is no such object or version, or AWS refused a request."


def explain(
    address: Annotated[
        str,
        typer.Argument(metavar="s3://BUCKET/KEY", help="An object in a source bucket.", show_default=False),
    ],
    version_id: Annotated[
        str,
        typer.Option("--version-id", help="The version to explain. Default: the current one.", show_default=False),
    ] = "",
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which rules match an object and why, what is known of it, and what would be done now. Changes nothing."""
    bucket, key = bucket_and_key(address)
    opened, output = open_stack(stack, region, profile), Output(as_json=as_json)
    with output.stop_on_trouble(bucket, key, f"cannot explain {address}"):
        found = explain_version(bucket, key, version_id, operator_services(opened))
    output.document(explanation_document(found))
    print_explanation(found, output)
    raise typer.Exit(FOUND if isinstance(found.subject, Absent) else FINE)
