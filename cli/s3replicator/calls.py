"""Calls to AWS on behalf of an operator: botocore's exceptions become `CallFailed`, with the IAM action needed.

Separate from the functions' error table: an operator needs to know what to allow, a function whether to try again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from replicator.core.outcomes.outcome import Reason, Trouble

from s3replicator.failed_calls import CallFailed, FailedCall


@contextmanager
def calling(action: str) -> Iterator[None]:
    """Turn botocore's exceptions into CallFailed, and answers that AWS does not send, such as a proxy's page.

    `action` is the IAM action that the call needs.
    """
    try:
        yield
    except ClientError as error:
        answer = error.response.get("Error", {})
        raise CallFailed(FailedCall(action, answer.get("Code", "Unknown"), answer.get("Message", ""))) from error
    except BotoCoreError as error:
        raise CallFailed(FailedCall(action, type(error).__name__, str(error))) from error
    except ResponseParserError as error:
        raise CallFailed(FailedCall(action, type(error).__name__, "the answer is not one that AWS sends")) from error
    except Trouble as trouble:  # of the session that was to sign the request
        raise CallFailed(FailedCall("sts:AssumeRole", str(trouble.reason), trouble.detail)) from trouble
    except KeyError as missing:
        raise CallFailed(FailedCall(action, Reason.UNREADABLE, f"the answer has no {missing}")) from missing
