"""Source versions may be tagged by a stack whose parameters ask for it, and by no other."""

from tests.template import stacks

TAGGING = {"s3:PutObjectTagging", "s3:PutObjectVersionTagging"}


def may_tag(stack: stacks.Document, role: str) -> set[tuple[str, str]]:
    return {
        (action, stacks.bucket_of(resource))
        for action, resource in stacks.allowed(stack, role)
        if action in TAGGING and isinstance(resource, str) and stacks.bucket_of(resource) in stacks.SOURCES
    }


def test_by_default_no_role_may_tag_at_the_source_and_no_function_tries() -> None:
    stack = stacks.stack(**stacks.EVERYTHING)
    assert {role: may_tag(stack, role) for role in stacks.ROLES.values()} == {
        role: set() for role in stacks.ROLES.values()
    }
    assert stacks.properties(stack, "ReplicateFunction")["Environment"]["Variables"]["SOURCE_STATUS_TAG"] == "false"


def test_with_the_parameter_only_functions_that_write_replicas_may_tag_at_the_source_and_do() -> None:
    stack = stacks.stack(**stacks.EVERYTHING, SourceStatusTag="true")
    everywhere = {(action, bucket) for action in TAGGING for bucket in stacks.SOURCES}
    assert {role: may_tag(stack, role) for role in stacks.ROLES.values()} == {
        "ReplicateRole": everywhere, "CopyPartsRole": everywhere, "MonitorRole": set(), "ReleaseRole": set(),
        "BatchRole": set(), "VerifyRole": set(),
    }  # fmt: skip
    assert stacks.properties(stack, "CopyPartsFunction")["Environment"]["Variables"]["SOURCE_STATUS_TAG"] == "true"
