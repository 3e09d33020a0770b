"""What an operator is told after a look at rules, buckets and keys: findings, and what to do about each.

Separate from the checks so that every command prints and counts them alike: an error stands in the way, a warning
does not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from replicator.core.rules.rule import Problem


class Severity(StrEnum):
    """An error keeps the rules from working; a warning is worth a thought."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know; `subject` is a rule, a bucket, a key or the stack, `field` a rule's field or empty."""

    severity: Severity
    subject: str
    message: str
    field: str = ""

    def __str__(self) -> str:
        """Return the finding as one line."""
        return ": ".join(part for part in (self.severity.value, self.subject, self.field, self.message) if part)


def error(subject: str, message: str) -> Finding:
    """Return a finding that stands in the way."""
    return Finding(Severity.ERROR, subject, message)


def warning(subject: str, message: str) -> Finding:
    """Return a finding that does not."""
    return Finding(Severity.WARNING, subject, message)


def from_problems(severity: Severity, problems: Iterable[Problem]) -> tuple[Finding, ...]:
    """Return what was found in a rule document."""
    return tuple(Finding(severity, _headed(problem.rule), problem.message, problem.field) for problem in problems)


def _headed(rule: str) -> str:
    return f"rule {rule.removeprefix('rule ')}" if rule else "document"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A call of AWS that did not get through: the IAM action that it needs, and the error's code and text."""

    action: str
    code: str
    text: str = ""

    def advice(self, target: str) -> str:
        """Return what happened and what to do about it, for a bucket, key, queue or stack named `target`."""
        what = f"{self.action} failed with {self.code}"
        if self.code == "InvalidArgument" and self.action == "s3:PutBucketNotification":
            return (
                f"{what}: {self.text}; S3 tries every target that the bucket's notifications name, look at each of them"
            )
        for codes, remedy in _REMEDIES:
            if self.code in codes:
                return f"{what}; {remedy.format(action=self.action, target=target)}"
        return f"{what}: {self.text}" if self.text else what


class CallFailed(Exception):
    """A call of AWS on an operator's behalf did not get through."""

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(f"{obstacle.action}: {obstacle.code} {obstacle.text}".rstrip())
        self.obstacle = obstacle


_REMEDIES = (
    (
        {"AccessDenied", "AccessDeniedException", "403", "AllAccessDisabled", "UnauthorizedOperation"},
        "allow your credentials {action} on {target}",
    ),
    (
        {"ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken",
         "SignatureDoesNotMatch", "TokenRefreshRequired", "UnrecognizedClientException", "NoCredentialsError",
         "PartialCredentialsError", "TokenRetrievalError", "UnauthorizedSSOTokenError", "SSOTokenLoadError",
         "CredentialRetrievalError", "ProfileNotFound"},
        "log in again, or check the credentials and the profile in use",
    ),
    (
        {"SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException",
         "InternalError", "ServiceUnavailable", "OperationAborted", "RequestTimeout", "500", "503"},
        "run the command again",
    ),
    (
        {"NoSuchBucket", "NotFoundException", "404", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"},
        "{target} does not exist, check its name, Region and account",
    ),
    (
        {"EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError", "SSLError",
         "ProxyConnectionError", "NoRegionError"},
        "check the network, the Region and AWS_ENDPOINT_URL",
    ),
)  # fmt: skip
