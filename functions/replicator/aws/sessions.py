"""Sessions of roles in other accounts: credentials that botocore asks for with each request.

One session for each role and container. One thread renews it, some minutes before its end, while all others go on with
what they have; if that fails, so does this one, until the session really ends. A function that was frozen with an old
session asks for a new one first. STS may be asked again without harm: an answer that is lost costs nothing.
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html

The name of a session is that of the function: S3's events name both, the role's id and the session, as the writer.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import boto3
import botocore.session
from botocore.credentials import CredentialProvider, CredentialResolver, Credentials, ReadOnlyCredentials

from replicator.aws.asking import asking, required
from replicator.aws.denials import assume_denied
from replicator.aws.errors import Side
from replicator.aws.remembered import Remembered
from replicator.core.deciding.accounts import Accounts
from replicator.core.outcomes.outcome import Permanent, Temporary

RENEW_BEFORE = 600.0
"""Seconds before its end from which a session is renewed. Chained roles, such as those that a function's role assumes,
have sessions of an hour at most."""
SURE = 60.0
"""Seconds before its end from which a session is not relied on any more: two clocks may differ."""
AGAIN_AFTER = 30.0
"""Seconds after a renewal that failed, in which nobody tries again as long as the old session is good."""
SHARED_SECONDS = 1.0
"""How old the answer to another thread may be for one that has no session."""
EXPIRED = frozenset({"ExpiredToken", "TokenRefreshRequired"})
"""S3 answers so to a session that has ended, and has then done nothing of what was asked."""
RENEWED = "replicator-session-renewed"
"""In the context of a request: it was repeated with another session."""


class Sts(Protocol):
    """The one call to STS."""

    def assume_role(self, **arguments: Any) -> Mapping[str, Any]:
        """Return temporary credentials, with their expiration."""
        ...


@dataclass(frozen=True, slots=True)
class _Session:
    """ends, renewed_from: epoch seconds."""

    credentials: ReadOnlyCredentials
    ends: float
    renewed_from: float

    def is_good(self, now: float) -> bool:
        return now < self.ends - SURE


class RoleCredentials(Credentials):
    """The credentials of one role. Thread-safe."""

    def __init__(
        self, sts: Callable[[], Sts], role: str, accounts: Accounts, clock: Callable[[], float] = time.time
    ) -> None:
        """Take a function that makes the client of STS, which is done with the first request, and a wall clock."""
        super().__init__("", "", method="assume-role")
        self._sts = sts
        self._role = role
        self._arguments = assume_arguments(role, accounts)
        self._clock = clock
        self._session: _Session | None = None
        self._used = threading.local()
        self._renewing = threading.Lock()
        self._ended = 0  # sessions that ended before their time
        self._asked: Remembered[int, _Session] = Remembered(clock)

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return what signs the next request. Raises Permanent if the role may not be assumed; Temporary."""
        session, now = self._session, self._clock()
        if session is None or not session.is_good(now):
            session = self._session = self._asked.answer(self._ended, self._assume, SHARED_SECONDS)
        elif now >= session.renewed_from and self._renewing.acquire(blocking=False):
            try:
                session = self._renewed(session, now)
            finally:
                self._renewing.release()
        self._used.session = session
        return session.credentials

    def ask_again(self, response: Any = None, request_dict: Any = None, **_: object) -> float | None:
        """Repeat a request once whose session has ended all the same; a handler of botocore's `needs-retry`.

        Return the seconds to wait before, or None to leave it to botocore whether it is repeated.
        """
        code = response[1].get("Error", {}).get("Code") if response else ""
        if code not in EXPIRED or request_dict["context"].setdefault(RENEWED, False):
            return None
        request_dict["context"][RENEWED] = True
        if self._session is self._used.session:  # else another thread has a new one
            self._session = None
            self._ended += 1
        return 0.0

    def _renewed(self, session: _Session, now: float) -> _Session:
        """Return a new session; the old one, if there is none now or another thread has just renewed it."""
        if self._session is not session:
            return self._session or session
        try:
            self._session = self._assume()
        except (Permanent, Temporary):
            self._session = _Session(session.credentials, session.ends, now + AGAIN_AFTER)
        return self._session

    def _assume(self) -> _Session:
        try:
            with asking("AssumeRole", Side.DESTINATION):
                answer = self._sts().assume_role(**self._arguments)
                given = required(answer, "Credentials")
                keys = (required(given, name) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
                ends = required(given, "Expiration").timestamp()
                return _Session(ReadOnlyCredentials(*keys), ends, ends - RENEW_BEFORE)
        except Permanent as denied:
            who = assume_denied(denied.__cause__, self._role, self._arguments.get("ExternalId", ""))
            # Without its cause, which says nothing of the request that was to be signed.
            raise Permanent(denied.reason, f"{denied.detail}: {who}", denied.side) from None
        except Temporary as trouble:
            raise Temporary(trouble.reason, f"{trouble.detail}: {self._role}", trouble.side) from None


def assume_arguments(role: str, accounts: Accounts) -> dict[str, str]:
    """Return AssumeRole's arguments."""
    external_id = {"ExternalId": accounts.external_id} if accounts.external_id else {}
    return {"RoleArn": role, "RoleSessionName": accounts.session_name, **external_id}


class _RoleProvider(CredentialProvider):
    """Gives a botocore session the credentials of a role, which ask for a session when they are used."""

    METHOD = "assume-role"

    def __init__(self, credentials: RoleCredentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> RoleCredentials:
        return self._credentials


def session_with(
    credentials: RoleCredentials, profile: str = "", relative: botocore.session.Session | None = None
) -> boto3.Session:
    """Return a session that makes clients with these credentials, and is configured as the caller's own.

    relative: the session whose API models it shares; reading them again takes a tenth of a second. botocore's
    maintainers name this way to use credentials of one's own: https://github.com/boto/boto3/issues/619
    """
    core = botocore.session.Session(profile=None if profile == "default" else profile or None)
    core.register_component("credential_provider", CredentialResolver([_RoleProvider(credentials)]))
    if relative is not None:
        core.register_component("data_loader", relative.get_component("data_loader"))
    return boto3.Session(botocore_session=core)
