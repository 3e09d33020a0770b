"""What the functions read from their environment about accounts and roles."""

import pytest
from replicator.core.deciding.accounts import Accounts, DestinationRoles
from replicator.core.deciding.target import Target
from replicator.settings import Settings

WRITER = "arn:aws:iam::222222222222:role/service/replica-writer"
GIVEN = {
    "CONTROL_BUCKET": "control",
    "JOURNAL_TABLE": "journal",
    "STACK_NAME": "prod",
    "REPLICATOR_ROLES": "prod-ReplicateRole-1,prod-CopyPartsRole-2,prod-BatchRole-3",
    "AWS_LAMBDA_FUNCTION_NAME": "prod-replicate",
    "SOURCE_ACCOUNT": "111111111111",
    "DESTINATION_ROLES": f"222222222222={WRITER}",
    "DESTINATION_EXTERNAL_ID": "an-id",
}
STARTED = {
    "by a role of the stack": ("arn:aws:sts::111111111111:assumed-role/prod-ReplicateRole-1/prod-replicate", True),
    "by a role of another stack": ("arn:aws:sts::111111111111:assumed-role/back-ReplicateRole-9/back-replicate", False),
    "by the role of a destination": ("arn:aws:sts::222222222222:assumed-role/replica-writer/prod-replicate", True),
    "by a worker with it": ("arn:aws:sts::222222222222:assumed-role/replica-writer/prod-copy-parts", True),
    "by another stack with the same role": (
        "arn:aws:sts::222222222222:assumed-role/replica-writer/prod-2-replicate", False),
    "by an operator with it": ("arn:aws:sts::222222222222:assumed-role/replica-writer/s3replicator", False),
    "by a user": ("arn:aws:iam::222222222222:user/replica-writer/prod-replicate", False),
    "by nobody known": ("", False),
}  # fmt: skip


def test_accounts_are_read_and_sessions_have_the_functions_name() -> None:
    accounts = Settings.read(GIVEN).accounts
    assert (accounts.source, accounts.session_name, accounts.external_id) == ("111111111111", "prod-replicate", "an-id")
    assert accounts.roles.of(Target("west", "222222222222")) == WRITER


def test_without_these_variables_nothing_is_checked_and_no_role_is_assumed() -> None:
    accounts = Settings.read({"CONTROL_BUCKET": "control", "JOURNAL_TABLE": "journal"}).accounts
    assert (accounts.source, accounts.roles, accounts.external_id) == ("", DestinationRoles(), "")
    assert Settings("control", "journal", "").accounts == Accounts()


@pytest.mark.parametrize(("initiator", "ours"), STARTED.values(), ids=STARTED)
def test_an_upload_is_the_stacks_own_if_one_of_its_functions_started_it(initiator: str, ours: bool) -> None:
    assert Settings.read(GIVEN).is_ours(initiator) is ours
