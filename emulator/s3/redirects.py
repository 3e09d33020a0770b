"""Requests for a bucket in another Region than the one that they are signed for: refused, with the bucket's Region.

On one port of 127.0.0.1, the Region in the credential scope stands for the endpoint. A client of us-east-1 uses the
global endpoint, whose name leads to the bucket's Region, where only the signature is wrong; every other endpoint
answers with a redirect. Clients such as botocore's sign again for the Region that the answer names. An unsigned request
has no Region, and a copy's source may be anywhere.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingRouting.html
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

from emulator.calls.answers import S3Error
from emulator.s3.histories import find_bucket
from emulator.s3.requests import Request

_GLOBAL = "us-east-1"
_ALGORITHM = "AWS4-HMAC-SHA256"
# Operations about no bucket that exists.
_ANYWHERE = ("CreateBucket", "ListBuckets")


def check(request: Request) -> None:
    """Raise PermanentRedirect or AuthorizationHeaderMalformed if the bucket is in another Region."""
    call, bucket = request.call, find_bucket(request.call.bucket)
    if bucket is None or call.operation in _ANYWHERE or not _is_signed(request) or bucket.region_name == call.region:
        return
    there = {"x-amz-bucket-region": bucket.region_name}
    if call.region == _GLOBAL:
        message = (
            f"The authorization header is malformed; the region '{call.region}' is wrong; "
            f"expecting '{bucket.region_name}'"
        )
        raise S3Error(400, "AuthorizationHeaderMalformed", message, there, Region=bucket.region_name)
    message = (
        "The bucket you are attempting to access must be addressed using the specified endpoint. "
        "Please send all future requests to this endpoint."
    )
    endpoint = f"{bucket.name}.s3.{bucket.region_name}.amazonaws.com"
    raise S3Error(301, "PermanentRedirect", message, there, Endpoint=endpoint, Bucket=bucket.name)


def _is_signed(request: Request) -> bool:
    algorithm = request.query.get("X-Amz-Algorithm") or request.header("Authorization") or ""
    return algorithm.startswith(_ALGORITHM)
