"""The copy that the tests of copies, guards and events begin with, composed of what the port tells of its source."""

from replicator.core.deciding.copy import Copy
from replicator.core.versions.origin import Origin
from replicator.core.versions.version import Head

from tests.contract.stages import Stage


def copy_of(stage: Stage, version_id: str, key: str) -> Copy:
    """Return the plainest copy of a version of the source."""
    head = stage.reads(stage.source).head(key, version_id)
    assert isinstance(head, Head)
    origin = Origin(stage.source, version_id, head.modified)
    tags = stage.reads(stage.source).tags(key, version_id)
    return Copy(
        bucket=stage.source,
        key=key,
        version_id=version_id,
        etag=head.etag,
        size=head.size,
        origin=origin,
        metadata={"mark": str(origin)},
        headers=head.headers,
        tags=tags,
        storage_class=head.storage_class,
        encryption=head.encryption,
        lock=head.lock,
        checksum=None,
        source_metadata=head.metadata,
        source_tags=tags,
    )
