"""Calls of AWS on an operator's behalf: botocore's errors become `CallFailed` with the IAM action that was needed.

Separate from the functions' error table: an operator wants to know what to allow, not whether to try again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from s3replicator.findings import CallFailed, Obstacle


def code_of(error: Exception) -> str:
    """Return the error code of AWS's answer, or the name of botocore's own error."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__


@contextmanager
def calling(action: str) -> Iterator[None]:
    """Turn what goes wrong inside into CallFailed."""
    try:
        yield
    except ClientError as error:
        text = str(error.response.get("Error", {}).get("Message", ""))
        raise CallFailed(Obstacle(action, code_of(error), text)) from error
    except BotoCoreError as error:
        raise CallFailed(Obstacle(action, code_of(error), str(error))) from error
