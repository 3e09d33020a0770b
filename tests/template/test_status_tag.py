"""Source versions may be tagged by a stack that asks for it, and by no other."""

import pytest

from tests.template import stacks

TAGGING = {"s3:PutObjectTagging", "s3:PutObjectVersionTagging"}


def may_tag(stack: stacks.Document, role: str) -> set[tuple[str, str]]:
    return {
        (action, stacks.bucket_of(resource))
        for action, resource in stacks.allowed(stack, role)
        if action in TAGGING and isinstance(resource, str) and stacks.bucket_of(resource) in stacks.SOURCES
    }


@pytest.mark.parametrize("role", stacks.ROLES.values())
def test_by_default_nothing_at_the_source_may_be_changed(role: str) -> None:
    stack = stacks.stack(**stacks.EVERYTHING)
    assert may_tag(stack, role) == set()
    variables = stacks.properties(stack, "ReplicateFunction")["Environment"]["Variables"]
    assert variables["SOURCE_STATUS_TAG"] == "false"


@pytest.mark.parametrize("role", ["ReplicateRole", "CopyPartsRole"])
def test_who_copies_may_tag_where_that_is_asked_for(role: str) -> None:
    stack = stacks.stack(**stacks.EVERYTHING, SourceStatusTag="true")
    assert may_tag(stack, role) == {(action, bucket) for action in TAGGING for bucket in stacks.SOURCES}
    assert stacks.properties(stack, "CopyPartsFunction")["Environment"]["Variables"]["SOURCE_STATUS_TAG"] == "true"


@pytest.mark.parametrize("role", ["MonitorRole", "BatchRole"])
def test_nobody_else_may(role: str) -> None:
    assert may_tag(stacks.stack(**stacks.EVERYTHING, SourceStatusTag="true"), role) == set()
