"""`s3replicator report`: reads arguments, collects the figures, writes the page where it is wanted."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from replicator.aws.rule_shape import shape_problems
from replicator.core.deciding.bucket_names import is_pattern
from replicator.core.outcomes.threshold import Route
from replicator.core.rules.document import RulesRefused, load, parse

from s3replicator.formatting import duration, percent, plural
from s3replicator.output import Output, fail, print_page, stop_on_failed_call
from s3replicator.report.cloudwatch_metrics import CloudWatchMetrics
from s3replicator.report.figures import Report
from s3replicator.report.html_page import html_page
from s3replicator.report.json_output import report_document
from s3replicator.report.time_span import FORMATS, NotATime, Span, parse_span
from s3replicator.rule_documents import RuleDocuments
from s3replicator.several import StacksFileOption, StacksOption, choose, for_stacks
from s3replicator.stack import JsonOption, ProfileOption, RegionOption, Stack

EPILOG = (
    "Exit status 1: less than 99.9 % of the objects were within their threshold, something failed, or AWS refused a "
    "request."
)


def report(
    since: Annotated[str, typer.Option("--from", metavar="TIME", help=f"Start of the report: {FORMATS}.")] = "24h",
    until: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="TIME",
            help="End of the report, in the same formats; a date means the end of that day. Default: now.",
            show_default=False,
        ),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.html", help="File to write the page to.", show_default=False),
    ] = None,
    stack: StacksOption = None,
    stacks: StacksFileOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report latency, the share within the threshold, misses and failures by rule, as one HTML page.

    Without --out, the page goes to standard output, or a summary if that is a terminal. For several stacks there is a
    summary of each, and with --out FILE.html a page of each in FILE-STACK-REGION.html.
    """
    now = int(time.time())
    try:
        span = parse_span(since, until, now)
    except NotATime as error:
        fail(str(error))
    places = choose(stack, stacks, region, profile)
    several = len(places) > 1

    def report_on(opened: Stack, output: Output) -> bool:
        with stop_on_failed_call("the metrics and rules of the stack"):
            made = _collect(opened, span, now)
        _deliver(made, _page_of(opened, out) if several and out else out, output, several=several)
        return made.is_fine

    for_stacks(places, Output(as_json=as_json), report_on)


def _page_of(opened: Stack, out: Path) -> Path:
    return out.with_stem(f"{out.stem}-{opened.facts.name}-{opened.facts.region}")


def _deliver(made: Report, out: Path | None, output: Output, *, several: bool) -> None:
    output.document(report_document(made))
    if out is not None:
        try:
            out.write_text(html_page(made), encoding="utf-8")
        except (OSError, ValueError) as error:
            fail(f"cannot write {out}: {getattr(error, 'strerror', None) or error}")
    elif not output.as_json and not several and not sys.stdout.isatty():
        print_page(html_page(made))
        return
    _print_summary(made, output)
    output.line(f"the page is in {out}" if out else "use --out FILE.html to write the page to a file")


def _print_summary(made: Report, output: Output) -> None:
    total = made.total
    latency = ", ".join(f"p{quantile * 100:g} {duration(value)}" for quantile, value in total.latency.quantiles.items())
    output.line(f"{plural(total.replicated, 'object')} replicated; latency {latency or 'not measured'}")
    output.line(
        f"within the threshold: {percent(total.share)} of objects, {percent(total.share_of_bytes)} of bytes; "
        f"{total.missed} missed it, {total.failed} failed",
        style="green" if made.is_fine else "red",
    )


def _collect(opened: Stack, span: Span, now: int) -> Report:
    documents = RuleDocuments(opened.client("s3"), opened.facts.control_bucket)
    routes, sources = _routes(documents, opened)
    metrics = CloudWatchMetrics(opened.client("cloudwatch"), opened.facts.name, sources)
    span = span.aligned(now)
    period = span.period(now)
    total, by_rule = metrics.figures(span, routes)
    return Report(
        stack=opened.facts.name,
        region=opened.facts.region,
        span=span,
        made=now,
        threshold_minutes=float(opened.parameters.get("ThresholdMinutes") or 15),
        period=period,
        total=total,
        by_rule=by_rule,
        curve=metrics.curve(span, period),
        reasons=metrics.reasons(span),
    )


def _routes(documents: RuleDocuments, opened: Stack) -> tuple[list[Route], set[str]]:
    """Return the (source, destination, rule) of all rules in force, and the stack's source buckets.

    A document that is not valid has no rules.
    """
    stored = documents.buckets()
    routes: list[Route] = []
    for bucket in stored:
        try:
            document = load(bucket, documents.read(bucket) or b"")
            rules = parse(bucket, document, shape_problems(document)).rules
        except RulesRefused:
            continue
        routes += [(bucket, rule.destination.bucket, rule.id) for rule in rules]
    return routes, {*stored, *(name for name in opened.facts.source_buckets if not is_pattern(name))}
