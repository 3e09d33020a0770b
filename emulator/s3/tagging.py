"""Tags of an object version: at most ten, from a header or from XML. Changing them sends an event.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

from emulator.calls.answers import Answer, S3Error, s3_answer
from emulator.s3 import event_records
from emulator.s3.histories import lock, version_id_header
from emulator.s3.requests import Request

_LARGEST_NUMBER, _LONGEST_KEY, _LONGEST_VALUE = 10, 128, 256


def from_header(request: Request) -> dict[str, str]:
    """Return the tags in the x-amz-tagging header. Raises InvalidArgument, BadRequest or InvalidTag."""
    header = request.header("x-amz-tagging") or ""
    try:
        pairs = parse_qsl(header, keep_blank_values=True, errors="strict")
        return _checked(pairs)
    except ValueError:
        message = (
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters "
            "without tag name duplicates."
        )
        raise S3Error(400, "InvalidArgument", message, ArgumentName="x-amz-tagging", ArgumentValue=header) from None


def _checked(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    if len(pairs) > _LARGEST_NUMBER:
        raise S3Error(400, "BadRequest", "Object tags cannot be greater than 10")
    for key, value in pairs:
        if not 0 < len(key) <= _LONGEST_KEY:
            raise S3Error(400, "InvalidTag", "The TagKey you have provided is invalid", TagKey=key)
        if len(value) > _LONGEST_VALUE:
            raise S3Error(400, "InvalidTag", "The TagValue you have provided is invalid", TagKey=key, TagValue=value)
        if key.lower().startswith("aws:"):
            raise S3Error(400, "InvalidTag", "System tags cannot be added/updated by requester", TagKey=key)
    if len(dict(pairs)) < len(pairs):
        raise S3Error(400, "InvalidTag", "Cannot provide multiple Tags with the same key")
    return dict(pairs)


def put_object_tagging(request: Request) -> Answer:
    """PutObjectTagging: the new set replaces the old one."""
    tag_set = request.xml("Tagging", "Tag").get("TagSet") or {}
    tags = _checked([(str(tag.get("Key") or ""), str(tag.get("Value") or "")) for tag in tag_set.get("Tag", [])])
    return Answer(200, _change(request, tags, "ObjectTagging:Put"))


def delete_object_tagging(request: Request) -> Answer:
    """DeleteObjectTagging."""
    return Answer(204, _change(request, {}, "ObjectTagging:Delete"))


def _change(request: Request, tags: dict[str, str], event: str) -> dict[str, str]:
    bucket = request.bucket
    with lock(bucket):
        version = request.get_version()
        version.change(tags=tags)
    event_records.announce(event, bucket, version)
    return version_id_header(bucket, version)


def get_object_tagging(request: Request) -> Answer:
    """GetObjectTagging."""
    version = request.get_version()
    tags = [{"Key": key, "Value": value} for key, value in version.attributes.tags.items()]
    return s3_answer("Tagging", {"TagSet": {"Tag": tags}}, version_id_header(request.bucket, version))
