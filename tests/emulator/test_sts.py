"""AssumeRole across accounts: who may, what a session may do, how long it lasts, and as whom it counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError, HTTPClientError

from emulator.iam.principals import Credentials
from emulator.running import Running, running
from tests.emulator.accounts import (
    OTHERS,
    OURS,
    THEIRS,
    allow,
    assumed,
    function,
    of,
    on_bucket,
    policy,
    role,
    trust,
    using,
)
from tests.emulator.plain import refused

WORLD: dict[str, Any] = {
    "accounts": [OTHERS],
    "buckets": [
        {"name": "ours", "region": "us-east-1"},
        {"name": "theirs", "region": "us-east-1", "account": THEIRS},
    ],
}
Client = Callable[..., Any]
ALL = on_bucket("theirs", "*")
ASSUME = allow("sts:AssumeRole")


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as up:
        yield up


@pytest.fixture
def client(emulator: Running) -> Client:
    return emulator.client


def root(account: str) -> str:
    return f"arn:aws:iam::{account}:root"


# Who may assume a role


def test_a_user_of_another_account_that_the_role_trusts_may_assume_it(emulator: Running, client: Client) -> None:
    arn = role(emulator, THEIRS, trust(root(OURS)), ALL)
    session = using(emulator, assumed(client("sts"), arn))
    session.put_object(Bucket="theirs", Key="by-session", Body=b"1")
    with refused("AccessDenied", 403):
        session.put_object(Bucket="ours", Key="by-session", Body=b"1")


@pytest.mark.parametrize("trusted", [OTHERS, None])
@pytest.mark.parametrize("account", [OURS, THEIRS])
def test_a_role_that_does_not_trust_the_caller_is_denied(
    emulator: Running, client: Client, trusted: str | None, account: str
) -> None:
    """To the powerful user of its own account too: a role always needs its trust policy."""
    arn = role(emulator, THEIRS, trust(root(trusted)) if trusted else None, ALL)
    with refused("AccessDenied", 403) as error:
        assumed(client("sts", account=account), arn)
    assert f"is not authorized to perform: sts:AssumeRole on resource: {arn}" in error["Message"]


def test_a_role_that_does_not_exist_is_denied_like_one_that_trusts_others(client: Client) -> None:
    with refused("AccessDenied", 403):
        assumed(client("sts"), f"arn:aws:iam::{THEIRS}:role/missing")


@pytest.mark.parametrize("may", [True, False])
def test_across_accounts_the_callers_own_policies_must_allow_it(emulator: Running, may: bool) -> None:
    caller = role(emulator, OURS, None, allow("sts:AssumeRole" if may else "sts:TagSession"))
    arn = role(emulator, THEIRS, trust(caller))
    sts = using(emulator, function(emulator, caller), "sts")
    if may:
        assumed(sts, arn)
        return
    with refused("AccessDenied", 403):
        assumed(sts, arn)


def test_within_an_account_a_trust_policy_that_names_the_role_itself_is_enough(emulator: Running) -> None:
    caller = role(emulator, OURS, None)
    sts = using(emulator, function(emulator, caller), "sts")
    assumed(sts, role(emulator, OURS, trust(caller)))
    with refused("AccessDenied", 403) as error:  # the account alone leaves it to the identity policies
        assumed(sts, role(emulator, OURS, trust(root(OURS))))
    assert "because no identity-based policy allows the sts:AssumeRole action" in error["Message"]


@pytest.mark.parametrize(("given", "works"), [("secret-of-ours", True), ("another", False), (None, False)])
def test_the_external_id_must_be_the_one_of_the_trust_policy(
    emulator: Running, client: Client, given: str | None, works: bool
) -> None:
    arn = role(emulator, THEIRS, trust(root(OURS), StringEquals={"sts:ExternalId": "secret-of-ours"}))
    settings = {"ExternalId": given} if given else {}
    if works:
        assumed(client("sts"), arn, **settings)
        return
    with refused("AccessDenied", 403):
        assumed(client("sts"), arn, **settings)


def test_a_trust_policy_may_ask_for_the_name_of_the_session(emulator: Running, client: Client) -> None:
    arn = role(emulator, THEIRS, trust(root(OURS), StringLike={"sts:RoleSessionName": "prod-*"}))
    assumed(client("sts"), arn, RoleSessionName="prod-1")
    with refused("AccessDenied", 403):
        assumed(client("sts"), arn, RoleSessionName="test-1")


# What a request must be like


@pytest.mark.parametrize(
    "settings",
    [
        {"RoleSessionName": "with space"},
        {"RoleSessionName": "x" * 65},
        {"DurationSeconds": 1},
        {"DurationSeconds": 43_201},
        {"DurationSeconds": 3_601},  # more than the role allows
        {"ExternalId": "with space"},
        {"RoleArn": f"arn:aws:iam::{THEIRS}:user/a-user-not-a-role"},
        {"Policy": policy(allow("s3:*", ["x" * 2048]))},
    ],
)
def test_a_request_out_of_bounds_is_refused(emulator: Running, settings: dict[str, Any]) -> None:
    arn = role(emulator, THEIRS, trust(root(OURS)))
    with refused("ValidationError", 400):
        assumed(unvalidated(emulator), arn, **settings)


def unvalidated(emulator: Running) -> Any:
    """Return an STS client that leaves it to the service to refuse."""
    return emulator.session().client("sts", config=Config(parameter_validation=False))


def test_what_is_not_implemented_is_refused_by_name(emulator: Running, client: Client) -> None:
    arn = role(emulator, THEIRS, trust(root(OURS)))
    with refused("NotImplemented", 501):
        assumed(client("sts"), arn, Tags=[{"Key": "a", "Value": "b"}])
    with refused("NotImplemented", 501):
        client("sts").get_federation_token(Name="somebody")


def test_a_session_policy_that_is_no_policy_is_refused(emulator: Running, client: Client) -> None:
    arn = role(emulator, THEIRS, trust(root(OURS)))
    with refused("MalformedPolicyDocument", 400):
        assumed(client("sts"), arn, Policy="{")
    with refused("NoSuchEntity", 400):
        assumed(client("sts"), arn, PolicyArns=[{"arn": f"arn:aws:iam::{THEIRS}:policy/missing"}])


# What a session may


def test_a_session_may_what_inline_and_attached_policies_of_its_role_allow_now(
    emulator: Running, client: Client
) -> None:
    arn = role(emulator, THEIRS, trust(root(OURS)))
    s3, name = using(emulator, assumed(client("sts"), arn)), arn.rpartition("/")[2]
    with refused("AccessDenied", 403):
        s3.list_objects_v2(Bucket="theirs")
    iam = client("iam", account=THEIRS)
    iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=policy(on_bucket("theirs", "ListBucket")))
    s3.list_objects_v2(Bucket="theirs")
    iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    s3.put_object(Bucket="theirs", Key="key", Body=b"1")


def test_a_session_policy_takes_away_and_gives_nothing(emulator: Running, client: Client) -> None:
    arn = role(emulator, THEIRS, trust(root(OURS)), on_bucket("theirs", "PutObject", "GetObject"))
    only = policy(on_bucket("theirs", "PutObject", "DeleteObject"))
    s3 = using(emulator, assumed(client("sts"), arn, Policy=only))
    s3.put_object(Bucket="theirs", Key="key", Body=b"1")
    with refused("AccessDenied", 403) as error:  # not in the session policy
        s3.get_object(Bucket="theirs", Key="key")
    assert "because no session policy allows the s3:GetObject action" in error["Message"]
    with refused("AccessDenied", 403):  # not in the role's
        s3.delete_object(Bucket="theirs", Key="key")


def test_managed_policies_of_the_session_limit_it_too(emulator: Running, client: Client) -> None:
    arn = role(emulator, THEIRS, trust(root(OURS)), ALL)
    read_only = [{"arn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}]
    s3 = using(emulator, assumed(client("sts"), arn, PolicyArns=read_only))
    s3.list_objects_v2(Bucket="theirs")
    with refused("AccessDenied", 403):
        s3.put_object(Bucket="theirs", Key="key", Body=b"1")


def test_a_bucket_policy_may_name_the_role_or_one_session_of_it(emulator: Running, client: Client) -> None:
    arn = role(emulator, THEIRS, trust(root(OURS)))
    one, other = (using(emulator, assumed(client("sts"), arn, RoleSessionName=name)) for name in ("one", "other"))
    owner = client("s3", account=THEIRS)
    session = f"arn:aws:sts::{THEIRS}:assumed-role/{arn.rpartition('/')[2]}/one"
    for named, works in ((arn, [one, other]), (session, [one])):
        statement = on_bucket("theirs", "PutObject", Principal={"AWS": named})
        owner.put_bucket_policy(Bucket="theirs", Policy=policy(statement))
        for s3 in works:
            s3.put_object(Bucket="theirs", Key="key", Body=b"1")
    with refused("AccessDenied", 403):
        other.put_object(Bucket="theirs", Key="key", Body=b"1")
    owner.delete_bucket_policy(Bucket="theirs")


# How long


def test_a_session_ends(emulator: Running, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = role(emulator, THEIRS, trust(root(OURS)), allow("*"), MaxSessionDuration=7200)
    credentials = assumed(client("sts"), arn, DurationSeconds=7200)
    start = time.time()
    monkeypatch.setattr(emulator.emulator.principals, "clock", lambda: start + 7190)
    using(emulator, credentials).list_buckets()
    monkeypatch.setattr(emulator.emulator.principals, "clock", lambda: start + 7300)
    with refused("ExpiredToken", 400):
        using(emulator, credentials).list_buckets()
    for service, code, status, ask in (
        ("sqs", "ExpiredToken", 403, "list_queues"),
        ("sts", "ExpiredToken", 403, "get_caller_identity"),
        ("dynamodb", "ExpiredTokenException", 400, "list_tables"),
    ):
        with refused(code, status):
            getattr(using(emulator, credentials, service), ask)()


def test_a_session_that_assumes_a_role_gets_an_hour_at_most(emulator: Running, client: Client) -> None:
    last = role(emulator, OTHERS, trust(root(THEIRS)), MaxSessionDuration=7200)
    first = role(emulator, THEIRS, trust(root(OURS)), ASSUME)
    sts = using(emulator, assumed(client("sts"), first), "sts")
    with refused("ValidationError", 400):
        assumed(sts, last, DurationSeconds=3601)
    assumed(sts, last, DurationSeconds=3600)
    assumed(client("sts", account=OTHERS), role(emulator, OTHERS, trust(root(OTHERS)), MaxSessionDuration=7200),
            DurationSeconds=7200)  # fmt: skip


# As whom


def test_a_session_names_its_role_and_itself(emulator: Running, client: Client) -> None:
    arn = role(emulator, THEIRS, trust(root(OURS)), Path="/below/")
    answer = client("sts").assume_role(RoleArn=arn, RoleSessionName="session")
    name = arn.rpartition("/")[2]
    role_id = client("iam", account=THEIRS).get_role(RoleName=name)["Role"]["RoleId"]
    expected = f"arn:aws:sts::{THEIRS}:assumed-role/{name}/session"
    assert answer["AssumedRoleUser"] == {"Arn": expected, "AssumedRoleId": f"{role_id}:session"}
    identity = using(emulator, of(answer["Credentials"]), "sts").get_caller_identity()
    assert {identity[key] for key in ("Arn", "UserId", "Account")} == {expected, f"{role_id}:session", THEIRS}


def test_callers_without_a_session_are_who_they_are(emulator: Running, client: Client) -> None:
    for account in (OURS, THEIRS):
        identity = client("sts", account=account).get_caller_identity()
        assert (identity["Account"], identity["Arn"]) == (account, f"arn:aws:iam::{account}:user/emulator")
    arn = role(emulator, OURS, None)
    identity = using(emulator, function(emulator, arn, "replicate"), "sts").get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{OURS}:assumed-role/{arn.rpartition('/')[2]}/replicate"


def test_a_session_token_is_the_users_own_and_lends_none(emulator: Running, client: Client) -> None:
    token = of(client("sts", account=THEIRS).get_session_token()["Credentials"])
    assert [each["Name"] for each in using(emulator, token).list_buckets()["Buckets"]] == ["theirs"]
    with refused("AccessDenied", 403):
        using(emulator, token, "sts").get_session_token()


def test_what_a_session_creates_belongs_to_the_roles_account(emulator: Running, client: Client) -> None:
    arn = role(emulator, THEIRS, trust(root(OURS)), allow("*"))
    sqs = using(emulator, assumed(client("sts"), arn), "sqs")
    url = sqs.create_queue(QueueName="of-session")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    assert attributes["QueueArn"] == f"arn:aws:sqs:us-east-1:{THEIRS}:of-session"


# Sessions of functions


@pytest.fixture
def lent(emulator: Running) -> tuple[Credentials, Credentials]:
    """Return the credentials of a function, and those of a session of another account's role that it assumed."""
    caller = role(emulator, OURS, None, ASSUME)
    own = function(emulator, caller)
    arn = role(emulator, THEIRS, trust(caller), ALL)
    return own, assumed(using(emulator, own, "sts"), arn, RoleSessionName="replicate")


