"""Sessions of roles: asked for when they are used, renewed in time by one thread, and explained when denied."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from replicator.aws.clients import Clients
from replicator.aws.errors import Side
from replicator.aws.objects import BucketObjects
from replicator.aws.sessions import AGAIN_AFTER, RENEW_BEFORE, SURE, RoleCredentials
from replicator.aws.writing import BucketReplicas
from replicator.core.deciding.accounts import Accounts, DestinationRoles
from replicator.core.deciding.copy import Guard
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Permanent, Reason, Temporary

from tests.patience import PATIENCE
from tests.unit.copies import plain
from tests.unit.wire import Answer, Wire, error

ROLE = "arn:aws:iam::222222222222:role/replica-writer"
CALLER = "arn:aws:sts::111111111111:assumed-role/stack-role/stack-replicate"
HOUR = 3600.0


@dataclass
class Sts:
    """Issues sessions of an hour, numbered, by a clock; raises what is put in its way."""

    now: float = 1_800_000_000.0
    trouble: list[Exception] = field(default_factory=list)
    asked: list[Mapping[str, Any]] = field(default_factory=list)
    before: Callable[[], object] = lambda: None

    def assume_role(self, **arguments: Any) -> Mapping[str, Any]:
        self.asked.append(arguments)
        self.before()
        if self.trouble:
            raise self.trouble[0]
        number = len(self.asked)
        ends = datetime.fromtimestamp(self.now + HOUR, UTC)
        keys = {"AccessKeyId": f"ASIA{number}", "SecretAccessKey": "s", "SessionToken": f"token-{number}"}
        return {"Credentials": {**keys, "Expiration": ends}}

    def credentials(self, external_id: str = "") -> RoleCredentials:
        accounts = Accounts(session_name="stack-replicate", external_id=external_id)
        return RoleCredentials(lambda: self, ROLE, accounts, lambda: self.now)


def denied(code: str = "AccessDenied", message: str = "") -> ClientError:
    message = message or f"User: {CALLER} is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    return ClientError(answer, "AssumeRole")


DENIED = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
LOST = ReadTimeoutError(endpoint_url="https://sts.us-east-1.amazonaws.com")


def test_a_session_has_the_functions_name_and_is_asked_for_when_it_is_first_used() -> None:
    sts = Sts()
    credentials = sts.credentials()
    assert sts.asked == []
    assert credentials.get_frozen_credentials().token == credentials.get_frozen_credentials().token == "token-1"
    assert sts.asked == [{"RoleArn": ROLE, "RoleSessionName": "stack-replicate"}]


def test_the_external_id_is_sent_if_there_is_one() -> None:
    sts = Sts()
    sts.credentials("secret/of:both").get_frozen_credentials()
    assert sts.asked[0]["ExternalId"] == "secret/of:both"


def test_a_session_is_renewed_some_minutes_before_it_ends() -> None:
    sts = Sts()
    credentials = sts.credentials()
    credentials.get_frozen_credentials()
    sts.now += HOUR - RENEW_BEFORE - 1
    assert credentials.get_frozen_credentials().token == "token-1"
    sts.now += 1
    assert credentials.get_frozen_credentials().token == "token-2"
    assert credentials.get_frozen_credentials().token == "token-2"
    assert len(sts.asked) == 2


def test_a_function_that_was_frozen_asks_for_a_new_session_first() -> None:
    sts = Sts()
    credentials = sts.credentials()
    credentials.get_frozen_credentials()
    sts.now += 3 * HOUR
    assert credentials.get_frozen_credentials().token == "token-2"


@pytest.mark.parametrize("trouble", [denied(), LOST], ids=["denied", "lost"])
def test_a_renewal_that_fails_goes_on_with_the_old_session_and_tries_again_later(trouble: Exception) -> None:
    sts = Sts()
    credentials = sts.credentials()
    credentials.get_frozen_credentials()
    sts.now += HOUR - RENEW_BEFORE
    sts.trouble = [trouble]
    for _ in range(5):
        assert credentials.get_frozen_credentials().token == "token-1"
    assert len(sts.asked) == 2, "one try, not one for each request"
    sts.now += AGAIN_AFTER
    assert credentials.get_frozen_credentials().token == "token-1"
    assert len(sts.asked) == 3
    sts.trouble = []
    sts.now += AGAIN_AFTER
    assert credentials.get_frozen_credentials().token == "token-4"


def test_once_the_old_session_is_not_sure_any_more_the_trouble_is_told() -> None:
    sts = Sts()
    credentials = sts.credentials()
    credentials.get_frozen_credentials()
    sts.now += HOUR - SURE
    sts.trouble = [LOST]
    with pytest.raises(Temporary) as told:
        credentials.get_frozen_credentials()
    assert told.value.parts == (
        Reason.TIMED_OUT,
        f"AssumeRole (destination): ReadTimeoutError: {ROLE}",
        Side.DESTINATION,
    )


def test_one_thread_renews_while_the_others_go_on_with_the_old_session() -> None:
    sts = Sts()
    credentials = sts.credentials()
    credentials.get_frozen_credentials()
    sts.now += HOUR - RENEW_BEFORE
    asking, answered = threading.Event(), threading.Event()

    def hold() -> None:
        asking.set()
        assert answered.wait(PATIENCE)

    sts.before = hold
    with ThreadPoolExecutor() as pool:
        renewing = pool.submit(credentials.get_frozen_credentials)
        assert asking.wait(PATIENCE)
        assert credentials.get_frozen_credentials().token == "token-1"
        answered.set()
        assert renewing.result(PATIENCE).token == "token-2"
    assert len(sts.asked) == 2


def test_threads_that_have_no_session_share_one() -> None:
    sts = Sts()
    credentials = sts.credentials()
    together = threading.Barrier(8)

    def ask() -> str:
        together.wait(PATIENCE)
        return str(credentials.get_frozen_credentials().token)

    with ThreadPoolExecutor(8) as pool:
        tokens = {running.result(PATIENCE) for running in [pool.submit(ask) for _ in range(8)]}
    assert (tokens, len(sts.asked)) == ({"token-1"}, 1)


DENIALS = {
    "STS does not say which side": (
        denied(),
        Reason.ASSUME_ROLE_DENIED,
        f"AssumeRole (destination): AccessDenied 403: either {ROLE} does not exist, or its trust policy does not admit "
        f"{CALLER} with external id 'x', or {CALLER} lacks sts:AssumeRole on it",
    ),
    "STS says that it is the function's": (
        denied(message=f"User: {CALLER} is not authorized to perform: sts:AssumeRole on resource: {ROLE} because no "
                       "identity-based policy allows the sts:AssumeRole action"),
        Reason.ASSUME_ROLE_DENIED,
        f"AssumeRole (destination): AccessDenied 403: {CALLER} lacks sts:AssumeRole on {ROLE}; the stack grants it by "
        "its parameter DestinationRoles",
    ),
    "STS is not activated in the Region": (
        denied("RegionDisabledException", "STS is not activated"),
        Reason.ASSUME_ROLE_DENIED,
        f"AssumeRole (destination): RegionDisabledException 403: the account of {ROLE} has not activated STS in this "
        "Region",
    ),
    "the ARN is none": (
        denied("ValidationError", "is invalid"),
        Reason.REFUSED,
        f"AssumeRole (destination): ValidationError 403: {ROLE}",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "reason", "detail"), DENIALS.values(), ids=DENIALS)
def test_a_role_that_may_not_be_assumed_fails_and_the_detail_names_the_side(
    answer: Exception, reason: Reason, detail: str
) -> None:
    sts = Sts(trouble=[answer])
    with pytest.raises(Permanent) as told:
        sts.credentials("x").get_frozen_credentials()
    assert told.value.parts == (reason, detail, Side.DESTINATION)
    assert told.value.__cause__ is None, "else it would be taken for a denial of the request that was to be signed"


@pytest.mark.parametrize("code", ["Throttling", "ExpiredTokenException", "ServiceUnavailable"])
def test_all_else_is_temporary(code: str) -> None:
    with pytest.raises(Temporary):
        Sts(trouble=[denied(code)]).credentials().get_frozen_credentials()


# Through the clients, over a wire


class Account(Wire):
    """STS issues numbered sessions; S3 gives the answers of the wire."""

    def __init__(self, *answers: Answer, sts: Answer | None = None) -> None:
        super().__init__(list(answers))
        self.sts = sts
        self.asked: list[str] = []

    def answer(self, request: AWSPreparedRequest) -> AWSResponse:
        if "//sts." not in request.url:
            return super().answer(request)
        self.asked.append(request.url)
        sent = self.sts or Answer(
            "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s"
            f"</SecretAccessKey><SessionToken>token-{len(self.asked)}</SessionToken><Expiration>2999-01-01T00:00:00Z"
            "</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
        )
        return AWSResponse(request.url, sent.status, sent.headers, sent)  # type: ignore[arg-type]

    def tokens(self) -> list[str]:
        """Return the session of each request to S3; empty for the function's own credentials."""
        tokens = (request.headers.get("X-Amz-Security-Token", "") for request in self.requests)
        return [token.decode() if isinstance(token, bytes) else token for token in tokens]


