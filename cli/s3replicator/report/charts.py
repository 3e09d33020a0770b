"""Charts of a report as SVG text: latency over time on a logarithmic scale, and the share within the threshold.

Written without a library, because a page that needs neither network nor script can be kept for years. Colours come from
the page's style sheet, so that charts follow its dark mode and its print version.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from replicator.core.outcomes.metrics import SLA

from s3replicator.formatting import count, duration, percent, utc_minute
from s3replicator.report.figures import QUANTILES, CurvePoint, Report
from s3replicator.report.time_span import DAY, Span

WIDTH, HEIGHT = 960, 280
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 14, 34
LATENCY_MARKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 1800, 3600, 7200, 21600, 43200, 86400, 604800)
SHARE_FLOORS = (0.999, 0.995, 0.99, 0.95, 0.9, 0.75, 0.5, 0.0)
TIME_STEPS = (60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY)


@dataclass(frozen=True, slots=True)
class PlotArea:
    """Maps times and values to positions in a chart. `height_of` returns a value's height between 0 and 1."""

    span: Span
    height_of: Callable[[float], float]

    def x(self, time: float) -> float:
        """Return the position of a time (epoch seconds). What is after the end of the span is cut off."""
        return LEFT + (WIDTH - LEFT - RIGHT) * (min(time, self.span.end) - self.span.start) / self.span.seconds

    def y(self, value: float) -> float:
        """Return the position of a value."""
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * min(1.0, max(0.0, self.height_of(value)))


def latency_chart(report: Report) -> str:
    """Draw percentiles of the latency over time, with the threshold."""
    threshold = report.threshold_minutes * 60
    measured = [each for each in report.curve if each.latency.count]
    values = [value for each in measured for value in each.latency.quantiles.values()]
    low, high = _bounds([*values, threshold])
    area = PlotArea(report.span, lambda value: math.log(max(value, low) / low) / math.log(high / low))
    marks = [mark for mark in LATENCY_MARKS if low <= mark <= high]
    parts = [*_frame(area, [(mark, duration(mark)) for mark in marks])]
    parts.append(_line(area, threshold, "threshold", f"threshold {duration(threshold)}"))
    half = report.period / 2
    for number, quantile in enumerate(QUANTILES):
        points = [(each.time + half, each.latency.quantiles[quantile]) for each in measured]
        parts.append(_curve(area, points, f"series s{number}", report.period))
    parts += [_dots(area, each, half) for each in measured]
    return _svg("Latency percentiles over time", parts)


def share_chart(report: Report) -> str:
    """Draw the share of objects within the threshold over time, with the share that S3 promises."""
    counted = [each for each in report.curve if each.share is not None]
    lowest = min((each.share or 0.0 for each in counted), default=1.0)
    floor = next(floor for floor in SHARE_FLOORS if floor < SLA and floor <= lowest)
    area = PlotArea(report.span, lambda share: (share - floor) / (1 - floor))
    steps = [floor + (1 - floor) * part / 4 for part in range(5)]
    parts = [*_frame(area, [(step, percent(step)) for step in steps])]
    parts += [_bar(area, each, report.period) for each in counted]
    parts.append(_line(area, SLA, "promise", f"{percent(SLA)}"))
    return _svg("Share of objects within the threshold over time", parts)


def legend() -> str:
    """Return the legend of the latency chart."""
    names = [f"p{quantile * 100:g}" for quantile in QUANTILES]
    items = "".join(f'<span><i class="s{number}"></i>{name}</span>' for number, name in enumerate(names))
    return f'<p class="legend">{items}<span><i class="threshold"></i>threshold</span></p>'


def _bounds(values: Sequence[float]) -> tuple[float, float]:
    """Return round ends for a logarithmic scale."""
    positive = [value for value in values if value > 0] or [1.0]
    low = max((mark for mark in LATENCY_MARKS if mark <= min(positive)), default=LATENCY_MARKS[0])
    high = min((mark for mark in LATENCY_MARKS if mark > max(positive)), default=LATENCY_MARKS[-1])
    return low, max(high, low * 2)


def _frame(area: PlotArea, marks: Sequence[tuple[float, str]]) -> Iterator[str]:
    for value, text in marks:
        y = area.y(value)
        yield f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
        yield f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(text)}</text>'
    for time in _times(area.span):
        x = area.x(time)
        yield f'<path class="grid faint" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/>'
        anchor = "end" if x > WIDTH - RIGHT - 30 else "middle"
        text = _time(time, area.span)
        yield f'<text class="tick" x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="{anchor}">{text}</text>'


def _times(span: Span) -> list[int]:
    step = next((step for step in TIME_STEPS if span.seconds / step <= 9), TIME_STEPS[-1])
    first = -(-span.start // step) * step
    return list(range(first, span.end + 1, step))


def _time(time: int, span: Span) -> str:
    pattern = "%H:%M" if span.seconds <= DAY + 3600 else "%b %d" if span.seconds > 4 * DAY else "%b %d %H:%M"
    return datetime.fromtimestamp(time, UTC).strftime(pattern)


def _line(area: PlotArea, value: float, kind: str, text: str) -> str:
    y = area.y(value)
    label = (
        f'<text class="{kind}" x="{WIDTH - RIGHT - 4}" y="{max(y - 5, 12):.1f}" text-anchor="end">{escape(text)}</text>'
    )
    return f'<path class="{kind}" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>{label}'


def _curve(area: PlotArea, points: Sequence[tuple[float, float]], kind: str, period: int) -> str:
    """Draw a curve, with a gap wherever nothing was measured for longer than a period."""
    commands, last = [], None
    for time, value in points:
        command = "L" if last is not None and time - last <= 1.5 * period else "M"
        commands.append(f"{command}{area.x(time):.1f} {area.y(value):.1f}")
        last = time
    return f'<path class="{kind}" d="{"".join(commands)}"/>' if commands else ""


def _dots(area: PlotArea, each: CurvePoint, half: float) -> str:
    """Draw a point on each curve, with the figures of its period as a tooltip."""
    percentiles = ", ".join(
        f"p{quantile * 100:g} {duration(value)}" for quantile, value in each.latency.quantiles.items()
    )
    title = f"<title>{utc_minute(each.time)}: {percentiles} ({count(each.latency.count)} objects)</title>"
    x = area.x(each.time + half)
    circles = "".join(
        f'<circle class="s{number}" cx="{x:.1f}" cy="{area.y(value):.1f}" r="2.2"/>'
        for number, value in enumerate(each.latency.quantiles.values())
    )
    return f"<g>{title}{circles}</g>"


def _bar(area: PlotArea, each: CurvePoint, period: int) -> str:
    share = each.share or 0.0
    left = area.x(each.time)
    width = max(1.5, area.x(each.time + period) - left - 1.5)
    y, bottom = area.y(share), HEIGHT - BOTTOM
    kind = "kept" if share >= SLA else "broken"
    title = f"{utc_minute(each.time)}: {percent(share)}, {count(each.within)} within, {count(each.outside)} not"
    return (
        f'<rect class="{kind}" x="{left:.1f}" y="{y:.1f}" width="{width:.1f}" '
        f'height="{max(bottom - y, 1.5):.1f}"><title>{title}</title></rect>'
    )


def _svg(title: str, parts: Sequence[str]) -> str:
    body = "".join(parts)
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">{body}</svg>'
