"""A report as one JSON document."""

from typing import Any

from s3replicator.formatting import utc_iso
from s3replicator.report.figures import Figures, Latency, ReasonCount, Report


def report_document(report: Report) -> dict[str, Any]:
    """Return a report as JSON output has it."""
    return {
        "stack": report.stack,
        "region": report.region,
        "from": _time(report.span.start),
        "to": _time(report.span.end),
        "threshold_minutes": report.threshold_minutes,
        "fine": report.is_fine,
        "total": _figures(report.total),
        "rules": [
            {"source": source, "destination": destination, "rule": rule, **_figures(figures)}
            for (source, destination, rule), figures in report.by_rule.items()
        ],
        "reasons": [_reason(each) for each in report.reasons],
        "period_seconds": report.period,
        "curve": [
            {"time": _time(point.time), "share": point.share, "latency": _latency(point.latency)}
            for point in report.curve
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


def _reason(each: ReasonCount) -> dict[str, Any]:
    source, destination, rule = each.route
    return {
        "source": source,
        "destination": destination,
        "rule": rule,
        "kind": each.kind,
        "reason": each.reason,
        "count": each.count,
    }


def _latency(latency: Latency) -> dict[str, Any]:
    quantiles = {f"p{quantile * 100:g}": value for quantile, value in latency.quantiles.items()}
    return {"count": latency.count, **quantiles, "max": latency.longest} if latency.count else {"count": 0}


def _time(seconds: int) -> str:
    return utc_iso(seconds).replace("+00:00", "Z")
