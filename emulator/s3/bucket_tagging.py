"""Tags of a bucket. Separate from the tags of objects, of which there may be fewer, and whose changes send events.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html
"""

from __future__ import annotations

from moto.s3.models import FakeBucket, S3Backend, s3_backends

from emulator.calls.answers import Answer, S3Error, s3_answer
from emulator.s3.requests import Request
from emulator.s3.tagging import tags_of_xml


def put_bucket_tagging(request: Request) -> Answer:
    """PutBucketTagging: the new set replaces the old one. No set is an empty one, as recorded."""
    tags = tags_of_xml(request.xml("Tagging", "Tag").get("TagSet"))
    _backend(request.bucket).put_bucket_tagging(request.bucket.name, tags)
    return Answer(204, {})


def get_bucket_tagging(request: Request) -> Answer:
    """GetBucketTagging. Raises NoSuchTagSet."""
    bucket = request.bucket
    tags = _backend(bucket).tagger.get_tag_dict_for_resource(bucket.arn)
    if not tags:
        raise S3Error(404, "NoSuchTagSet", "The TagSet does not exist", BucketName=bucket.name)
    listed = [{"Key": key, "Value": value or ""} for key, value in tags.items()]
    return s3_answer("Tagging", {"TagSet": {"Tag": listed}})


def delete_bucket_tagging(request: Request) -> Answer:
    """DeleteBucketTagging."""
    _backend(request.bucket).delete_bucket_tagging(request.bucket.name)
    return Answer(204, {})


def _backend(bucket: FakeBucket) -> S3Backend:
    return s3_backends[bucket.account_id]["aws"]
