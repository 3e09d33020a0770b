"""The stacks that a command is about, if it may be several: which they are, and what one without an answer does.

Separate from `stack`, where there is one: here nothing that is wrong with a stack ends the command. A stack that cannot
be reached is told of, counts as not fine, and hides none of the others.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from replicator.threads import side_by_side

from s3replicator.failed_calls import CallFailed
from s3replicator.output import FINE, FOUND, Output, fail
from s3replicator.stack import VARIABLE, Named, Stack, StackUnusable, name_stack, open_named

STACKS_VARIABLE = "S3REPLICATOR_STACKS"
FIELDS = ("name", "region", "profile", "account")
PATIENT = Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 3})
"""For requests to one of several stacks: its Region may be down, and the others are waiting."""

StacksOption = Annotated[
    list[str] | None,
    typer.Option(
        "--stack",
        metavar="NAME[@REGION]",
        envvar=VARIABLE,
        help="Name of the deployed stack, with its Region if that is another one. May be repeated for several stacks.",
        show_default=False,
    ),
]
StacksFileOption = Annotated[
    Path | None,
    typer.Option(
        "--stacks",
        metavar="FILE.toml",
        envvar=STACKS_VARIABLE,
        help="File of stacks, each with a name and, if need be, region, profile and account. With --stack, only these.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class Place:
    """Where one stack is. Empty: as it is configured; account: what it must be in, if that is known."""

    name: str | None = None
    region: str | None = None
    profile: str | None = None
    account: str = ""

    @property
    def label(self) -> str:
        """How people call it."""
        return f"stack {self.name}" + (f" in {self.region}" if self.region else "")


@dataclass(frozen=True, slots=True)
class _Unusable:
    """A stack that cannot be used, and why."""

    place: Place
    problem: str


class _Kept(Output):
    """Keeps the JSON document of one stack, for that of all."""

    kept: Any = None

    def document(self, value: Any) -> None:
        """Keep the document."""
        self.kept = value


def for_stacks(places: Sequence[Place], output: Output, work: Callable[[Stack, Output], bool]) -> NoReturn:
    """Do something with each stack, and end the command; `work` returns whether all is fine.

    For one stack, the output is that of `work`. For several, it has a heading for each in text, and one document:
    {"stacks": [{"stack", "region", "account", "fine", "problem", "result"}]}.
    """
    if len(places) == 1:
        [place] = places
        raise typer.Exit(FINE if work(_open_one(place), output) else FOUND)
    opened = side_by_side([partial(_open, place) for place in places])
    entries = [_one_of_several(each, output, work) for each in opened]
    output.document({"stacks": entries})
    raise typer.Exit(FINE if all(each["fine"] for each in entries) else FOUND)


def choose(stack: Sequence[str] | None, stacks: Path | None, region: str | None, profile: str | None) -> list[Place]:
    """Return the stacks that the options name; without any, the one that is configured.

    Ends the command if the file cannot be read.
    """
    known = {each.name: each for each in _read(stacks)} if stacks else {}
    if not stack:
        found = [*_read(stacks)] if stacks else [Place()]
    else:
        found = [_named(each, known) for each in dict.fromkeys(stack)]
    return [Place(each.name, each.region or region, each.profile or profile, each.account) for each in found]


def _named(text: str, known: Mapping[str | None, Place]) -> Place:
    name, at, region = text.partition("@")
    if not name or (at and not region):
        fail(f"'{text}' is no stack; write NAME or NAME@REGION")
    place = known.get(name, Place(name))
    return Place(name, region, place.profile, place.account) if region else place


def _read(file: Path) -> list[Place]:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        fail(f"cannot read {file}: {getattr(error, 'strerror', None) or error}")
    entries = document.get("stacks")
    if not isinstance(entries, list) or not entries:
        fail(f"{file} has no [[stacks]]")
    return [_place(file, number, entry) for number, entry in enumerate(entries, 1)]


def _place(file: Path, number: int, entry: object) -> Place:
    where = f"{file}: stack {number}"
    if not isinstance(entry, dict) or not entry.get("name"):
        fail(f"{where} has no name")
    for field, value in entry.items():
        if field not in FIELDS:
            fail(f"{where} has a field {field}; it may have {', '.join(FIELDS)}")
        if not isinstance(value, str):
            fail(f"{where}: {field} is no text; put it in quotes")
    return Place(entry["name"], entry.get("region"), entry.get("profile"), entry.get("account", ""))


def _open_one(place: Place) -> Stack:
    opened = open_named(lambda: name_stack(place.name, place.region, place.profile))
    if place.account and opened.facts.account != place.account:
        fail(_other_account(place, opened))
    return opened


def _open(place: Place) -> Stack | _Unusable:
    try:
        named: Named = name_stack(place.name, place.region, place.profile)
        opened = named.describe(PATIENT)
    except CallFailed as failed:
        return _Unusable(place, f"cannot be read: {failed.call.advice(place.label)}")
    except StackUnusable as unusable:
        return _Unusable(place, str(unusable))
    except (BotoCoreError, ValueError) as error:
        return _Unusable(place, f"the AWS configuration is not usable: {error}")
    if place.account and opened.facts.account != place.account:
        return _Unusable(place, _other_account(place, opened))
    return opened


def _other_account(place: Place, opened: Stack) -> str:
    return f"{place.label} is in account {opened.facts.account}, not in {place.account}"


def _one_of_several(opened: Stack | _Unusable, output: Output, work: Callable[[Stack, Output], bool]) -> dict[str, Any]:
    if isinstance(opened, _Unusable):
        output.line(f"{opened.place.label}: {opened.problem}", style="red")
        name, region, account = opened.place.name, opened.place.region, opened.place.account or None
        return _entry(name, region, account, problem=opened.problem)
    facts, kept = opened.facts, _Kept(as_json=output.as_json)
    output.line(f"stack {facts.name} in {facts.region}, account {facts.account}", style="bold")
    try:
        fine, problem = work(opened, kept), None
    except typer.Exit as ended:
        fine, problem = ended.exit_code == FINE, "the command ended early; standard error says why"
    output.line("")
    return _entry(facts.name, facts.region, facts.account, problem=problem, fine=fine, result=kept.kept)


def _entry(
    name: str | None,
    region: str | None,
    account: str | None,
    *,
    problem: str | None,
    fine: bool = False,
    result: Any = None,
) -> dict[str, Any]:
    where = {"stack": name, "region": region, "account": account}
    return {**where, "fine": fine, "problem": problem, "result": result}
