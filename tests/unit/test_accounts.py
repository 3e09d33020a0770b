"""Which role the functions assume for which destination, as DestinationRoles says."""

import pytest
from replicator.core.deciding.accounts import DestinationRoles
from replicator.core.deciding.target import Target

WRITER = "arn:aws:iam::222222222222:role/replica-writer"
ARCHIVIST = "arn:aws:iam::333333333333:role/service/archivist"
KEEPER = "arn:aws:iam::333333333333:role/keeper"
ROLES = DestinationRoles.read(
    f"222222222222={WRITER}, a*={KEEPER},archive-*={ARCHIVIST},archive-eu={KEEPER},far.*.west={WRITER}"
)

FOUND = {
    "its account's": (Target("west", "222222222222"), WRITER),
    "none, if the rule names another account": (Target("west", "333333333333"), ""),
    "none, if the rule names no account": (Target("west"), ""),
    "that of the longest pattern that matches": (Target("archive-us"), ARCHIVIST),
    "its own wins over a pattern's": (Target("archive-eu"), KEEPER),
    "its pattern's wins over its account's": (Target("archive-us", "222222222222"), ARCHIVIST),
    "a pattern is one for the whole name": (Target("an-archive-us", "222222222222"), KEEPER),
    "a star stands for nothing as well": (Target("archive-"), ARCHIVIST),
    "only a star is special": (Target("farxx.west", "222222222222"), WRITER),
    "a dot is a dot": (Target("farxmiddlexwest"), ""),
    "a bucket whose name is an account's id is no account": (Target("222222222222"), ""),
}


@pytest.mark.parametrize(("target", "role"), FOUND.values(), ids=FOUND)
def test_a_destination_has_the_role(target: Target, role: str) -> None:
    assert ROLES.of(target) == role


def test_roles_are_known_by_their_names_without_a_path() -> None:
    assert ROLES.names == {"replica-writer", "archivist", "keeper"}


def test_without_the_parameter_there_is_no_role() -> None:
    assert DestinationRoles.read("").of(Target("west", "222222222222")) == ""


@pytest.mark.parametrize("text", ["222222222222", f"={WRITER}", "west=writer", f"west={WRITER},,x"])
def test_what_is_no_entry_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ACCOUNT_OR_BUCKET"):
        DestinationRoles.read(text)
