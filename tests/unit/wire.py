"""boto3 clients whose requests are looked at and answered right before they would leave the machine.

So a test sees what S3 would see, header names, escaping and all, not what a stub of boto3's was told to expect.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from replicator.aws.clients import Clients


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes back over the wire."""

    body: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def stream(self) -> Iterable[bytes]:
        return [self.body.encode()]


def error(status: int, code: str) -> Answer:
    return Answer(f"<Error><Code>{code}</Code><Message>words that nobody compares</Message></Error>", status)


@dataclass(slots=True)
class Wire:
    """The other end: gives the answers in turn, the last one again and again, and keeps the requests."""

    answers: list[Answer | Exception]
    requests: list[AWSPreparedRequest] = field(default_factory=list)

    def clients(self) -> Clients:
        """Return the product's own clients, at this end of the wire; the last wire to do so gets their requests."""
        _connected[:] = [self]
        return _clients()

    def headers(self) -> dict[str, str]:
        """Return the headers of the last request that say what it wants, in lower case."""
        headers = {name.lower(): _text(value) for name, value in self.requests[-1].headers.items()}
        noise = (
            "user-agent",
            "authorization",
            "x-amz-date",
            "x-amz-content-sha256",
            "amz-sdk",
            "content-length",
            "host",
        )
        return {name: value for name, value in headers.items() if not name.startswith(noise)}

    def answer(self, request: AWSPreparedRequest) -> AWSResponse:
        """Keep a request and answer it."""
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return AWSResponse(request.url, answer.status, answer.headers, answer)  # type: ignore[arg-type]


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


_connected: list[Wire] = []


@cache
def _clients() -> Clients:
    """Make the clients once: each costs as much as a hundred requests."""
    session = boto3.Session("AKIA", "secret", region_name="us-east-1")
    session.events.register("before-send", _answer)  # type: ignore[arg-type] # stubs forget that it may answer
    return Clients(session)


def _answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
    return _connected[0].answer(request)