def test_a_session_of_a_function_is_still_the_replicator(
    emulator: Running, lent: tuple[Credentials, Credentials]
) -> None:
    emulator.delete("/requests")
    using(emulator, lent[1]).put_object(Bucket="theirs", Key="by-function", Body=b"1")
    (row,) = (row for row in emulator.get("/requests") if row.get("key") == "by-function")
    assert (row["principal"], row["function"], row["account"]) == ("replicator", "replicate", THEIRS)
    emulator.post(
        "/faults", {"service": "s3", "operation": "PutObject", "principal": "replicator", "then": {"status": 503}}
    )
    try:
        with refused("SlowDown", 503):
            using(emulator, lent[1]).put_object(Bucket="theirs", Key="by-function", Body=b"1")
    finally:
        emulator.delete("/faults")


def test_a_kill_finds_the_process_that_assumed_the_role(
    emulator: Running, lent: tuple[Credentials, Credentials]
) -> None:
    killed: list[str] = []
    emulator.emulator.principals.on_kill(lent[0].access_key_id, lambda: killed.append("process"))
    emulator.post("/faults", {"service": "s3", "operation": "PutObject", "then": {"kill": "before"}})
    try:
        with pytest.raises((HTTPClientError, EndpointConnectionError)):
            using(emulator, lent[1]).put_object(Bucket="theirs", Key="killed", Body=b"1")
    finally:
        emulator.delete("/faults")
    assert killed == ["process"]


def test_what_a_session_of_a_function_is_checked_for_is_logged(
    emulator: Running, lent: tuple[Credentials, Credentials]
) -> None:
    emulator.delete("/authorizations")
    using(emulator, lent[1]).put_object(Bucket="theirs", Key="checked", Body=b"1")
    (row,) = emulator.get("/authorizations")
    assert (row["function"], row["action"], row["account"]) == ("replicate", "s3:PutObject", THEIRS)
    assert f"::{THEIRS}:role/" in row["role"]
