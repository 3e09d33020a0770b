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


def counted_after(*answers: Answer) -> tuple[int | None, bool]:
    """Send as many requests as there are answers, HEADs but for one that reads tags; return what the last tells."""
    bucket = objects(Wire([*answers]))
    found = [bucket.tags("k", "v1") if answer.body else bucket.head("k", "v1") for answer in answers]
    assert isinstance(found[-1], Head)
    return found[-1].tag_count, found[-1].tag_count_sure


COUNTS: dict[str, tuple[list[Answer], dict[str, str], tuple[int | None, bool]]] = {
    "another server, at first": ([], {}, (None, False)),
    "another server, after a number": ([Answer(headers=VERSION | {"x-amz-tagging-count": "1"})], {}, (0, True)),
    "another server, after tags": ([Answer(TAGS)], {}, (None, False)),
    "another server, again": ([Answer(headers=VERSION)], {}, (None, False)),
    "S3, at first": ([], S3, (0, False)),
    "S3, again": ([Answer(headers=VERSION | S3)], S3, (0, False)),
    "S3, after a number": ([Answer(headers=VERSION | S3 | {"x-amz-tagging-count": "1"})], S3, (0, True)),
    "S3, after tags": ([Answer(TAGS, headers=S3)], S3, (0, True)),
}


@pytest.mark.parametrize(("before", "server", "told"), COUNTS.values(), ids=COUNTS)
def test_no_number_of_tags_surely_means_none_only_where_a_bucket_would_tell_it(
    before: list[Answer], server: dict[str, str], told: tuple[int | None, bool]
) -> None:
    assert counted_after(*before, Answer(headers=VERSION | server)) == told
