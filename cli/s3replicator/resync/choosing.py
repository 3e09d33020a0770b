"""Which engine a resync takes, and why: the operator is told in one sentence. Pure."""

from dataclasses import replace

from s3replicator.formatting import count
from s3replicator.jobs.job import Engine
from s3replicator.jobs.selection import Selection
from s3replicator.resync.manifests import ManifestKind, cannot_be_generated

AUTO = "auto"


class Unusable(ValueError):
    """An argument cannot be what was meant. The message says what to do differently."""


MANY = 20_000_000
"""Objects from which on it is better that S3 lists them: half a day's listing for one machine, $20 for S3's job."""


def choose(asked: str, manifest: str, selection: Selection, objects: int | None) -> tuple[Engine, str]:
    """Return the engine and the reason. asked: an engine or AUTO. objects: in the bucket, None if nobody knows."""
    if asked != AUTO:
        return Engine(asked), "as asked for"
    if manifest:
        return Engine.BATCH, "a manifest is for S3 Batch Operations"
    if objects is None:
        return Engine.QUEUE, "the number of objects is unknown, and what is missing is listed in any case"
    if objects < MANY:
        return Engine.QUEUE, f"about {count(objects)} objects: this command lists them, and no job of S3 is billed"
    if unfit := cannot_be_generated(selection):
        return Engine.QUEUE, f"{unfit} needs a listing of both sides"
    return Engine.BATCH, f"about {count(objects)} objects: S3 lists them itself, and goes on without this command"


def manifest_of(engine: Engine, asked: str, selection: Selection) -> str:
    """Return where the versions come from: a kind of manifest, or the address of an inventory report.

    Empty for the engine "queue". Raises Unusable if S3 cannot apply a filter.
    """
    if engine is Engine.QUEUE:
        if asked:
            raise Unusable("--manifest and --inventory are for --engine batch")
        return ""
    kind = asked or str(ManifestKind.LISTING if cannot_be_generated(selection) else ManifestKind.GENERATOR)
    unfit = cannot_be_generated(selection)
    if unfit and kind != ManifestKind.LISTING:
        raise Unusable(f"S3 cannot apply {unfit} to a generated manifest or an inventory; use --manifest listing")
    if kind.startswith("s3://") and replace(selection, statuses=Selection().statuses) != Selection():
        raise Unusable("S3 takes an inventory report as it is, without filters; use --manifest generator or listing")
    return kind
