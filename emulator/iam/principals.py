"""Who makes a call: users, or the function that was given the credentials a request is signed with.

Separate from the functions' own module because three others need the answer: the request log and the faults
("user" or "replicator"), the events (`userIdentity.principalId`) and the fault that kills a function's process.
"""

from __future__ import annotations

import itertools
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["user", "replicator"]

USER_ID = "AIDAEMULATORUSER00000"
USER_ACCESS_KEY_ID = "AKIAEMULATORUSER0000"
USER_SECRET_ACCESS_KEY = "emulator-user-secret"  # noqa: S105 - the emulator checks no signatures; clients only need one
# What the emulator signs calls to itself with: they are neither logged nor delayed, and no fault meets them.
EMULATOR_ACCESS_KEY_ID = "AKIAEMULATORITSELF00"


class Credentials(NamedTuple):
    """What a process needs in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN."""

    access_key_id: str
    secret_access_key: str
    session_token: str


@dataclass(frozen=True)
class Principal:
    """The author of a call. `id` is what S3 writes into an event's `userIdentity.principalId`."""

    kind: Kind
    id: str
    function: str = ""
    region: str = ""
    arn: str = "arn:aws:iam::123456789012:user/emulator"

    @property
    def session_arn(self) -> str:
        """Return what AWS writes where it names the caller: a role's name is followed by that of its session."""
        if self.kind == "user" or not self.arn:
            return self.arn
        role = self.arn.replace(":iam:", ":sts:", 1).replace(":role/", ":assumed-role/", 1)
        return f"{role}/{self.function}"


_USER = Principal(kind="user", id=f"AWS:{USER_ID}")


class Principals:
    """The credentials that were given to functions. Everything signed with other credentials is the user's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._functions: dict[str, Principal] = {}
        self._kills: dict[str, Callable[[], None]] = {}

    def issue(self, role_id: str, function_name: str, region: str = "", role_arn: str = "") -> Credentials:
        """Return new credentials for one process of a function.

        `region` is where the function runs; calls to other Regions are then as slow as the emulator's latency says.
        `role_arn` is what a bucket's policy may name.
        """
        with self._lock:
            access_key_id = f"ASIAEMULATOR{next(self._numbers):08d}"
            principal = Principal("replicator", f"AWS:{role_id}:{function_name}", function_name, region, role_arn)
            self._functions[access_key_id] = principal
        return Credentials(access_key_id, secrets.token_hex(20), secrets.token_hex(32))

    def on_kill(self, access_key_id: str, callback: Callable[[], None]) -> None:
        """Register how to end the process that owns these credentials; the fault `kill` calls it, from any thread.

        The callback returns once the process can do nothing any more.
        """
        with self._lock:
            self._kills[access_key_id] = callback

    def revoke(self, access_key_id: str) -> None:
        """Forget how to end a process that has ended. Its late requests still count as its own."""
        with self._lock:
            self._kills.pop(access_key_id, None)

    def kill(self, access_key_id: str) -> bool:
        """End the process that owns these credentials; False when it is the user or has ended already."""
        with self._lock:
            callback = self._kills.pop(access_key_id, None)
        if callback is None:
            return False
        callback()
        return True

    def of(self, access_key_id: str | None) -> Principal:
        """Return the principal whose credentials these are."""
        return self._functions.get(access_key_id or "", _USER)
