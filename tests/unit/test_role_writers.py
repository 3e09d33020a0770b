"""As whom functions write to destinations, which stacks in the other direction must know."""

from replicator.core.deciding.accounts import DestinationRoles
from replicator.core.deciding.target import Target
from s3replicator.failed_calls import CallFailed, FailedCall
from s3replicator.rules.role_writers import RoleWriters
from s3replicator.stack_facts import StackFacts

ROLE = "arn:aws:iam::222222222222:role/service/writer"
STACK = StackFacts(
    "prod", "us-east-1", "111111111111", "control", "https://q", "arn:aws:sqs:us-east-1:111111111111:q",
    writers=("AROAONE:prod-replicate", "AROATWO:prod-copy-parts", "AROATHREE:prod-batch"),
)  # fmt: skip
THERE, ELSEWHERE = Target("west", "222222222222"), Target("far")


def writers(failed: str = "") -> RoleWriters:
    def role_id(role: str) -> str:
        if failed:
            raise CallFailed(FailedCall("sts:AssumeRole", failed))
        return {ROLE: "AROATHERE"}[role]

    return RoleWriters(STACK, DestinationRoles.read(f"222222222222={ROLE}"), role_id)


def test_through_a_role_all_functions_write_with_its_id_and_their_own_names() -> None:
    assert writers().at(THERE) == ("AROATHERE:prod-replicate", "AROATHERE:prod-copy-parts", "AROATHERE:prod-batch")
    assert writers().at(ELSEWHERE) == STACK.writers


def test_what_the_other_stack_must_be_given_is_named() -> None:
    expected = "AROATHERE:prod-replicate,AROATHERE:prod-copy-parts,AROATHERE:prod-batch as its PeerPrincipals"
    assert writers().advice(THERE) == expected
    assert writers().advice(ELSEWHERE) == f"{','.join(STACK.writers)} as its PeerPrincipals"


def test_who_may_not_assume_the_role_is_told_where_its_id_is() -> None:
    assert writers("AccessDenied").advice(THERE) == (
        "ROLE_ID:prod-replicate,ROLE_ID:prod-copy-parts,ROLE_ID:prod-batch as its PeerPrincipals, where ROLE_ID is "
        "what `aws iam get-role --role-name writer --query Role.RoleId` prints there"
    )
