"""`s3replicator report`: what replication came to in a span of time, as one page that needs nothing else.

Reads arguments, asks for the figures and puts the page where it is wanted; how it looks is `report_page`.
"""

import re
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from replicator.aws.rule_shape import shape_problems
from replicator.core.outcomes.threshold import Route
from replicator.core.rules.document import RulesRefused, load, parse

from s3replicator.findings import CallFailed
from s3replicator.formatting import duration, percent
from s3replicator.output import FINE, FOUND, Output, fail
from s3replicator.report.cloudwatch_metrics import CloudWatchReader
from s3replicator.report.figures import Figures, Latency, Report, Span
from s3replicator.report.html_page import page
from s3replicator.rule_documents import RuleDocuments
from s3replicator.stack import JsonOption, ProfileOption, RegionOption, Stack, StackOption, open_stack

_AGO = re.compile(r"(\d+)\s*(m|h|d|w)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_WHEN = "as 2026-11-01, 2026-11-01T12:00 (UTC) or 7d (ago; m, h, d, w)"


def report(
    since: Annotated[str, typer.Option("--from", help=f"The beginning, {_WHEN}.")] = "24h",
    until: Annotated[
        str, typer.Option("--to", help="The end; a day means its end. By default now.", show_default=False)
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE.html", help="Where the page goes; else to standard output.", show_default=False
        ),
    ] = None,
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report latencies, the share within the threshold, misses and failures by rule, as one HTML page."""
    now = int(time.time())
    span = _span(since, until, now)
    opened, output = open_stack(stack, region, profile), Output(as_json=as_json)
    try:
        made = _report(opened, span, now)
    except CallFailed as failed:
        typer.echo(f"s3replicator: {failed.obstacle.advice('the metrics of the stack')}", err=True)
        raise typer.Exit(FOUND) from None
    _deliver(made, out, output)
    raise typer.Exit(FINE if made.is_fine else FOUND)


def _deliver(made: Report, out: Path | None, output: Output) -> None:
    output.document(_document(made))
    if out is not None:
        try:
            out.write_text(page(made), encoding="utf-8")
        except OSError as error:
            fail(f"{out} cannot be written: {error.strerror}")
    elif not output.as_json and not sys.stdout.isatty():
        typer.echo(page(made))
        return
    total = made.total
    latency = ", ".join(f"p{quantile * 100:g} {duration(value)}" for quantile, value in total.latency.quantiles.items())
    output.line(f"{total.replicated} objects replicated; {latency or 'no latency was measured'}")
    output.line(
        f"within the threshold: {percent(total.share)} of objects, {percent(total.share_of_bytes)} of bytes; "
        f"{total.missed} missed it, {total.failed} failed",
        style="green" if made.is_fine else "red",
    )
    output.line(f"the page is in {out}" if out else "with --out FILE.html it is written as a page")


def _report(opened: Stack, span: Span, now: int) -> Report:
    documents = RuleDocuments(opened.client("s3"), opened.facts.control_bucket)
    routes, sources = _rules(documents, opened)
    reader = CloudWatchReader(opened.client("cloudwatch"), opened.facts.name, sources)
    span = span.aligned(now)
    period = span.period(now)
    total, by_rule = reader.figures(span, routes)
    return Report(
        stack=opened.facts.name,
        region=opened.facts.region,
        span=span,
        made=now,
        threshold_minutes=float(opened.parameters.get("ThresholdMinutes") or 15),
        period=period,
        total=total,
        by_rule=by_rule,
        moments=reader.moments(span, period),
        reasons_counted=reader.reasons_counted(span),
    )


def _rules(documents: RuleDocuments, opened: Stack) -> tuple[list[Route], set[str]]:
    """Return the rules in force, and the stack's source buckets. A document that cannot be read names no rules."""
    buckets = {*documents.buckets(), *opened.facts.source_buckets}
    routes: list[Route] = []
    for bucket in documents.buckets():
        try:
            document = load(bucket, documents.read(bucket) or b"")
            rules = parse(bucket, document, shape_problems(document)).rules
        except RulesRefused:
            continue
        routes += [(bucket, rule.destination.bucket, rule.id) for rule in rules]
    return routes, buckets


def _span(since: str, until: str, now: int) -> Span:
    end = _moment(until, now, "--to", is_end=True) if until else now
    start = _moment(since, end if _AGO.fullmatch(since.strip()) else now, "--from", is_end=False)
    if start >= end:
        fail(f"--from {since} is not before --to {until or 'now'}")
    return Span(start, end if until else now + 1)  # what was measured in this very second belongs to it


def _moment(text: str, now: int, option: str, *, is_end: bool) -> int:
    """Read a moment in epoch seconds."""
    if ago := _AGO.fullmatch(text.strip()):
        return now - int(timedelta(**{_UNITS[ago[2]]: int(ago[1])}).total_seconds())
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        fail(f"{option} {text!r} is no moment; write it {_WHEN}")
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    is_day = re.fullmatch(r"\d{4}-?\d{2}-?\d{2}", text.strip()) is not None
    return int((moment + timedelta(days=1) if is_day and is_end else moment).timestamp())


def _document(made: Report) -> dict[str, Any]:
    return {
        "stack": made.stack,
        "region": made.region,
        "from": _iso(made.span.start),
        "to": _iso(made.span.end),
        "threshold_minutes": made.threshold_minutes,
        "fine": made.is_fine,
        "total": _figures(made.total),
        "rules": [
            {"source": route[0], "destination": route[1], "rule": route[2], **_figures(figures)}
            for route, figures in made.by_rule.items()
        ],
        "reasons": [
            {
                "source": each.route[0],
                "destination": each.route[1],
                "rule": each.route[2],
                "kind": each.kind,
                "reason": each.reason,
                "count": each.count,
            }
            for each in made.reasons_counted
        ],
        "period_seconds": made.period,
        "curve": [
            {"time": _iso(moment.time), "share": moment.share, "latency": _latency(moment.latency)}
            for moment in made.moments
        ],
    }


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        "replicated": figures.replicated,
        "bytes": figures.bytes,
        "within": figures.within,
        "outside": figures.outside,
        "share": figures.share,
        "share_of_bytes": figures.share_of_bytes,
        "missed": figures.missed,
        "failed": figures.failed,
        "latency": _latency(figures.latency),
    }


def _latency(latency: Latency) -> dict[str, Any]:
    quantiles = {f"p{quantile * 100:g}": value for quantile, value in latency.quantiles.items()}
    return {"count": latency.count, **quantiles, "max": latency.longest} if latency.count else {"count": 0}


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
