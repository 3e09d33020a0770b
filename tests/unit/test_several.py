"""Which stacks a command is about, from its options and from a file."""

from pathlib import Path

import pytest
import typer
from s3replicator.several import Place, choose

FILE = """
[[stacks]]
name = "east"

[[stacks]]
name = "west"
region = "us-west-2"
profile = "backup"
account = "444455556666"
"""


@pytest.fixture
def stacks(tmp_path: Path) -> Path:
    path = tmp_path / "stacks.toml"
    path.write_text(FILE)
    return path


WEST = Place("west", "us-west-2", "backup", "444455556666")


def test_without_any_it_is_the_configured_one() -> None:
    assert choose(None, None, None, "p") == [Place(None, None, "p")]


def test_a_name_may_have_a_region_and_each_counts_once() -> None:
    found = choose(["one", "two@eu-west-1", "one"], None, "us-east-1", "p")
    assert found == [Place("one", "us-east-1", "p"), Place("two", "eu-west-1", "p")]


def test_a_file_names_stacks_and_options_fill_in_what_it_leaves_out(stacks: Path) -> None:
    assert choose(None, stacks, "us-east-1", "p") == [Place("east", "us-east-1", "p"), WEST]


def test_with_a_file_names_pick_from_it(stacks: Path) -> None:
    assert choose(["west"], stacks, None, None) == [WEST]
    elsewhere = Place("west", "eu-west-1", "backup", "444455556666")
    assert choose(["west@eu-west-1", "other"], stacks, None, None) == [elsewhere, Place("other")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has no [[stacks]]"),
        ("[[stacks]]\nregion = 'r'", "stack 1 has no name"),
        ("[[stacks]]\nname = 'a'\nrole = 'r'", "stack 1 has a field role; it may have name, region, profile, account"),
        ("[[stacks]]\nname = 'a'\naccount = 1", "stack 1: account is no text"),
        ("[[stacks", "cannot read"),
    ],
    ids=["empty", "no name", "unknown field", "a number", "no TOML"],
)
def test_a_file_that_cannot_be_used_ends_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, problem: str
) -> None:
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(typer.Exit) as ended:
        choose(None, path, None, None)
    assert ended.value.exit_code == 2
    assert problem in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("text", ["@r", "a@"], ids=["no name", "no region"])
def test_half_a_name_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        choose([text], None, None, None)
    assert "write NAME or NAME@REGION" in capsys.readouterr().err
