"""AWS calls that failed, as an operator sees them: the IAM action, AWS's error code, and what to do about it.

Values only, so that checks can carry a failed call as one of their results. `calls.py` makes them from botocore's
exceptions.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FailedCall:
    """One call that failed: the IAM action that it needs, the code of AWS's error, and the error's own message."""

    action: str
    code: str
    text: str = ""

    def advice(self, target: str) -> str:
        """Return what happened and what to do about it. `target` names the bucket, key, queue or stack called."""
        what = f"{self.action} failed with {self.code}"
        if self.code == "InvalidArgument" and self.action == "s3:PutBucketNotification":
            return (
                f"{what}: {self.text}; S3 tests every target in the bucket's notification configuration, so check "
                "each of them"
            )
        for remedy, codes in _REMEDIES.items():
            if self.code in codes.split():
                return f"{what}; {remedy.format(action=self.action, target=target)}"
        return f"{what}: {self.text}" if self.text else what


class CallFailed(Exception):
    """A call to AWS on behalf of the operator failed."""

    def __init__(self, call: FailedCall) -> None:
        super().__init__(f"{call.action}: {call.code} {call.text}".rstrip())
        self.call = call


_REMEDIES = {
    "allow your credentials {action} on {target}": (
        "AccessDenied AccessDeniedException 403 AllAccessDisabled UnauthorizedOperation"
    ),
    "sign in again, or check which credentials and profile are in use": (
        "ExpiredToken ExpiredTokenException InvalidAccessKeyId InvalidClientTokenId InvalidToken SignatureDoesNotMatch "
        "TokenRefreshRequired UnrecognizedClientException NoCredentialsError PartialCredentialsError "
        "TokenRetrievalError UnauthorizedSSOTokenError SSOTokenLoadError CredentialRetrievalError ProfileNotFound"
    ),
    "run the command again": (
        "SlowDown Throttling ThrottlingException RequestLimitExceeded TooManyRequestsException InternalError "
        "ServiceUnavailable OperationAborted RequestTimeout 500 503"
    ),
    "{target} does not exist; check its name, Region and account": (
        "NoSuchBucket NotFoundException 404 AWS.SimpleQueueService.NonExistentQueue QueueDoesNotExist"
    ),
    "check the network, the Region and AWS_ENDPOINT_URL": (
        "EndpointConnectionError ConnectTimeoutError ReadTimeoutError ConnectionClosedError SSLError "
        "ProxyConnectionError NoRegionError ResponseParserError"
    ),
}
