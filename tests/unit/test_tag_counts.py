"""A HEAD that tells no number of tags: when that means none."""

import pytest
from replicator.core.versions.version import Head

from tests.unit.adapters import objects
from tests.unit.wire import Answer, Wire

VERSION = {
    "etag": '"v1"',
    "content-length": "7",
    "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT",
    "x-amz-version-id": "v1",
}
TAGS = "<Tagging><TagSet></TagSet></Tagging>"


S3 = {"Server": "AmazonS3"}


def counted_after(*answers: Answer) -> int | None:
    """Send as many requests as there are answers, HEADs but for one that reads tags; return what the last tells."""
    bucket = objects(Wire([*answers]))
    found = [bucket.tags("k", "v1") if answer.body else bucket.head("k", "v1") for answer in answers]
    assert isinstance(found[-1], Head)
    return found[-1].tag_count


COUNTS: dict[str, tuple[list[Answer], int | None]] = {
    "at first": ([], None),
    "after another HEAD": ([Answer(headers=VERSION)], None),
    "after a number": ([Answer(headers=VERSION | {"x-amz-tagging-count": "1"})], 0),
    "after S3 returned tags": ([Answer(TAGS, headers=S3)], 0),
    "after another server returned tags": ([Answer(TAGS)], None),
}


@pytest.mark.parametrize(("before", "count"), COUNTS.values(), ids=COUNTS)
def test_no_number_of_tags_means_none_only_where_a_bucket_would_tell_it(
    before: list[Answer], count: int | None
) -> None:
    assert counted_after(*before, Answer(headers=VERSION)) == count
