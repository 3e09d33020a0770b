"""Who makes a call: an account's user, nobody known, the function whose process has the credentials, or a session.

A session of a role that somebody assumed acts with the role's permissions, but stays what its creator is: the session
of a function is the function's, in whatever account the role is. Separate from the functions because others need the
answer: the request log and the faults ("user" or "replicator"), S3's events (`userIdentity.principalId`), bucket
policies, and the fault that kills the calling process.
"""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

Kind = Literal["user", "replicator", "anonymous"]

ACCOUNT = "123456789012"
"""The account of whatever names none."""
USER_ID = "AIDAEMULATORUSER00000"
USER_ACCESS_KEY_ID = "AKIAEMULATORUSER0000"
USER_SECRET_ACCESS_KEY = "emulator-user-secret"  # noqa: S105 - signatures are not checked; clients only need one
# The emulator signs its own calls with it: they are neither logged nor delayed, and no fault applies to them.
EMULATOR_ACCESS_KEY_ID = "AKIAEMULATORITSELF00"
# With a number of an account, the emulator's own access key there.
_ITSELF_ELSEWHERE = "AKIASELF"


class AccessKey(NamedTuple):
    """The access key of an account's user."""

    access_key_id: str
    secret_access_key: str


class Credentials(NamedTuple):
    """The values of AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN."""

    access_key_id: str
    secret_access_key: str
    session_token: str


@dataclass(frozen=True)
class Principal:
    """The caller. `id` is the `userIdentity.principalId` of S3's events; `arn` is the user's or the role's.

    Of a function, `process` is the access key of its process. Of a session, `session` is the name, `policies` are the
    session policies (None without any), and `expires` is the time of its end.
    """

    kind: Kind
    id: str
    function: str = ""
    region: str = ""
    arn: str = f"arn:aws:iam::{ACCOUNT}:user/emulator"
    process: str = ""
    session: str = ""
    policies: tuple[str, ...] | None = None
    expires: float | None = None

    @property
    def account(self) -> str:
        """Return the id of the caller's account; empty for nobody known."""
        if self.kind == "anonymous":
            return ""
        return self.arn.split(":")[4] if self.arn else ACCOUNT

    @property
    def has_role(self) -> bool:
        """Return whether the caller acts with the permissions of a role."""
        return bool(self.session) or (self.kind == "replicator" and bool(self.arn))

    @property
    def session_arn(self) -> str:
        """Return the ARN by which AWS names the caller: for a role, that of the session, without the role's path."""
        if not self.has_role:
            return self.arn
        name = self.arn.rpartition("/")[2]
        return f"arn:aws:sts::{self.account}:assumed-role/{name}/{self.session or self.function}"


def itself(account: str) -> str:
    """Return the access key id with which the emulator signs its own calls in an account."""
    return EMULATOR_ACCESS_KEY_ID if account == ACCOUNT else f"{_ITSELF_ELSEWHERE}{account}"


def is_itself(access_key_id: str) -> bool:
    """Return whether a call is the emulator's own."""
    return access_key_id == EMULATOR_ACCESS_KEY_ID or access_key_id.startswith(_ITSELF_ELSEWHERE)


_USER = Principal(kind="user", id=f"AWS:{USER_ID}")
_ACCESS_KEY = AccessKey(USER_ACCESS_KEY_ID, USER_SECRET_ACCESS_KEY)
ANONYMOUS = Principal(kind="anonymous", id="Anonymous", arn="")
"""Whoever sends a request without credentials."""


class Principals:
    """The credentials issued to functions, sessions and the users of accounts.

    Any other is the default account's user's. `clock` returns the time, in seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._issued: dict[str, Principal] = {}
        self._kills: dict[str, Callable[[], None]] = {}
        self._users: dict[str, Principal] = {USER_ACCESS_KEY_ID: _USER, EMULATOR_ACCESS_KEY_ID: _USER}
        self._accounts: dict[str, AccessKey] = {ACCOUNT: _ACCESS_KEY}

    @property
    def accounts(self) -> Mapping[str, AccessKey]:
        """Return the accounts that exist, by id, with the access key of the user of each."""
        return dict(self._accounts)

    def admit(self, account: str) -> None:
        """Make an account exist, with a user that may do everything in it."""
        if account in self._accounts:
            return
        key = AccessKey(f"AKIAUSER{account}", f"emulator-user-secret-of-{account}")
        user = Principal("user", f"AWS:AIDAEMULA{account}", arn=f"arn:aws:iam::{account}:user/emulator")
        self._users |= {key.access_key_id: user, itself(account): user}
        self._accounts[account] = key

    def issue(self, role_id: str, function_name: str, region: str = "", role_arn: str = "") -> Credentials:
        """Return new credentials for one process of a function.

        `region` is the function's Region: calls to another one have the cross-Region latency. `role_arn` is the
        principal that bucket policies may name.
        """
        with self._lock:
            key = self._next_key()
            who = Principal("replicator", f"AWS:{role_id}:{function_name}", function_name, region, role_arn, key)
            self._issued[key] = who
        return _credentials(key)

    def lend(self, principal: Principal, seconds: int) -> Credentials:
        """Return temporary credentials of a principal, which is a session of a role or a user."""
        with self._lock:
            key = self._next_key()
            self._issued[key] = replace(principal, expires=self.clock() + seconds)
        return _credentials(key)

    def _next_key(self) -> str:
        return f"ASIAEMULATOR{next(self._numbers):08d}"

    def has_expired(self, access_key_id: str) -> bool:
        """Return whether these are temporary credentials whose time is over."""
        issued = self._issued.get(access_key_id)
        return issued is not None and issued.expires is not None and issued.expires <= self.clock()

    def on_kill(self, access_key_id: str, callback: Callable[[], None]) -> None:
        """Register how to kill the process with these credentials. The fault `kill` calls it, from any thread.

        The callback returns once the process is dead.
        """
        with self._lock:
            self._kills[access_key_id] = callback

    def revoke(self, access_key_id: str) -> None:
        """Unregister a process that has ended. Requests that it sent before still count as its own."""
        with self._lock:
            self._kills.pop(access_key_id, None)

    def kill(self, access_key_id: str) -> bool:
        """Kill the process with these credentials. Return False if it has ended, or if they are the user's."""
        with self._lock:
            callback = self._kills.pop(access_key_id, None)
        if callback is None:
            return False
        callback()
        return True

    def issued(self, access_key_id: str) -> bool:
        """Return whether the emulator itself issued an access key: to a user, to a function, or to itself."""
        return access_key_id in self._issued or access_key_id in self._users

    def of(self, access_key_id: str | None) -> Principal:
        """Return the principal that an access key belongs to."""
        key = access_key_id or ""
        return self._issued.get(key) or self._users.get(key, _USER)


def _credentials(access_key_id: str) -> Credentials:
    return Credentials(access_key_id, secrets.token_hex(20), secrets.token_hex(32))
