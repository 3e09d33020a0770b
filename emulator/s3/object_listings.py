"""ListObjects and ListObjectsV2: the current objects of a bucket, without those under a delete marker.

Separate from listings, which list versions, because these page by names only, and a token may stand for a name.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import Any

from moto.s3.models import FakeBucket

from emulator.calls.answers import Answer, S3Error, s3_answer, xml_date
from emulator.s3 import owners
from emulator.s3.histories import current
from emulator.s3.listings import Line, describe, lines, take
from emulator.s3.requests import Request
from emulator.s3.versions import Entry, is_version


def list_objects(request: Request) -> Answer:
    """ListObjects. The next marker is in the answer only with a delimiter; the prefix is never encoded."""
    marker, delimiter = request.query.get("marker", ""), request.query.get("delimiter", "")
    page, more, most = _page(request, marker)
    content = {
        **_frame(request, most, more=more),
        "Prefix": request.query.get("prefix", ""),
        "Marker": request.encode(marker),
        "NextMarker": request.encode(page[-1].name) if more and delimiter else None,
        **_contents(request, page, owner=True),
    }
    return _answer(request, content)


def list_objects_v2(request: Request) -> Answer:
    """ListObjectsV2. A token overrules start-after."""
    token, start_after = request.query.get("continuation-token"), request.query.get("start-after", "")
    page, more, most = _page(request, start_after if token is None else name_of(token))
    content = {
        **_frame(request, most, more=more),
        "KeyCount": len(page),
        "StartAfter": request.encode(start_after) if start_after and token is None else None,
        "ContinuationToken": token,
        "NextContinuationToken": token_of(page[-1].name) if more else None,
        **_contents(request, page, owner=request.query.get("fetch-owner") == "true"),
    }
    return _answer(request, content)


def _answer(request: Request, content: dict[str, Any]) -> Answer:
    """Return the listing, with the header that names the bucket's Region."""
    return s3_answer("ListBucketResult", content, {"x-amz-bucket-region": request.bucket.region_name})


def _page(request: Request, after: str) -> tuple[list[Line], bool, int]:
    """Return the lines after a name, whether more follow, and how many a page may have."""
    query, most = request.query, request.page_size("max-keys")
    listed = lines(request.bucket, query.get("prefix", ""), query.get("delimiter", ""), _current_object)
    following = (line for line in listed if line.name.encode() > after.encode())
    return *take(following, most), most


def _current_object(bucket: FakeBucket, key: str) -> Sequence[Entry]:
    entry = current(bucket, key)
    return [entry] if is_version(entry) else []


def _frame(request: Request, most: int, *, more: bool) -> dict[str, Any]:
    delimiter = request.query.get("delimiter")
    return {
        "Name": request.bucket.name,
        "Prefix": request.encode(request.query.get("prefix", "")),
        "MaxKeys": most,
        "Delimiter": request.encode(delimiter) if delimiter else None,
        "EncodingType": "url" if request.is_encoded else None,
        "IsTruncated": more,
    }


def _contents(request: Request, page: Sequence[Line], *, owner: bool) -> dict[str, Any]:
    return {
        "Contents": list(_objects(request, page, owner=owner)),
        "CommonPrefixes": [{"Prefix": request.encode(line.name)} for line in page if not line.entry],
    }


def _objects(request: Request, page: Sequence[Line], *, owner: bool) -> Iterator[dict[str, Any]]:
    for name, entry, _ in page:
        if is_version(entry):
            told = {"Key": request.encode(name), "LastModified": xml_date(entry.last_modified), **describe(entry)}
            yield told | ({"Owner": owners.as_xml(owners.of_entry(request.bucket, entry))} if owner else {})


def token_of(name: str) -> str:
    """Return the token that stands for a name."""
    return base64.urlsafe_b64encode(name.encode()).decode()


def name_of(token: str) -> str:
    """Return the name that a token stands for. Raises InvalidArgument."""
    try:
        name = base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        name = ""
    if not name:
        message = "The continuation token provided is incorrect"
        raise S3Error(400, "InvalidArgument", message, ArgumentName="continuation-token")
    return name
