"""A report as one HTML page. It loads no script, font or image, so that it can be sent, archived and printed."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from replicator.core.outcomes.metrics import SLA

from s3replicator.advice import advice
from s3replicator.formatting import NONE, count, duration, percent, size, utc_minute, visible
from s3replicator.page_style import html_document
from s3replicator.report.charts import latency_chart, legend, share_chart
from s3replicator.report.figures import Figures, ReasonCount, Report


def html_page(report: Report) -> str:
    """Return the page of a report."""
    title = f"Replication report: {visible(report.stack)}"
    return html_document(title, _sections(report))


def _sections(report: Report) -> Iterator[str]:
    yield _head(report)
    yield _tiles(report)
    if report.curve:
        yield _section("Latency", f"{legend()}{latency_chart(report)}", _latency_note(report))
        yield _section("Within the threshold", share_chart(report), _share_note(report))
    else:
        yield _section("Latency", "", "Nothing was replicated in this time.")
    yield _section("By rule", _rules(report), "")
    yield _section("Misses and failures", _reasons(report), "")
    yield _notes(report)


def _head(report: Report) -> str:
    share, verdict, kind = report.total.share, "", "good"
    if share is None:
        verdict = "No data: no object was replicated, missed its threshold or failed"
        kind = "neutral"
    elif report.total.keeps_sla:
        verdict = f"Met: {percent(share)} of objects were within the threshold; the objective is {percent(SLA)}"
    else:
        verdict, kind = (
            f"Not met: {percent(share)} of objects were within the threshold; the objective is {percent(SLA)}",
            "bad",
        )
    return (
        f"<header><h1>Replication report</h1><p class='where'>{_text(report.stack)} in {_text(report.region)}<br>"
        f"{utc_minute(report.span.start)} to {utc_minute(report.span.end)} UTC</p>"
        f"<p class='verdict {kind}'>{verdict}</p></header>"
    )


def _text(text: str) -> str:
    """Write a name from the stack or its rules: a page can be read with `cat`, and marks of direction work in HTML."""
    return escape(visible(text))


def _tiles(report: Report) -> str:
    total = report.total
    quantiles = total.latency.quantiles
    tiles = [
        (
            "Objects within threshold",
            percent(total.share),
            f"{count(total.within)} of {count(total.within + total.outside)}",
        ),
        (
            "Bytes within threshold",
            percent(total.share_of_bytes),
            f"of {size(total.bytes_within + total.bytes_outside)}",
        ),
        ("Replicated", count(total.replicated), size(total.bytes)),
        (
            "Latency, median",
            duration(quantiles[0.5]) if quantiles else NONE,
            f"p99 {duration(quantiles[0.99])}, longest {duration(total.latency.longest)}" if quantiles else "",
        ),
        ("Missed the threshold", count(total.missed), f"{report.threshold_minutes:g} min unless a rule sets another"),
        ("Failed", count(total.failed), "in the dead-letter queue until redriven" if total.failed else ""),
    ]
    return "<div class='tiles'>" + "".join(_tile(*tile) for tile in tiles) + "</div>"


def _tile(name: str, value: str, note: str) -> str:
    return f"<div class='tile'><span>{name}</span><strong>{value}</strong><small>{note}</small></div>"


def _section(title: str, content: str, note: str) -> str:
    remark = f"<p class='note'>{note}</p>" if note else ""
    return f"<section><h2>{title}</h2>{content}{remark}</section>"


def _latency_note(report: Report) -> str:
    return (
        f"Time from an object's event to its complete replica, for each {duration(report.period)}, on a logarithmic "
        "scale. Hover over a point to see its figures."
    )


def _share_note(report: Report) -> str:
    return (
        f"Share of objects within their threshold, for each {duration(report.period)}. The line is {percent(SLA)}, "
        "which S3 Replication Time Control promises for a month."
    )


def _rules(report: Report) -> str:
    if not report.by_rule:
        return "<p>No rule replicated anything.</p>"
    names = ("Rule", "From", "To", "Replicated", "Bytes", "Within", "Median", "p90", "p99", "p99.9", "Missed", "Failed")
    rows = [
        (*map(visible, (rule, source, destination)), *_rule_cells(figures))
        for (source, destination, rule), figures in report.by_rule.items()
    ]
    return _table(names, rows, numbers_from=3)


def _rule_cells(figures: Figures) -> tuple[str, ...]:
    quantiles = [duration(value) for value in figures.latency.quantiles.values()] or [NONE] * 4
    return (
        count(figures.replicated),
        size(figures.bytes),
        percent(figures.share),
        *quantiles,
        count(figures.missed),
        count(figures.failed),
    )


def _reasons(report: Report) -> str:
    if not report.reasons:
        return "<p>None.</p>"
    names = ("What", "Reason", "Rule", "From", "To", "Count", "What to do")
    return _table(names, map(_reason_cells, report.reasons), numbers_from=5, numbers_to=6)


def _reason_cells(each: ReasonCount) -> tuple[str, ...]:
    source, destination, rule = (visible(name) or NONE for name in each.route)
    return each.kind, visible(each.reason), rule, source, destination, count(each.count), advice(each.reason)


def _table(names: Sequence[str], rows: Iterable[Sequence[str]], numbers_from: int, numbers_to: int = 99) -> str:
    def cells(tag: str, texts: Sequence[str]) -> str:
        return "".join(
            f"<{tag}{' class=n' if numbers_from <= position < numbers_to else ''}>{escape(text)}</{tag}>"
            for position, text in enumerate(texts)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<div class='scroll'><table><thead><tr>{cells('th', names)}</tr></thead><tbody>{body}</tbody></table></div>"


def _notes(report: Report) -> str:
    return (
        "<section class='small'><h2>How this is counted</h2><ul>"
        "<li>Every object counts once per destination: as within the threshold if its replica is complete in time, "
        "else as outside it, when the threshold passes or when the object fails. An object that is redriven does not "
        "count again.</li>"
        "<li>Latency is the time from S3's event to the complete replica, of all objects that were replicated, late "
        "ones included.</li>"
        "<li>Delete markers, and changes of tags, ACL, lock or annotations after the write, count like objects without "
        "bytes. Skipped objects do not count.</li>"
        "<li>An object that missed the threshold is listed under the last reason that it was waiting for.</li>"
        f"<li>Source: CloudWatch metrics, namespace S3Replicator. Created {utc_minute(report.made)} UTC.</li></ul>"
        "</section>"
    )
