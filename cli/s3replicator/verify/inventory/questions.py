"""The questions that inventories are asked: one SQL text for each, in what DuckDB and Athena have in common.

All SQL is here, so that it can be seen that nothing in it belongs to one engine alone. `Table` says what is asked.
Columns are named as in AWS's tables over inventories, and in live inventory tables of S3 Metadata. The latter have user
metadata, and so the marks of replicas: a version is then compared with its replica, in whatever order they are.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/metadata-tables-inventory-schema.html
https://docs.aws.amazon.com/athena/latest/ug/functions.html
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from string import Template

from replicator.core.versions.origin import MARK

HISTORY = frozenset({"version_id", "is_delete_marker"})
"""Columns that an inventory of current versions lacks."""
ORDER = ("is_latest", "sequence_number")
"""A column that says which entry is current: of a report, and of a live inventory table."""
LAG_SECONDS = 3_600
"""How far a live inventory table may be behind its bucket, usually."""
LOCK = ("object_lock_mode", "object_lock_retain_until_date", "object_lock_legal_hold_status")
COLUMNS = (
    *("key", "version_id", "is_latest", "is_delete_marker", "size", "last_modified_date", "e_tag"),
    *("encryption_status", *LOCK, "sequence_number", "user_metadata"),
)
"""The columns that are asked about; all but the key may be missing."""


class Verdict(StrEnum):
    """What inventories say of one key, or of one version.

    EQUAL_WITH_MARKERS and EQUAL_WITHOUT are equal if the rule replicates delete markers, and if it does not.
    """

    EQUAL = "equal"
    EQUAL_WITH_MARKERS = "equal with markers"
    EQUAL_WITHOUT = "equal without markers"
    DOUBT = "doubt"
    ONLY_THERE = "only there"
    UNPROVEN = "unproven"
    MISSING = "missing"
    MARKER_MISSING = "delete-marker-missing"
    WRONG_CURRENT = "wrong-current"
    CONTENT = "content"
    LOCK = "lock"


@dataclass(frozen=True, slots=True)
class Table:
    """One bucket's inventory as a table. name: as SQL writes it. encoded: its keys are encoded as in URLs, as in CSV.

    taken: when the inventory began, epoch seconds; what is younger is not in it, or only by chance.
    """

    bucket: str
    name: str
    columns: frozenset[str]
    encoded: bool
    taken: int

    @property
    def has_history(self) -> bool:
        """Return whether it has all versions and delete markers, not current versions only."""
        return self.columns >= HISTORY and not self.columns.isdisjoint(ORDER)


@dataclass(frozen=True, slots=True)
class Pair:
    """The inventories of a source and a destination. prefixes: of the keys that are compared, none within another."""

    source: Table
    destination: Table
    prefixes: tuple[str, ...]

    @property
    def has_history(self) -> bool:
        """Return whether all versions can be compared, not current ones only."""
        return self.source.has_history and self.destination.has_history

    @property
    def taken(self) -> int:
        """When the older one of both began."""
        return min(self.source.taken, self.destination.taken)

    def has(self, *columns: str) -> bool:
        """Return whether both sides have some columns."""
        return {*columns} <= self.source.columns & self.destination.columns

    @property
    def by_origin(self) -> bool:
        """Return whether versions are compared with those that say that they are their replicas."""
        return self.has_history and "user_metadata" in self.destination.columns

    @property
    def has_lock(self) -> bool:
        """Return whether Object Lock can be compared: formats write its end in different ways."""
        return self.has(*LOCK) and self.source.encoded == self.destination.encoded


def about_keys(pair: Pair) -> str:
    """Ask which keys are equal on both sides.

    Rows: key, verdict, keys, entries at the source, entries at the destination, the youngest entry's time. Keys that
    are equal or only there share a row, in which the key is empty.
    """
    return _filled(_ENTRIES + _KEYS, pair)


def about_versions(pair: Pair) -> str:
    """Ask what differs, version by version, as far as inventories can tell.

    Rows: key, version id, whether it is a delete marker (1 or 0), verdict, entries at the source, entries at the
    destination, its time. Entries that are equal, only there or unproven share a row, in which the key is empty.
    """
    return _filled(_ENTRIES + _VERSIONS, pair)


def _filled(text: str, pair: Pair) -> str:
    return Template(text).substitute(source=_side(pair.source, pair), destination=_side(pair.destination, pair)).strip()


def _side(table: Table, pair: Pair) -> str:
    wanted = " OR ".join(f"starts_with(key, {_quoted(prefix)})" for prefix in pair.prefixes) or "FALSE"
    shown = "" if pair.has_history else " AND is_latest AND NOT is_marker"
    columns = dict(_columns(table, pair))
    return Template(_SIDE).substitute(columns, table=table.name, wanted=f"({wanted}){shown}")


def _columns(table: Table, pair: Pair) -> Iterable[tuple[str, str]]:
    """Yield an expression for each column; of what one side lacks, both have nothing."""
    yield "key", "url_decode(replace(key, '+', '%20'))" if table.encoded else "key"
    own = table.columns
    yield "version_id", "coalesce(nullif(version_id, ''), 'null')" if "version_id" in own else "'null'"
    yield "is_latest", _true("is_latest") if "is_latest" in own else _NEWEST if table.has_history else "TRUE"
    yield "is_marker", _true("is_delete_marker") if "is_delete_marker" in own else "FALSE"
    time = "replace(substr(CAST(last_modified_date AS varchar), 1, 19), ' ', 'T')"
    yield "modified", time if pair.has("last_modified_date") else "CAST(NULL AS varchar)"
    yield "sequence", "sequence_number" if "sequence_number" in own else "CAST(NULL AS varchar)"
    number = "CAST(nullif(CAST(size AS varchar), '') AS bigint)"
    yield "size", number if pair.has("size") else "CAST(NULL AS bigint)"
    opaque = _opaque(own)
    tag = f"CASE WHEN {opaque} = 1 THEN NULL ELSE e_tag END" if pair.by_origin else "e_tag"
    yield "e_tag", f"nullif(replace({tag}, '\"', ''), '')" if pair.has("e_tag") else "CAST(NULL AS varchar)"
    yield "opaque", opaque
    yield "origin", _origin(table) if pair.by_origin else "CAST(NULL AS varchar)"
    locks = " || '/' || ".join(f"coalesce(CAST({name} AS varchar), '')" for name in LOCK)
    yield "locked", locks if pair.has_lock else "''"


def _true(column: str) -> str:
    return f"(lower(CAST({column} AS varchar)) = 'true')"


def _opaque(columns: Collection[str]) -> str:
    """Return 1 for a version whose ETag does not depend on its bytes alone (S3 API reference, "Object")."""
    signs = ["e_tag LIKE '%-%'"] if "e_tag" in columns else []
    signs += ["encryption_status LIKE '%KMS%'", "encryption_status = 'SSE-C'"] if "encryption_status" in columns else []
    return f"CASE WHEN {' OR '.join(signs)} THEN 1 ELSE 0 END" if signs else "0"


def _origin(table: Table) -> str:
    """Return the bucket and the version id of the native version that a version is, or is a replica of.

    The text of a mark is that of `replicator.core.versions.origin`. A mark that a user's copy took along names a
    version that has a replica already, or is of another key: neither is equal to anything.
    """
    own = f"{_quoted(table.bucket + '/')} || coalesce(nullif(version_id, ''), 'null')"
    if "user_metadata" not in table.columns:
        return own
    mark = f"TRY(user_metadata[{_quoted(MARK)}])"
    return f"coalesce(split_part({mark}, '/', 1) || '/' || split_part(split_part({mark}, '/', 2), '@', 1), {own})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_NEWEST = "(row_number() OVER (PARTITION BY key ORDER BY last_modified_date DESC, sequence_number DESC) = 1)"

_SIDE = """
        SELECT * FROM (
            SELECT $key AS key, $version_id AS version_id, $is_latest AS is_latest, $is_marker AS is_marker,
                $modified AS modified, $size AS size, $e_tag AS e_tag, $opaque AS is_opaque, $locked AS locked,
                $origin AS origin, $sequence AS sequence
            FROM $table
        ) AS named WHERE $wanted
