"""Bucket policies: what is refused as one, and whether one is public.

Separate from `buckets`, which patches moto: these operations are answered here.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html
"""

from __future__ import annotations

import json

from emulator.calls.answers import Answer, S3Error, s3_answer
from emulator.s3 import public_access
from emulator.s3.requests import Request


def put_bucket_policy(request: Request) -> Answer:
    """PutBucketPolicy. Every stored document can be evaluated."""
    bucket, policy = request.bucket, request.body
    _check_document(policy)
    public_access.check_policy(request.call, bucket, policy)
    bucket.policy = policy
    return Answer(204, {})


def _check_document(policy: bytes) -> None:
    try:
        document = json.loads(policy)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise _malformed("Policies must be valid JSON and the first byte must be '{'")
    if "Statement" not in document:
        raise _malformed("Missing required field Statement")
    statements = document["Statement"]
    if not isinstance(statements, list | dict) or not all(
        isinstance(each, dict) for each in (statements if isinstance(statements, list) else [statements])
    ):
        raise _malformed("Statement must be a list of objects")


def _malformed(message: str) -> S3Error:
    return S3Error(400, "MalformedPolicy", message)


def get_bucket_policy_status(request: Request) -> Answer:
    """GetBucketPolicyStatus. Raises NoSuchBucketPolicy; ACLs do not count."""
    bucket = request.bucket
    if bucket.policy is None:
        raise S3Error(404, "NoSuchBucketPolicy", "The bucket policy does not exist", BucketName=bucket.name)
    return s3_answer("PolicyStatus", {"IsPublic": public_access.has_public_policy(bucket)})
