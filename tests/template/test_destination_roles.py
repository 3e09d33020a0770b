"""DestinationRoles: its entries are taken apart, and functions may assume exactly these roles."""

import pytest

from tests.template import stacks


def assumed(stack: stacks.Document, role: str) -> set[str]:
    """Return the roles that a role may assume."""
    return {on for action, on in stacks.allowed(stack, role) if action == "sts:AssumeRole"}


def test_functions_that_reach_destinations_may_assume_exactly_the_roles_named() -> None:
    stack = stacks.stack(**stacks.EVERYTHING)
    roles = {"arn:aws:iam::222222222222:role/writer", "arn:aws:iam::333333333333:role/a/k"}
    found = {role: assumed(stack, role) for role in stacks.ROLES.values()}
    assert found.pop("ReleaseRole") == set(), "it reaches no destination"
    assert found == dict.fromkeys(found, roles)


@pytest.mark.parametrize("count", [1, 2, 9, 10])
def test_every_entry_of_destination_roles_is_taken_apart(count: int) -> None:
    arns = [f"arn:aws:iam::{number:012d}:role/r{number}" for number in range(count)]
    entries = ",".join(f"b{number}={arn}" for number, arn in enumerate(arns))
    allowed = stacks.allowed(stacks.stack(DestinationRoles=entries), "ReplicateRole")
    assert [on for action, on in allowed if action == "sts:AssumeRole"] == arns


def test_without_destination_roles_no_role_may_assume_one() -> None:
    stack = stacks.stack(**{**stacks.EVERYTHING, "DestinationRoles": ""})
    assert [role for role in stacks.ROLES.values() if assumed(stack, role)] == []


ROLE = "arn:aws:iam::222222222222:role/w"


@pytest.mark.parametrize(
    "entries",
    [
        ROLE,
        f"west={ROLE}, far={ROLE}",
        f"west={ROLE.replace('role', 'user')}",
        f"West={ROLE}",
        ",".join(f"b{number}={ROLE}" for number in range(11)),
    ],
)
def test_what_is_no_list_of_roles_is_refused_when_the_stack_is_deployed(entries: str) -> None:
    with pytest.raises(Exception, match="DestinationRoles"):
        stacks.stack(DestinationRoles=entries)
