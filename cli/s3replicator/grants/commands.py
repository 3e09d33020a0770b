"""`s3replicator grants`: reads arguments and facts, plans, and prints what other accounts must put in place."""

from enum import StrEnum
from functools import partial
from typing import Annotated, NoReturn

import typer
from replicator.aws.rule_shape import shape_problems
from replicator.core.rules.document import RulesRefused, default_document, load, parse
from replicator.core.rules.matching import RuleSet

from s3replicator.addresses import bucket_name
from s3replicator.grants.cloudformation import is_empty, template
from s3replicator.grants.documents import ALONE, Documents, alone, compose, json_document
from s3replicator.grants.events import EventPlan
from s3replicator.grants.facts import Facts
from s3replicator.grants.gathering import Misused, Ways, clients_of, gather, pairs
from s3replicator.grants.plan import Plan, plan
from s3replicator.grants.policy import Statement
from s3replicator.grants.reading import Reader
from s3replicator.grants.text_output import print_documents
from s3replicator.output import FINE, FOUND, Output, complain, fail, stop_on_failed_call
from s3replicator.rule_documents import RuleDocuments, read_argument
from s3replicator.stack import (
    AccountProfilesOption,
    JsonOption,
    ProfileOption,
    RegionOption,
    Stack,
    StackOption,
    open_stack,
)

EPILOG = "Exit status 1: the bucket has no rules, a document is larger than AWS takes, or AWS refused a request."


class Format(StrEnum):
    """What is printed."""

    TEXT = "text"
    JSON = "json"
    CLOUDFORMATION = "cloudformation"


def grants(
    bucket: Annotated[
        str, typer.Argument(metavar="BUCKET", help="The source bucket, as NAME, s3://NAME or ARN.", show_default=False)
    ],
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE", help="These rules instead of the stored ones; - reads standard input.", show_default=False
        ),
    ] = None,
    wanted: Annotated[
        Format, typer.Option("--format", metavar="text|json|cloudformation", help="What to print.")
    ] = Format.TEXT,
    account: Annotated[
        str | None, typer.Option("--account", metavar="ID", help="Only this account.", show_default=False)
    ] = None,
    document: Annotated[
        str | None,
        typer.Option(
            "--document",
            metavar="KIND/NAME",
            help=f"Only this document, as the AWS CLI takes it. KIND: {', '.join(ALONE)}.",
            show_default=False,
        ),
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(
            "--destination-role",
            metavar="ACCOUNT_OR_BUCKET=ARN",
            help="A role that functions assume for a destination. Default: those of the stack. Repeatable.",
            show_default=False,
        ),
    ] = None,
    external_id: Annotated[
        str,
        typer.Option("--external-id", help="What these roles ask for. Default: that of the stack.", show_default=False),
    ] = "",
    profiles: AccountProfilesOption = None,
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what other accounts must put in place for a bucket's rules: bucket and key policies, roles, events."""
    name, text = bucket_name(bucket), None if file is None else read_argument(file)
    wanted = Format.JSON if as_json else wanted
    opened = open_stack(stack, region, profile)
    try:
        ways = Ways(pairs(role or [], "ACCOUNT_OR_BUCKET=ARN"), external_id)
        reader = Reader(clients_of(opened, pairs(profiles or [], "ACCOUNT=PROFILE")), opened.facts.region)
        facts = gather(opened, _rules(opened, name, text), reader, ways)
        planned, documents = _compose(facts, reader)
    except Misused as error:
        fail(str(error))
    if document is not None:
        _print_alone(document, documents)
    _print(facts, planned, _only(documents, account), Output(as_json=wanted is not Format.TEXT), wanted, account)
    raise typer.Exit(FINE if documents.fits else FOUND)


def _print_alone(name: str, documents: Documents) -> NoReturn:
    found = alone(documents)
    if name not in found:
        fail(f"there is no document {name}; there are {', '.join(found) or 'none'}")
    Output(as_json=True).document(found[name])
    raise typer.Exit(FINE if documents.fits else FOUND)


def _compose(facts: Facts, reader: Reader) -> tuple[Plan, Documents]:
    planned = plan(facts)
    existing: dict[str, tuple[Statement, ...]] = {}
    for each in dict.fromkeys(grant.resource for grant in planned.grants if not grant.resource.is_key):
        found = reader.policy(each.name, each.account)
        existing[each.name] = tuple(found or ())
        if found is None:
            reader.notes.append(
                f"what is printed replaces whatever policy {each.name} has: keep the statements of others"
            )
    own = facts.source.account == facts.stack.account
    events = None if own else EventPlan(facts.source.account, facts.source.name, facts.stack)
    return planned, compose(facts, planned, existing, events, (*_notes(facts, planned), *reader.notes))


def _notes(facts: Facts, planned: Plan) -> list[str]:
    """Return what the stack itself must be told."""
    found = []
    for role in planned.roles:
        entries = {each for each in facts.destination_roles.entries.items() if each[1] == role.arn}
        for key, arn in sorted(entries):
            found.append(f"the stack's parameter DestinationRoles must have {key}={arn}")
    keys = {grant.resource.name for grant in planned.grants if grant.resource.is_key}
    if keys:
        found.append("a key's policy must keep the statements that it has: add these to them")
    if facts.source.account != facts.stack.account:
        found.append(
            f"a bucket's notification configuration is replaced as a whole: if {facts.source.name} has others, add "
            "this one to them. Where you have credentials of its account, `rules put` does so"
        )
    return found


def _only(documents: Documents, account: str | None) -> Documents:
    if account is None:
        return documents
    chosen = {each: content for each, content in documents.accounts.items() if each == account}
    return Documents(chosen, documents.notes, documents.fits)


def _print(
    facts: Facts, planned: Plan, documents: Documents, output: Output, wanted: Format, account: str | None
) -> None:
    bucket = facts.rules.bucket
    if wanted is Format.TEXT:
        print_documents(bucket, documents, output)
    elif wanted is Format.JSON:
        output.document(json_document(bucket, documents, planned))
    else:
        description = f"What S3 Replicator (stack {facts.stack.name}) needs to replicate {bucket}"
        templates = {
            each: template(content, description)
            for each, content in documents.accounts.items()
            if not is_empty(content)
        }
        output.document(templates if account is None else templates.get(account, {}))
        for note in documents.notes:
            complain(note)


def _rules(stack: Stack, bucket: str, text: bytes | None) -> RuleSet:
    """Return the rules of a file, or those in force. Ends the command if there are none, or they are not valid."""
    s3 = stack.client("s3")
    with stop_on_failed_call(f"bucket {stack.facts.control_bucket}", f"cannot read the rules of {bucket}"):
        stored = text if text is not None else RuleDocuments(s3, stack.facts.control_bucket).read(bucket)
    default = stack.facts.default_destination if bucket == stack.facts.default_source else ""
    if stored is None and not default:
        complain(f"no rules are stored for {bucket}; name a file with rules, or store some with `rules put`")
        raise typer.Exit(FOUND)
    try:
        document = default_document(default) if stored is None else load(bucket, stored)
        shape = partial(shape_problems, service=s3.meta.service_model)
        return parse(bucket, document, shape(document))
    except RulesRefused as refused:
        for problem in refused.problems:
            complain(str(problem))
        raise typer.Exit(FOUND) from None
