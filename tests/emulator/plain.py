"""A server without functions, and what nearly every test of the emulator's S3 does with it."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.core.base_backend import BackendDict

from emulator.iam.principals import USER_ACCESS_KEY_ID, Credentials
from emulator.running import without_account
from emulator.serving.server import Server
from emulator.state import Emulator
from tests.patience import PATIENCE

USER = Credentials(USER_ACCESS_KEY_ID, "secret", "")
SIGNED = {"Authorization": f"AWS {USER.access_key_id}:not checked"}
"""The header with which a request without boto3 is the user's."""
_numbers = count(1)


@dataclass
class Plain:
    """A running server and its clients, one per service, Region and caller."""

    emulator: Emulator
    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict)

    def client(self, service: str = "s3", region: str = "us-east-1", credentials: Credentials = USER) -> Any:
        known = service, region, credentials.access_key_id
        if known not in self._clients:
            client = boto3.client(  # type: ignore[call-overload]
                service,
                region_name=region,
                endpoint_url=self.emulator.endpoint,
                aws_access_key_id=credentials.access_key_id,
                aws_secret_access_key=credentials.secret_access_key,
                aws_session_token=credentials.session_token or None,
                config=Config(retries={"total_max_attempts": 1}, max_pool_connections=30, read_timeout=PATIENCE),
            )
            self._clients[known] = without_account(client)
        return self._clients[known]

    def bucket(self, region: str = "us-east-1", versioning: str | None = "Enabled", **settings: Any) -> str:
        """Create a bucket and return its name. One with an ownership of its own blocks no public ACL or policy."""
        name, s3 = f"bucket-{next(_numbers)}", self.client("s3", region)
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=name, **where, **settings)
        if "ObjectOwnership" in settings:
            s3.delete_public_access_block(Bucket=name)
        if versioning:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": versioning})
        return name

    def queue(self, region: str = "us-east-1", policy: dict[str, Any] | None = None) -> tuple[str, str]:
        """Create a queue that S3 and EventBridge may send to, unless a policy is given; return its URL and ARN."""
        sqs = self.client("sqs", region)
        url = sqs.create_queue(QueueName=f"queue-{next(_numbers)}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        services = {"Service": ["s3.amazonaws.com", "events.amazonaws.com"]}
        statement = {"Effect": "Allow", "Principal": services, "Action": "sqs:SendMessage"}
        document = {"Statement": [policy or {**statement, "Resource": arn}]}
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(document)})
        return url, arn

    def notify(self, bucket: str, arn: str, *events: str, region: str = "us-east-1") -> None:
        """Make the bucket send events to the queue; the test event is taken out of it again."""
        entry = {"QueueArn": arn, "Events": list(events or ("s3:ObjectCreated:*", "s3:ObjectRemoved:*"))}
        self.client("s3", region).put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [entry]}
        )
        url = self.client("sqs", region).get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
        assert [body["Event"] for body in self.messages(url, region)] == ["s3:TestEvent"]

    def messages(self, url: str, region: str = "us-east-1") -> list[dict[str, Any]]:
        """Wait until all events have arrived, then take every message and return its body."""
        assert self.get(f"idle?timeout={PATIENCE}") == {"idle": True}
        sqs, bodies = self.client("sqs", region), []
        while got := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in got:
                bodies.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def records(self, url: str, region: str = "us-east-1") -> list[dict[str, Any]]:
        """Take the records of all messages."""
        return [record for body in self.messages(url, region) for record in body["Records"]]

    def get(self, route: str) -> Any:
        return self.ask("GET", route)[1]

    def post(self, route: str, body: Any) -> Any:
        status, answer = self.ask("POST", route, body)
        assert status == 200, answer
        return answer

    def delete(self, route: str) -> Any:
        return self.ask("DELETE", route)[1]

    def ask(self, method: str, route: str, body: Any = None) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.emulator.endpoint}/_emulator/{route}", data=data, method=method
        )
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())


def md5(data: bytes) -> str:
    """Return the MD5 as ETags have it."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@contextmanager
def serving() -> Iterator[Plain]:
    """Run a server for the tests of a module."""
    BackendDict.reset()
    server = Server()
    try:
        yield Plain(server.start())
    finally:
        server.stop()


@contextmanager
def refused(code: str, status: int | None = None) -> Iterator[dict[str, Any]]:
    """Expect an error of AWS with this code; yields its `Error`, filled in once the block has ended."""
    error: dict[str, Any] = {}
    with pytest.raises(ClientError) as raised:
        yield error
    response: dict[str, Any] = dict(raised.value.response)
    error.update(response["Error"], headers=response["ResponseMetadata"]["HTTPHeaders"])
    assert error["Code"] == code
    assert status in (None, response["ResponseMetadata"]["HTTPStatusCode"])


def put(s3: Any, bucket: str, **settings: Any) -> Any:
    """Write `hello` under `key`."""
    return s3.put_object(Bucket=bucket, Key="key", Body=b"hello", **settings)


def head(s3: Any, bucket: str, **settings: Any) -> dict[str, Any]:
    """Look at what is under `key`."""
    return dict(s3.head_object(Bucket=bucket, Key="key", **settings))
