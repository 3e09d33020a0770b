"""Which metadata and tags S3 copies by itself, and which are sent: a copy says what a replica has, the adapter how."""

from dataclasses import replace
from typing import Any

import pytest
from replicator.aws.writing import copy_arguments, upload_arguments
from replicator.core.deciding.copy import Copy, Guard

from tests.unit.copies import plain

BLUE, RED = {"colour": "blue"}, {"colour": "red"}
TEAM = {"team": "blue"}
HEADERS = {"ContentType": "text/csv", "CacheControl": "no-store"}
REDIRECT = {"WebsiteRedirectLocation": "/there"}
BARE = replace(plain(), metadata={}, source_metadata={}, headers={}, tags={}, source_tags={})


def chosen(copy: Copy) -> dict[str, Any]:
    """Return the arguments of CopyObject that concern metadata, headers and tags."""
    names = {"MetadataDirective", "Metadata", "TaggingDirective", "Tagging", *HEADERS, *REDIRECT}
    return {name: value for name, value in copy_arguments(copy, Guard()).items() if name in names}


COPIES: dict[str, tuple[Copy, dict[str, Any]]] = {
    "nothing differs": (BARE, {"MetadataDirective": "COPY"}),
    "metadata as in the source": (
        replace(BARE, metadata=BLUE, source_metadata=BLUE, headers=HEADERS),
        {"MetadataDirective": "COPY"},
    ),
    "metadata as in the source, and a redirect, which S3 never copies": (
        replace(BARE, metadata=BLUE, source_metadata=BLUE, headers=HEADERS | REDIRECT),
        {"MetadataDirective": "COPY", **REDIRECT},
    ),
    "other metadata, with every header again": (
        replace(BARE, metadata=RED, source_metadata=BLUE, headers=HEADERS | REDIRECT),
        {"MetadataDirective": "REPLACE", "Metadata": RED, **HEADERS, **REDIRECT},
    ),
    "no metadata, where the source has some": (
        replace(BARE, metadata={}, source_metadata=BLUE, headers=HEADERS),
        {"MetadataDirective": "REPLACE", "Metadata": {}, **HEADERS},
    ),
    "tags as in the source": (replace(BARE, tags=TEAM, source_tags=TEAM), {"MetadataDirective": "COPY"}),
    "other tags": (
        replace(BARE, tags=TEAM | {"more": "1"}, source_tags=TEAM),
        {"MetadataDirective": "COPY", "TaggingDirective": "REPLACE", "Tagging": "team=blue&more=1"},
    ),
    "no tags, where the source has some": (
        replace(BARE, tags={}, source_tags=TEAM),
        {"MetadataDirective": "COPY", "TaggingDirective": "REPLACE", "Tagging": ""},
    ),
    "other metadata and tags": (
        replace(BARE, metadata=RED, source_metadata=BLUE, tags=TEAM),
        {"MetadataDirective": "REPLACE", "Metadata": RED, "TaggingDirective": "REPLACE", "Tagging": "team=blue"},
    ),
}


@pytest.mark.parametrize(("copy", "expected"), COPIES.values(), ids=COPIES)
def test_a_copy_in_one_request_sends_what_s3_would_not_copy(copy: Copy, expected: dict[str, Any]) -> None:
    assert chosen(copy) == expected


def test_an_upload_sends_metadata_headers_and_tags_even_if_they_are_those_of_the_source() -> None:
    """It has no directives, since CreateMultipartUpload copies nothing."""
    copy = replace(BARE, metadata=BLUE, source_metadata=BLUE, headers=HEADERS | REDIRECT, tags=TEAM, source_tags=TEAM)
    arguments = upload_arguments(copy)
    assert arguments["Metadata"] == BLUE
    assert (HEADERS | REDIRECT).items() <= arguments.items()
    assert arguments["Tagging"] == "team=blue"
    assert not {"MetadataDirective", "TaggingDirective"} & arguments.keys()


def test_an_upload_without_tags_sends_none() -> None:
    assert "Tagging" not in upload_arguments(replace(BARE, source_tags=TEAM))
