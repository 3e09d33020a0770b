"""`s3replicator explain`: why an object is, is not or would be replicated. Reads everything and does nothing."""

from typing import Annotated

import typer
from replicator.core.deciding.facts import Absent
from replicator.core.outcomes.outcome import Permanent, Temporary

from s3replicator.explain import text_output
from s3replicator.explain.explanation import explain as explain_version
from s3replicator.operator_services import operator_services
from s3replicator.output import FINE, FOUND, Output, fail
from s3replicator.stack import JsonOption, ProfileOption, RegionOption, StackOption, open_stack


def explain(
    uri: Annotated[str, typer.Argument(metavar="s3://BUCKET/KEY", help="An object of a source bucket.")],
    version_id: Annotated[
        str, typer.Option("--version-id", help="One of its versions; by default the current one.", show_default=False)
    ] = "",
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which rules match an object or why not, what is known of it, and what would be done now. Does nothing."""
    bucket, key = _split(uri)
    opened, output = open_stack(stack, region, profile), Output(as_json=as_json)
    try:
        found = explain_version(bucket, key, version_id, operator_services(opened))
    except (Temporary, Permanent) as trouble:
        output.document({"bucket": bucket, "key": key, "error": str(trouble)})
        output.line(f"{uri} cannot be explained: {trouble}", style="red")
        raise typer.Exit(FOUND) from None
    output.document(text_output.as_document(found))
    text_output.show(found, output)
    raise typer.Exit(FOUND if isinstance(found.subject, Absent) else FINE)


def _split(uri: str) -> tuple[str, str]:
    """Take an address apart; what follows the bucket's name is the key as it is, slashes and all."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket or not key:
        fail(f"{uri!r} is not the address of an object; write s3://BUCKET/KEY")
    return bucket, key
