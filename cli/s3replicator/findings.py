"""Findings: what a check of rules, buckets and keys has found, for people and as JSON.

Separate from the checks, so that every command prints and counts findings alike: an error keeps the rules from
working, a warning does not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from replicator.core.rules.rule import Problem


class Severity(StrEnum):
    """An error keeps the rules from working; a warning is worth a look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `subject` names a rule, bucket, key or the stack; `field` names a rule's field, or is empty."""

    severity: Severity
    subject: str
    message: str
    field: str = ""

    def __str__(self) -> str:
        """Return the finding as one line."""
        return ": ".join(part for part in (self.severity.value, self.subject, self.field, self.message) if part)

    def document(self) -> dict[str, str]:
        """Return the finding as JSON output has it."""
        return {
            "severity": self.severity.value,
            "subject": self.subject,
            "field": self.field,
            "message": self.message,
        }


def error(subject: str, message: str) -> Finding:
    """Return a finding that keeps the rules from working."""
    return Finding(Severity.ERROR, subject, message)


def warning(subject: str, message: str) -> Finding:
    """Return a finding that does not."""
    return Finding(Severity.WARNING, subject, message)


def from_problems(severity: Severity, problems: Iterable[Problem]) -> tuple[Finding, ...]:
    """Return the problems of a rule document as findings."""
    return tuple(Finding(severity, _subject(problem.rule), problem.message, problem.field) for problem in problems)


def _subject(rule: str) -> str:
    return f"rule {rule.removeprefix('rule ')}" if rule else "document"
