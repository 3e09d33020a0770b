"""Tags of an object version: at most ten, from a header or from XML. Changing them sends an event.

A tag has letters, digits, blanks and `_ . : / = + - @`. In the header, any other character and a key that is there
twice are InvalidArgument. Tags of a key whose delete marker is current are MethodNotAllowed. Both were recorded.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from emulator.calls.answers import Answer, S3Error, malformed_xml, s3_answer
from emulator.s3 import event_records
from emulator.s3.histories import get_live_version, lock, no_such_key, version_id_header
from emulator.s3.requests import Request
from emulator.s3.versions import Version

_LARGEST_NUMBER, _LONGEST_KEY, _LONGEST_VALUE = 10, 128, 256
_LARGEST_NUMBER_OF_A_BUCKET = 50
_ALLOWED = "_.:/=+-@"
_ALLOWED_KINDS = "LNZ"
"""The first letters of the Unicode categories of letters, digits and blanks."""


def from_header(request: Request) -> dict[str, str]:
    """Return the tags in the x-amz-tagging header, by key. Raises InvalidArgument, BadRequest or InvalidTag."""
    header = request.header("x-amz-tagging") or ""
    try:
        pairs = parse_qsl(header, keep_blank_values=True, errors="strict")
        well_formed = all(_is_allowed(key) and _is_allowed(value) for key, value in pairs)
    except ValueError:
        pairs, well_formed = [], False
    if not well_formed or len(dict(pairs)) < len(pairs):
        message = (
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters "
            "without tag name duplicates."
        )
        raise S3Error(400, "InvalidArgument", message, ArgumentName="x-amz-tagging", ArgumentValue=header)
    return _checked(sorted(pairs))


def _is_allowed(text: str) -> bool:
    return all(each in _ALLOWED or unicodedata.category(each)[0] in _ALLOWED_KINDS for each in text)


def tags_of_xml(tag_set: Any) -> dict[str, str]:
    """Return the tags in the XML of a bucket's tag set, of which there may be more than an object has."""
    pairs = [_pair(tag) for tag in (tag_set or {}).get("Tag", [])]
    return _checked(pairs, _LARGEST_NUMBER_OF_A_BUCKET, "System tags cannot be added/updated by requester")


def _checked(
    pairs: Sequence[tuple[str, str]],
    most: int = _LARGEST_NUMBER,
    of_aws: str = "Your TagKey cannot be prefixed with aws:",
) -> dict[str, str]:
    if len(pairs) > most:
        raise S3Error(400, "BadRequest", f"Object tags cannot be greater than {most}")
    for key, value in pairs:
        if not (0 < len(key) <= _LONGEST_KEY and _is_allowed(key)):
            raise S3Error(400, "InvalidTag", "The TagKey you have provided is invalid", TagKey=key)
        if len(value) > _LONGEST_VALUE or not _is_allowed(value):
            raise S3Error(400, "InvalidTag", "The TagValue you have provided is invalid", TagKey=key, TagValue=value)
        if key.lower().startswith("aws:"):
            raise S3Error(400, "InvalidTag", of_aws, TagKey=key)
    tags: dict[str, str] = {}
    for key, value in pairs:
        if key in tags:
            raise S3Error(400, "InvalidTag", "Cannot provide multiple Tags with the same key", TagKey=key)
        tags[key] = value
    return tags


def put_object_tagging(request: Request) -> Answer:
    """PutObjectTagging: the new set replaces the old one."""
    tag_set = request.xml("Tagging", "Tag").get("TagSet") or {}
    tags = _checked([_pair(tag) for tag in tag_set.get("Tag", [])])
    return Answer(200, _change(request, tags, "ObjectTagging:Put"))


def _pair(tag: Any) -> tuple[str, str]:
    if not isinstance(tag, dict) or not {"Key", "Value"} <= tag.keys():
        raise malformed_xml()
    return str(tag["Key"] or ""), str(tag["Value"] or "")


def delete_object_tagging(request: Request) -> Answer:
    """DeleteObjectTagging."""
    return Answer(204, _change(request, {}, "ObjectTagging:Delete"))


def _change(request: Request, tags: dict[str, str], event: str) -> dict[str, str]:
    bucket = request.bucket
    with lock(bucket):
        version = _version(request)
        version.change(tags=tags)
    event_records.announce(event, bucket, version)
    return version_id_header(bucket, version)


def get_object_tagging(request: Request) -> Answer:
    """GetObjectTagging."""
    try:
        version = _version(request)
    except S3Error as error:
        if error.code != "NoSuchKey":
            raise
        raise no_such_key(f"{request.bucket.name}/{request.key}") from None  # recorded: only here with the bucket
    tags = [{"Key": key, "Value": value} for key, value in version.attributes.tags.items()]
    return s3_answer("Tagging", {"TagSet": {"Tag": tags}}, version_id_header(request.bucket, version))


def _version(request: Request) -> Version:
    return get_live_version(request.bucket, request.key, request.version_id, request.method)
