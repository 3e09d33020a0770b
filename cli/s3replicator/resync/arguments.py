"""Filters as operators write them -> a selection: sizes with units, dates, and names that must exist."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from replicator.core.rules.matching import RuleSet

from s3replicator.jobs.job import Engine
from s3replicator.jobs.selection import STATUSES, Selection
from s3replicator.resync.choosing import AUTO, Unusable
from s3replicator.resync.manifests import ManifestKind

UNITS = {
    "": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40,
}  # fmt: skip
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")


def read_size(text: str) -> int:
    """Return bytes, for example of 512KiB or 1.5GB; 0 for no text. Raises Unusable."""
    if not text:
        return 0
    found = _SIZE.fullmatch(text.strip())
    unit = UNITS.get(found[2].upper()) if found else None
    if not found or unit is None:
        raise Unusable(f"'{text}' is no size; write bytes, or a number with KB, MB, GB, TB, KiB, MiB, GiB or TiB")
    return round(float(found[1]) * unit)


def read_time(text: str) -> int:
    """Return epoch seconds of an ISO 8601 time, in UTC unless it says otherwise; 0 for no text. Raises Unusable."""
    if not text:
        return 0
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise Unusable(f"'{text}' is no time; write 2026-11-28 or 2026-11-28T09:00:00+00:00") from None
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())


def check_statuses(statuses: Sequence[str]) -> tuple[str, ...]:
    """Return statuses as they are known, whatever their case. Raises Unusable."""
    found = tuple(dict.fromkeys(each.lower() for each in statuses))
    if unknown := [each for each in found if each not in STATUSES]:
        raise Unusable(f"there is no status '{unknown[0]}'; statuses are {', '.join(STATUSES)}")
    return found


def check_engine(engine: str) -> str:
    """Return an engine as it is known. Raises Unusable."""
    if engine.lower() not in (AUTO, *Engine):
        raise Unusable(f"there is no engine '{engine}'; engines are {', '.join(Engine)} and {AUTO}")
    return engine.lower()


def check_manifest(kind: str, inventory: str) -> str:
    """Return the kind of a manifest, or the address of an inventory report; empty for none. Raises Unusable."""
    if inventory and kind:
        raise Unusable("--manifest and --inventory exclude each other")
    if inventory and not re.fullmatch(r"s3://[^/]+/.+manifest\.json", inventory):
        raise Unusable(
            f"'{inventory}' is no report; write the address of its manifest.json, s3://BUCKET/.../manifest.json"
        )
    if kind not in ("", ManifestKind.GENERATOR, ManifestKind.LISTING):
        raise Unusable(f"there is no manifest '{kind}'; write generator or listing, or use --inventory")
    return inventory or kind


def check_names(selection: Selection, rules: RuleSet) -> None:
    """Raise Unusable if a rule or destination is named that an enabled rule of the bucket does not have."""
    enabled = [each for each in rules.rules if each.enabled]
    if not enabled:
        raise Unusable(f"no enabled rule is stored for {rules.bucket}; store rules with `s3replicator rules put`")
    ids, buckets = {each.id for each in enabled}, {each.destination.bucket for each in enabled}
    if selection.rule and selection.rule not in ids:
        raise Unusable(f"no enabled rule of {rules.bucket} has the id '{selection.rule}'; there are {_listed(ids)}")
    for name in selection.destinations:
        if name not in buckets:
            raise Unusable(f"no enabled rule of {rules.bucket} replicates to '{name}'; there are {_listed(buckets)}")


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
