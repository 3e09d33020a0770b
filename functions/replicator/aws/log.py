"""The port `Log` on Powertools: one structured line per outcome that is not COMPLETED, without object content."""

from typing import Any

from aws_lambda_powertools import Logger

from replicator.aws.printable import json_line
from replicator.core.outcomes.outcome import Outcome, Status
from replicator.core.versions.change import Change


def make_logger(**options: Any) -> Logger:
    """Return Powertools' logger. One line of JSON per call, whatever is logged; `options` are Powertools' own."""
    return Logger(json_serializer=json_line, **options)


class OutcomeLog:
    """Writes outcomes through Powertools' logger."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    def outcome(self, change: Change, outcome: Outcome) -> None:
        """Log one outcome: SKIPPED at level INFO, PENDING as WARNING, FAILED as ERROR."""
        write = {Status.SKIPPED: self._logger.info, Status.PENDING: self._logger.warning}.get(
            outcome.status, self._logger.error
        )
        write(
            f"{outcome.status} {outcome.reason or ''}".strip(),
            detail=outcome.detail,
            rule=outcome.rule_id,
            destination=outcome.destination,
            origin=str(outcome.origin or ""),
            key=change.key,
            change=change.name,
        )

    def unexpected(self, change: Change, error: Exception) -> None:
        """Log an error that no adapter translated, with its stack trace."""
        named: dict[str, Any] = (
            {"bucket": change.bucket, "key": change.key, "version_id": change.version_id} if change.is_known else {}
        )
        self._logger.error("unexpected error", exc_info=error, **named)

    def incomplete(self, what: str) -> None:
        """Log what was not done, and why."""
        self._logger.warning(what)
