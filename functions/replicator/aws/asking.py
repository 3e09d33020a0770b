"""The one way to make requests to AWS: inside `with asking(...)`, or `expecting(...)` if some errors are expected.

    with asking("CopyObject", side):
        answer = client.copy_object(...)

What botocore raises in the block leaves it as Temporary, Permanent or Conflict, by the error table; so does an answer
that lacks an element (`required`). Nothing else in the functions catches botocore's errors, so that no adapter has a
meaning of its own for a code. These are classes because every request comes this way: a generator with `contextmanager`
takes three times as long.
"""

import logging
import traceback
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from types import TracebackType
from typing import Any

from botocore.exceptions import ClientError

from replicator.aws.errors import FROM_PARSERS, TRANSLATED, Side, Unreadable, code_of, status_of, translate

__all__ = ["Unreadable", "asking", "expecting", "required"]

logger = logging.getLogger(__name__)

MAY_SUCCEED_LATER = frozenset({"ExpiredToken", "RequestTimeout", "RequestExpired", "TokenRefreshRequired"})
"""Codes with status 400 that say nothing of what was asked (S3 API reference, "Error responses")."""


def required(answer: Mapping[str, Any], name: str) -> Any:
    """Return an element that every such answer has. Raises Unreadable; call it inside the block of the request."""
    if name not in answer:
        raise Unreadable(f"no {name}")
    return answer[name]


class asking:  # noqa: N801 - a context manager that reads like contextlib's own
    """Make requests of one operation. Raises Temporary, Permanent or Conflict in place of botocore's errors."""

    __slots__ = ("_operation", "_side")

    def __init__(self, operation: str, side: Side) -> None:
        self._operation = operation
        self._side = side

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None and isinstance(error, TRANSLATED):
            raise _translated(error, self._operation, self._side) from error


class expecting:  # noqa: N801 - likewise
    """Make requests for which some errors are answers: with such an error, the block ends and what follows it runs.

        with expecting("HeadObject", side, GONE) as asked:
            return head_of(client.head_object(...))
        return ABSENT

    An error is an answer by its code, or by its HTTP status unless its code says that the request may succeed later.
    After the block `asked.code` is that code (empty: no error), and `asked.response` is the whole error response. All
    other errors leave the block as from `asking`.
    """

    __slots__ = ("_answers", "_operation", "_side", "_statuses", "code", "response")

    def __init__(
        self,
        operation: str,
        side: Side,
        answers: AbstractSet[str] = frozenset(),
        *,
        statuses: AbstractSet[int] = frozenset(),
    ) -> None:
        self._operation = operation
        self._side = side
        self._answers = answers
        self._statuses = statuses
        self.code = ""
        self.response: Any = {}

    def __enter__(self) -> "expecting":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> bool:
        if error is None or not isinstance(error, TRANSLATED):
            return False
        if isinstance(error, ClientError) and self._is_answer(error):
            self.code, self.response = code_of(error), error.response
            return True
        raise _translated(error, self._operation, self._side) from error

    def _is_answer(self, error: ClientError) -> bool:
        code = code_of(error)
        return code in self._answers or (status_of(error) in self._statuses and code not in MAY_SUCCEED_LATER)


def _translated(error: Exception, operation: str, side: Side) -> Exception:
    """Return the trouble that an error means. An error that is not AWS's own is logged with where it was raised."""
    if isinstance(error, FROM_PARSERS):
        _log_origin(error, operation, side)
    return translate(error, operation, side)


def _log_origin(error: Exception, operation: str, side: Side) -> None:
    """Log one line with the stack, without the error's text: it may repeat the answer, and so content or secrets."""
    frames = traceback.extract_tb(error.__traceback__)
    stack = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    logger.error("%s (%s): %s at %s", operation, side, type(error).__name__, stack)
