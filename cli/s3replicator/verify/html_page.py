"""A verification as one HTML page. It loads no script, font or image, so that it can be sent, archived and printed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from replicator.core.verifying.differences import Difference
from replicator.core.verifying.totals import Totals

from s3replicator.formatting import count, utc_minute, visible
from s3replicator.page_style import html_document
from s3replicator.verify.kinds import ADVICE, MEANING

MOST_ROWS = 1_000
"""Differences that the page lists; a CSV file has all of them."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What the page is about. made: epoch seconds. differences: those that are left, as many as the page lists.

    unproven: entries that inventories cannot prove equal. by_inventory: inventories were compared, not listings.
    """

    bucket: str
    deep: bool
    totals: Mapping[str, Totals]
    notes: Sequence[str]
    differences: Sequence[Difference]
    made: int
    unproven: int = 0
    by_inventory: bool = False

    @property
    def different(self) -> int:
        """How many differences there are at all destinations."""
        return sum(each.differences.total() for each in self.totals.values())

    @property
    def pending(self) -> int:
        """How many entries are on their way to all destinations."""
        return sum(each.pending for each in self.totals.values())


def html_page(found: Verified) -> str:
    """Return the page of a verification."""
    title = f"Verification: {visible(found.bucket)}"
    return html_document(title, _sections(found))


def _sections(found: Verified) -> Iterator[str]:
    yield _head(found)
    yield _tiles(found)
    yield _section("By destination", _destinations(found))
    yield _section("What differs", _kinds(found))
    if found.differences:
        rest = found.different - len(found.differences)
        more = f"<p class='note'>{count(rest)} more are in the CSV file (--csv).</p>" if rest > 0 else ""
        yield _section("Differences", _differences(found.differences) + more)
    yield _notes(found)


def _head(found: Verified) -> str:
    if found.different:
        verdict, kind = f"{count(found.different)} differences", "bad"
    elif found.unproven:
        verdict, kind = f"Nothing differs as far as inventories show; {count(found.unproven)} not proven", "neutral"
    elif found.pending:
        verdict, kind = f"Nothing differs but what is on its way: {count(found.pending)} pending", "neutral"
    else:
        verdict, kind = "Every destination has what the rules promise", "good"
    compared = "inventories" if found.by_inventory else "listings"
    everything = found.deep and not found.by_inventory
    looked = (
        "every version, with all that may change after the write"
        if everything
        else f"{compared}, and what they left open"
    )
    return (
        f"<header><h1>Verification</h1><p class='where'>{_text(found.bucket)}<br>{utc_minute(found.made)} UTC<br>"
        f"{looked}</p><p class='verdict {kind}'>{verdict}</p></header>"
    )


def _text(text: str) -> str:
    """Write a text from a bucket: marks of direction work in HTML, and a page can be read with `cat`."""
    return escape(visible(text))


def _tiles(found: Verified) -> str:
    every = found.totals.values()
    tiles = [
        ("Checked", sum(each.checked for each in every), "versions and delete markers, at each destination"),
        ("Equal", sum(each.equal for each in every), ""),
        ("Different", found.different, ""),
        ("Pending", found.pending, "on their way"),
        ("Left out", sum(each.left_out.total() for each in every), "by rules or by S3"),
        ("Repaired", sum(each.repaired.total() for each in every), ""),
    ]
    return "<div class='tiles'>" + "".join(_tile(*tile) for tile in tiles) + "</div>"


def _tile(name: str, value: int, note: str) -> str:
    return f"<div class='tile'><span>{name}</span><strong>{count(value)}</strong><small>{note}</small></div>"


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>"


def _destinations(found: Verified) -> str:
    names = ("Destination", "Checked", "Equal", "Different", "Pending", "Left out", "Only there")
    rows = [
        (
            visible(name),
            *map(
                count,
                (
                    each.checked,
                    each.equal,
                    each.differences.total(),
                    each.pending,
                    each.left_out.total(),
                    each.only_there,
                ),
            ),
        )
        for name, each in found.totals.items()
    ]
    return _table(names, rows, numbers=range(1, 7))


def _kinds(found: Verified) -> str:
    rows = [
        (str(kind), visible(name), count(each.differences[kind]), MEANING[kind], ADVICE[kind])
        for name, each in found.totals.items()
        for kind in each.kinds
    ]
    if not rows:
        return "<p>Nothing.</p>"
    return _table(("Kind", "Destination", "Count", "What it means", "What to do"), rows, numbers=range(2, 3))


def _differences(differences: Sequence[Difference]) -> str:
    names = ("Kind", "Destination", "Key", "Version", "What was found")
    rows = [
        (str(each.kind), *map(visible, (each.destination, each.key, each.version_id, each.detail)))
        for each in differences
    ]
    return f"<div class='found'>{_table(names, rows, numbers=range(0))}</div>"


def _table(names: Sequence[str], rows: Iterable[Sequence[str]], numbers: range) -> str:
    def cells(tag: str, texts: Sequence[str]) -> str:
        return "".join(
            f"<{tag}{' class=n' if position in numbers else ''}>{escape(text)}</{tag}>"
            for position, text in enumerate(texts)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<div class='scroll'><table><thead><tr>{cells('th', names)}</tr></thead><tbody>{body}</tbody></table></div>"


def _notes(found: Verified) -> str:
    of_run = "".join(f"<li>{_text(note)}</li>" for note in found.notes)
    return (
        f"<section class='small'><h2>Notes</h2><ul>{of_run}"
        "<li>Counts are versions and delete markers of the source, once for each destination. One may have several "
        "differences.</li>"
        "<li>A version counts as equal if both listings show the same bytes in the same order, or if it was examined "
        "and nothing would be written.</li>"
        "<li>Whatever differed was looked at twice, with a moment in between.</li>"
        "<li>What only a destination has is never deleted, and is no difference.</li></ul></section>"
    )