"""

_ENTRIES = """
WITH entries AS (
    SELECT s.*, 1 AS here, 0 AS there,
        CASE WHEN is_latest AND NOT is_marker THEN 1 ELSE 0 END AS is_shown
    FROM ($source) AS s
    UNION ALL
    SELECT d.*, 0 AS here, 1 AS there,
        CASE WHEN is_latest AND NOT is_marker THEN 1 ELSE 0 END AS is_shown
    FROM ($destination) AS d
)"""

_KEYS = """, placed AS (
    SELECT *, row_number() OVER (
        PARTITION BY here, key, is_marker ORDER BY is_latest DESC, modified DESC, sequence DESC, e_tag, size
    ) AS place
    FROM entries
), named AS (
    SELECT *, CASE WHEN place = 1 THEN 1 ELSE 0 END AS is_top,
        CASE WHEN is_marker OR origin IS NULL THEN CAST(place AS varchar) ELSE origin END AS identity
    FROM placed
), pairs AS (
    SELECT key, is_marker, identity, sum(here) AS here, sum(there) AS there, max(modified) AS modified,
        max(here * is_shown) AS shown_here, max(there * is_shown) AS shown_there,
        CASE WHEN is_marker THEN 1
            WHEN sum(here) = 1 AND sum(there) = 1
                AND coalesce(min(e_tag) = max(e_tag) AND (count(e_tag) <> 1 OR min(origin) IS NOT NULL), TRUE)
                AND coalesce(min(size) = max(size), TRUE) AND min(locked) = max(locked)
                AND sum(here * is_top) = sum(there * is_top) THEN 1
            ELSE 0 END AS is_same
    FROM named GROUP BY key, is_marker, identity
), keys AS (
    SELECT key, sum(here) AS here, sum(there) AS there, max(modified) AS modified, min(is_same) AS is_same,
        max(shown_here) AS shown_here, max(shown_there) AS shown_there,
        max(CASE WHEN here > 0 AND NOT is_marker THEN 1 ELSE 0 END) AS has_version
    FROM pairs GROUP BY key
), verdicts AS (
    SELECT key, here, there, modified,
        CASE WHEN here = 0 THEN 'only there'
            WHEN is_same = 0 THEN 'doubt'
            WHEN shown_here = shown_there AND has_version = shown_there THEN 'equal'
            WHEN shown_here = shown_there THEN 'equal with markers'
            WHEN has_version = shown_there THEN 'equal without markers'
            ELSE 'doubt' END AS verdict
    FROM keys
), answers AS (
    SELECT CASE WHEN verdict IN ('equal', 'only there') THEN '' ELSE key END AS key, verdict, here, there, modified
    FROM verdicts
)
SELECT key, verdict, count(*) AS keys, sum(here) AS here, sum(there) AS there, max(modified) AS modified
FROM answers GROUP BY key, verdict
"""

_VERSIONS = """, known AS (
    SELECT *, max(here) OVER (PARTITION BY key) AS known_here, max(is_opaque) OVER (PARTITION BY key) AS opaque,
        max(there * is_shown) OVER (PARTITION BY key) AS shown_there
    FROM entries
), named AS (
    SELECT *, CASE WHEN is_marker THEN '' WHEN origin IS NOT NULL THEN origin
        ELSE coalesce(CAST(size AS varchar), '') || CASE WHEN opaque = 1 THEN '' ELSE coalesce('/' || e_tag, '') END
        END AS identity
    FROM known
), numbered AS (
    SELECT *, row_number() OVER (
        PARTITION BY here, key, is_marker, identity ORDER BY is_latest DESC, modified DESC, sequence DESC
    ) AS number
    FROM named
), matched AS (
    SELECT key, is_marker, identity, number, sum(here) AS here, sum(there) AS there, max(modified) AS modified,
        max(CASE WHEN here = 1 THEN version_id ELSE NULL END) AS version_id, max(known_here) AS known_here,
        max(CASE WHEN here = 1 AND is_latest THEN 1 ELSE 0 END) AS latest_here,
        max(CASE WHEN there = 1 AND is_latest THEN 1 ELSE 0 END) AS latest_there, max(shown_there) AS shown_there,
        CASE WHEN min(origin) IS NOT NULL THEN 1
            WHEN count(e_tag) > 1 AND min(e_tag) = max(e_tag) THEN 1 ELSE 0 END AS same_tag,
        CASE WHEN min(size) <> max(size) OR min(e_tag) <> max(e_tag) THEN 1 ELSE 0 END AS other_bytes,
        CASE WHEN min(locked) = max(locked) THEN 1 ELSE 0 END AS same_lock
    FROM numbered GROUP BY key, is_marker, identity, number
), verdicts AS (
    SELECT key, version_id, is_marker, here, there, modified,
        CASE WHEN known_here = 0 THEN 'only there'
            WHEN is_marker AND latest_here = 1 AND shown_there = 1 THEN 'delete-marker-missing'
            WHEN is_marker THEN 'equal'
            WHEN there = 0 THEN 'missing'
            WHEN latest_here = 1 AND latest_there = 0 THEN 'wrong-current'
            WHEN other_bytes = 1 AND same_tag = 1 THEN 'content'
            WHEN same_lock = 0 THEN 'lock'
            WHEN same_tag = 0 THEN 'unproven'
            ELSE 'equal' END AS verdict
    FROM matched WHERE here > 0 OR known_here = 0
), answers AS (
    SELECT verdict, here, there, modified,
        CASE WHEN verdict IN ('equal', 'only there', 'unproven') THEN '' ELSE key END AS key,
        CASE WHEN verdict IN ('equal', 'only there', 'unproven') THEN '' ELSE version_id END AS version_id,
        CASE WHEN is_marker AND verdict = 'delete-marker-missing' THEN 1 ELSE 0 END AS is_marker
    FROM verdicts
)
SELECT key, version_id, is_marker, verdict, sum(here) AS here, sum(there) AS there, max(modified) AS modified
FROM answers GROUP BY key, version_id, is_marker, verdict
"""
