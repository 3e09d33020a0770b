"""boto3 clients for the calls that the emulator makes itself, as CloudFormation or an operator would.

Their calls are neither logged nor subject to faults. There is one client per service, Region and account for the life
of the server: creating an S3 client costs more than a hundred calls.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from emulator import state
from emulator.iam.principals import ACCOUNT, itself

_CONFIG = Config(retries={"total_max_attempts": 1}, max_pool_connections=20)
_creating = threading.Lock()


@cache
def _session(account: str) -> boto3.Session:
    return boto3.Session(
        region_name="us-east-1",
        aws_access_key_id=itself(account),
        aws_secret_access_key="none",  # noqa: S106 - the emulator checks no signatures
    )


def client(service: str, region: str, account: str = ACCOUNT) -> Any:
    """Return the client for a service of the active emulator, as the owner of an account."""
    with _creating:  # sessions are not safe to share between threads, clients are
        return _client(service, region, account, state.active().endpoint)


def location_constraint(region: str) -> dict[str, Any]:
    """Return CreateBucket's arguments for a Region: none for us-east-1, which is no LocationConstraint."""
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}


@contextmanager
def suppressed(*codes: str) -> Iterator[None]:
    """Ignore a request's error if it has one of these codes.

    Compares codes because botocore may create the classes in `client.exceptions` twice when threads ask concurrently.
    """
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in codes:
            raise


@cache
def _client(service: str, region: str, account: str, endpoint: str) -> Any:
    return _session(account).client(  # type: ignore[call-overload]
        service, region_name=region, endpoint_url=endpoint, config=_CONFIG
    )
