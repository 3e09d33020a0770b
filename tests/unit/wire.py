"""boto3 clients whose requests are kept and answered right before they would be sent.

So a test sees what AWS would receive, header names and encoding included, which a stub of the client would hide.
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
    """What AWS answers."""

    body: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def stream(self) -> Iterable[bytes]:
        return [self.body.encode()]


def error(status: int, code: str) -> Answer:
    return Answer(f"<Error><Code>{code}</Code><Message>a text that is never compared</Message></Error>", status)


@dataclass(slots=True)
class Wire:
    """The other end: it returns the answers in turn, the last one again and again, and keeps the requests."""

    answers: list[Answer | Exception]
    requests: list[AWSPreparedRequest] = field(default_factory=list)

    def clients(self) -> Clients:
        """Return the product's own clients; their requests go to the wire that was asked last."""
        _connected[:] = [self]
        return _clients()

    def headers(self) -> dict[str, str]:
        """Return the headers of the last request, in lower case, without those that every request has."""
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