WEST = Target("west", "222222222222")
COPIED = Answer("<CopyObjectResult><ETag>w</ETag></CopyObjectResult>", headers={"x-amz-version-id": "w1"})
VERSION = Answer(headers={"etag": "e", "content-length": "1", "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT"})


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> Callable[[Account], Clients]:
    """Return a function that makes clients which reach WEST by its role, over a wire."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")

    def make(account: Account) -> Clients:
        monkeypatch.setattr(URLLib3Session, "send", lambda _, request: account.answer(request))
        roles = DestinationRoles.read(f"222222222222={ROLE}")
        return Clients(accounts=Accounts("111111111111", roles, "stack-replicate"))

    return make


def objects(clients: Clients, target: Target = WEST) -> BucketObjects:
    return BucketObjects(target.bucket, Side.DESTINATION, clients.toward(target).reader("us-west-2"))


def test_requests_to_a_destination_with_a_role_are_signed_with_its_session(
    reached: Callable[[Account], Clients],
) -> None:
    account = Account(VERSION)
    clients = reached(account)
    for _ in range(2):
        objects(clients).head("k", "v1")
    assert account.tokens() == ["token-1", "token-1"]
    assert account.asked == ["https://sts.eu-west-1.amazonaws.com/"], "of the stack's own Region, and once"


def test_others_are_signed_with_the_functions_own_credentials_and_ask_for_no_session(
    reached: Callable[[Account], Clients],
) -> None:
    account = Account(VERSION)
    objects(reached(account), Target("west")).head("k", "v1")
    assert (account.tokens(), account.asked) == ([""], [])


def test_a_role_has_one_set_of_clients_for_all_its_destinations(reached: Callable[[Account], Clients]) -> None:
    clients = reached(Account(VERSION))
    others = clients.toward(Target("far", "222222222222"))
    assert clients.toward(WEST).reader("us-west-2") is others.reader("us-west-2")
    assert clients.toward(WEST).reader("us-west-2") is not clients.reader("us-west-2")
    assert clients.toward(WEST).region == clients.region


def test_a_request_whose_session_has_ended_is_repeated_with_a_new_one(reached: Callable[[Account], Clients]) -> None:
    account = Account(error(400, "ExpiredToken"), COPIED)
    client = reached(account).toward(WEST).writer("us-west-2")
    assert BucketReplicas(WEST, client, client).copy(plain(), Guard()).version_id == "w1"
    assert account.tokens() == ["token-1", "token-2"]


def test_it_is_repeated_only_once(reached: Callable[[Account], Clients]) -> None:
    account = Account(error(400, "ExpiredToken"))
    client = reached(account).toward(WEST).writer("us-west-2")
    with pytest.raises(Temporary, match="ExpiredToken"):
        BucketReplicas(WEST, client, client).copy(plain(), Guard())
    assert account.tokens() == ["token-1", "token-2"]


def test_a_copy_whose_role_may_not_be_assumed_fails_for_that_and_nothing_else_is_tried(
    reached: Callable[[Account], Clients],
) -> None:
    account = Account(COPIED, sts=Answer(DENIED, 403))
    client = reached(account).toward(WEST).writer("us-west-2")
    with pytest.raises(Permanent) as told:
        BucketReplicas(WEST, client, client).copy(plain(), Guard())
    assert told.value.reason is Reason.ASSUME_ROLE_DENIED
    assert (account.requests, len(account.asked)) == ([], 1)
