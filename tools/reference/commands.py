"""docs/reference/commands.md, from the functions that typer turns into commands and from `permissions.py`."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from s3replicator.main import app
from s3replicator.permissions import PERMISSIONS, Permission
from s3replicator.stack import JsonOption, ProfileOption, RegionOption, StackOption
from typer.models import ArgumentInfo, OptionInfo

from tools.reference.markdown import code, table

INTRODUCTION = """# Command reference

*For whoever types `s3replicator`. It answers: what does each command do, which options does it take, and which IAM
actions does it need?*

`s3replicator COMMAND --help` prints the same for one command. `s3replicator --version` prints the version.

Credentials, Region, profile, proxies and endpoints are boto3's ordinary settings, including `AWS_ENDPOINT_URL` and its
forms for single services. Each command below lists the IAM actions that its credentials need.

In text, characters that do not print (controls, line breaks, marks of direction) and those that the terminal's encoding
lacks are shown as `\\x1b`, `\\u202e` or `\\U000e0001`, and a backslash as two. With `--json`, values are exact.

"""
EXIT_STATUSES = (
    ("0", "Success, and nothing was found that needs attention."),
    (
        "1",
        "The command found something that needs attention (each command says what), AWS refused a request, or the "
        "output cannot be written, for example because its reader closed the pipe.",
    ),
    ("2", "The arguments are wrong, or the stack cannot be found or read. Nothing was changed."),
    ("130", "The command was interrupted with Ctrl-C. Run it again: it finishes what was begun."),
)
COMMON = (StackOption, RegionOption, ProfileOption, JsonOption)
WORDS = {str: "TEXT", int: "INTEGER", Path: "PATH"}


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its name without `s3replicator`, its function, and what typer prints below its options."""

    name: str
    function: Callable[..., Any]
    epilog: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument or option. `hint` is its annotation, `default` the default of the function."""

    name: str
    hint: Any
    info: ArgumentInfo | OptionInfo
    default: Any

    @property
    def is_required(self) -> bool:
        """Return whether it must be given."""
        return self.default is inspect.Parameter.empty

    @property
    def type(self) -> type:
        """Return its Python type, without None."""
        kind = get_args(self.hint)[0]
        if get_origin(kind) is UnionType:
            kind = next(each for each in get_args(kind) if each is not type(None))
        return kind if isinstance(kind, type) else str

    @property
    def value(self) -> str:
        """Return the word that stands for its value."""
        return self.info.metavar or WORDS[self.type]


def commands() -> Iterator[Command]:
    """Yield every command in the order in which help lists the groups, then the commands of each."""
    for group in app.registered_groups:
        for each in group.typer_instance.registered_commands if group.typer_instance else ():
            if each.callback:
                yield Command(f"{group.name} {each.name or each.callback.__name__}", each.callback, each.epilog or "")
    for each in app.registered_commands:
        if each.callback:
            yield Command(each.name or each.callback.__name__, each.callback, each.epilog or "")


def has_common_options(command: Command) -> bool:
    """Return whether a command has all the common options."""
    hints = get_type_hints(command.function, include_extras=True).values()
    return all(each in hints for each in COMMON)


def page() -> str:
    """Return the page."""
    found = list(commands())
    contents = "".join(f"- [`s3replicator {each.name}`](#{_anchor(each.name)})\n" for each in found)
    without = " and ".join(code(each.name) for each in found if not has_common_options(each))
    common = [Parameter("", hint, _info(hint), None) for hint in COMMON]
    return "".join(
        (
            INTRODUCTION,
            f"{contents}\n",
            "## Exit statuses\n\n",
            table(("status", "meaning"), EXIT_STATUSES),
            f"## Common options\n\nEvery command but {without} has these options.\n\n",
            _options(common),
            *map(_section, found),
        )
    )


def _anchor(name: str) -> str:
    return f"s3replicator-{name.replace(' ', '-')}"


def _section(command: Command) -> str:
    hints = get_type_hints(command.function, include_extras=True)
    parameters = [
        Parameter(name, hints[name], _info(hints[name]), each.default)
        for name, each in inspect.signature(command.function).parameters.items()
    ]
    own = [each for each in parameters if each.hint not in COMMON]
    arguments = [each for each in own if isinstance(each.info, ArgumentInfo)]
    options = [each for each in own if isinstance(each.info, OptionInfo)]
    usage = " ".join(each.value if each.is_required else f"[{each.value}]" for each in arguments)
    return "".join(
        (
            f"## s3replicator {command.name}\n\n{inspect.cleandoc(command.function.__doc__ or '')}\n\n",
            f"    s3replicator {command.name} [OPTIONS] {usage}".rstrip() + "\n\n",
            _arguments(arguments) if arguments else "",
            _options(options) if options else "",
            f"{command.epilog}\n\n" if command.epilog else "",
            _permissions(PERMISSIONS[command.name]),
        )
    )


def _info(hint: Any) -> ArgumentInfo | OptionInfo:
    return next(each for each in get_args(hint) if isinstance(each, ArgumentInfo | OptionInfo))


def _arguments(arguments: list[Parameter]) -> str:
    return table(("argument", "meaning"), [(code(each.value), _help(each)) for each in arguments])


def _options(options: list[Parameter]) -> str:
    return table(("option", "default", "meaning"), [(_flag(each), _default(each), _help(each)) for each in options])


def _flag(option: Parameter) -> str:
    """Return an option with its value. In annotations, typer takes the first of its names for a default."""
    info = option.info
    declared = [each for each in (info.default, *(info.param_decls or ())) if str(each).startswith("--")]
    names = ", ".join(map(str, declared)) or f"--{option.name.replace('_', '-')}"
    return code(names if option.type is bool else f"{names} {option.value}")


def _default(option: Parameter) -> str:
    is_given = option.default not in {None, ""} and option.default is not False
    return code(str(option.default)) if is_given else "-"


def _help(parameter: Parameter) -> str:
    variable = parameter.info.envvar
    return (parameter.info.help or "") + (f" Environment variable: {code(str(variable))}." if variable else "")


def _permissions(permissions: tuple[Permission, ...]) -> str:
    if not permissions:
        return "Needs no IAM actions: it does not call AWS.\n\n"
    rows = [(", ".join(map(code, each.actions)), str(each.target), each.when or "always") for each in permissions]
    return table(("IAM actions", "on", "needed"), rows)
