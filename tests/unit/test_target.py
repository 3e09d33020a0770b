"""What is assumed of a destination before it is described."""

from replicator.core.deciding.target import Capabilities, Target


def test_a_destination_is_assumed_to_keep_versions_without_acls_and_locks() -> None:
    assert Target("west").capabilities == Capabilities(versions=True, acls=False, lock=False)


def test_a_destination_is_assumed_to_replicate_back() -> None:
    """One-way replication would settle a conflict without asking which side is newer."""
    assert Target("west").listens
