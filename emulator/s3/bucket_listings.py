"""ListBuckets: the buckets of the caller's account, by prefix and Region, in pages.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
"""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session
from moto.s3.models import FakeBucket, s3_backends

from emulator.calls.answers import Answer, S3Error, s3_answer, xml_date
from emulator.s3 import owners
from emulator.s3.object_listings import name_of, token_of
from emulator.s3.requests import Request

_LARGEST_PAGE = 10_000
_SELECTING = frozenset({"prefix", "max-buckets", "bucket-region"})


def list_buckets(request: Request) -> Answer:
    """ListBuckets. Raises InvalidArgument for a Region that is none."""
    query = request.query
    prefix, region, after = query.get("prefix"), query.get("bucket-region"), query.get("continuation-token")
    if region is not None and region not in _regions():
        message = f"Argument value {region} is not a valid AWS Region"
        raise S3Error(400, "InvalidArgument", message, ArgumentName="bucket-region")
    name_after = name_of(after) if after else ""
    found = [
        bucket
        for bucket in sorted(s3_backends[request.call.principal.account]["aws"].buckets.values(), key=_name)
        if bucket.name.startswith(prefix or "") and bucket.name > name_after and region in (None, bucket.region_name)
    ]
    page = found[: request.page_size("max-buckets", _LARGEST_PAGE)] if "max-buckets" in query else found
    content = {
        "Owner": owners.as_xml(request.call.principal.account),
        "Buckets": {"Bucket": [_described(bucket, with_region=bool(_SELECTING & query.keys())) for bucket in page]},
        "ContinuationToken": token_of(page[-1].name) if page and len(found) > len(page) else None,
        "Prefix": prefix,
    }
    return s3_answer("ListAllMyBucketsResult", content)


def _name(bucket: FakeBucket) -> str:
    return bucket.name


def _described(bucket: FakeBucket, *, with_region: bool) -> dict[str, Any]:
    """Return a bucket; its Region only if the request selects buckets, as recorded."""
    return {
        "Name": bucket.name,
        "CreationDate": xml_date(bucket.creation_date),
        "BucketRegion": bucket.region_name if with_region else None,
        "BucketArn": bucket.arn,
    }


@cache
def _regions() -> frozenset[str]:
    return frozenset(botocore.session.Session().get_available_regions("s3"))
