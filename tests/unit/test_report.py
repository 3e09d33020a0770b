"""Figures of a report, how numbers are written, and what the page says."""

import html.parser
import re
from dataclasses import replace

import pytest
from s3replicator.report.charts import RIGHT, WIDTH
from s3replicator.report.figures import (
    QUANTILES,
    CurvePoint,
    Figures,
    Latency,
    ReasonCount,
    Report,
    merge,
)
from s3replicator.report.html_page import html_page
from s3replicator.report.time_span import DAY, HOUR, MINUTE, POINTS, Span

NOW = 1_795_046_400  # 2026-11-19 00:00 UTC
DAYS = Span(NOW - DAY, NOW)


def latency(samples: int, *quantiles: float) -> Latency:
    values = quantiles or (1.0, 2.0, 3.0, 4.0)
    return Latency(samples, dict(zip(QUANTILES, values, strict=True)), values[0] / 2, values[-1] * 2)


# Spans


@pytest.mark.parametrize(
    ("span", "period"),
    [
        (Span(NOW - HOUR, NOW), 60),
        (DAYS, 900),
        (Span(NOW - 7 * DAY, NOW), 3 * HOUR),
        (Span(NOW - 30 * DAY, NOW), 12 * HOUR),
        (Span(NOW - 20 * DAY, NOW - 20 * DAY + HOUR), 300),
        (Span(NOW - 70 * DAY, NOW - 70 * DAY + DAY), HOUR),
        (Span(NOW - 400 * DAY, NOW), 7 * DAY),
    ],
)
def test_a_curve_has_few_points_and_none_finer_than_what_is_kept(span: Span, period: int) -> None:
    assert span.period(NOW) == period
    assert span.seconds / period <= POINTS


@pytest.mark.parametrize(("ago", "grain"), [(HOUR, MINUTE), (20 * DAY, 300), (70 * DAY, HOUR)])
def test_a_span_is_widened_to_what_cloudwatch_keeps(ago: int, grain: int) -> None:
    span = Span(NOW - ago + 7, NOW - ago + 8).aligned(NOW)
    assert span.start % grain == span.end % grain == 0
    assert span.start <= NOW - ago + 7 < NOW - ago + 8 <= span.end
    assert span.seconds == grain
    assert span.aligned(NOW) == span


# Figures


def test_one_period_is_exact() -> None:
    only = latency(7)
    assert merge([Latency(), only]) is only
    assert merge([]) == Latency()


def test_periods_of_the_same_shape_come_to_that_shape() -> None:
    both = merge([latency(100), latency(300)])
    assert both.count == 400
    for quantile in QUANTILES:
        assert both.quantiles[quantile] == pytest.approx(latency(1).quantiles[quantile], rel=0.02)


def test_a_busy_period_counts_for_more() -> None:
    fast, slow = latency(9_000, 1, 1.1, 1.2, 1.3), latency(1_000, 100, 110, 120, 130)
    both = merge([fast, slow])
    assert both.quantiles[0.5] == pytest.approx(1, rel=0.2)
    assert both.quantiles[0.99] == pytest.approx(110, rel=0.02)
    assert (both.shortest, both.longest) == (0.5, 260)


@pytest.mark.parametrize(
    ("within", "outside", "share", "kept"),
    [(0, 0, None, True), (999, 1, 0.999, True), (998, 2, 0.998, False), (5, 0, 1.0, True)],
)
def test_the_share_is_of_what_was_counted(within: int, outside: int, share: float | None, kept: bool) -> None:
    figures = Figures(within=within, outside=outside)
    assert (figures.share, figures.keeps_sla) == (share, kept)


# The page

ROUTE = ("east", "west", "<rule> & co")
CURVE = [CurvePoint(NOW - DAY, latency(10), 10, 0), CurvePoint(NOW - HOUR, latency(5), 4, 1)]
TOTAL = Figures(15, 1500, 14, 2, 1400, 200, 1, 1, latency(15))
REPORT = Report(
    "stack",
    "us-east-1",
    DAYS,
    NOW,
    15,
    900,
    TOTAL,
    {ROUTE: TOTAL},
    CURVE,
    [ReasonCount(ROUTE, "failed", "DstPutObjectNotPermitted", 1), ReasonCount(ROUTE, "missed", "Throttled", 1)],
)


class Reader(html.parser.HTMLParser):
    """Reads a page: its texts, its links to elsewhere, and whether every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.elsewhere: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elsewhere += [value or "" for name, value in attrs if name in {"src", "href", "xlink:href"}]
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elsewhere += [value or "" for name, value in attrs if name in {"src", "href", "xlink:href"}]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_needs_nothing_from_elsewhere() -> None:
    text = html_page(REPORT)
    assert Reader(text).elsewhere == []
    assert "<script" not in text
    assert not re.search(r"url\(|@import|https?://", text)


def test_the_page_is_well_formed_and_escapes_what_people_named() -> None:
    reader = Reader(html_page(REPORT))
    assert reader.open == []
    assert "<rule> & co" in reader.texts


def test_the_page_says_what_was_counted_and_why() -> None:
    texts = Reader(html_page(REPORT)).texts
    for text in ("87.5 %", "14 of 16", "15", "1.5 kB", "DstPutObjectNotPermitted", "Throttled", "missed", "failed"):
        assert text in texts, text
    assert any(text.startswith("Not met: 87.5 %") for text in texts)
    assert any("s3:PutObject" in text for text in texts)


def test_a_good_month_is_said_to_be_one() -> None:
    good = replace(REPORT, total=Figures(10, 10, 10, latency=latency(10)), reasons=[])
    texts = Reader(html_page(good)).texts
    assert any(text.startswith("Met: 100 %") for text in texts)
    assert "None." in texts


def test_where_nothing_happened_nothing_is_claimed() -> None:
    empty = replace(REPORT, total=Figures(), by_rule={}, curve=[], reasons=[])
    texts = Reader(html_page(empty)).texts
    assert any(text.startswith("No data") for text in texts)
    assert "No rule replicated anything." in texts
    assert not any("100 %" in text for text in texts)


@pytest.mark.parametrize("curve", [CURVE, CURVE[:1], [CurvePoint(NOW - HOUR, Latency(), 0, 3)]])
def test_every_point_of_the_curves_lies_within_its_picture(curve: list[CurvePoint]) -> None:
    text = html_page(replace(REPORT, curve=curve))
    positions = re.findall(r'(?:cx|x)="([-\d.]+)"|(?:cy|y)="([-\d.]+)"', text)
    assert positions
    assert all(0 <= float(x or y) <= 960 for x, y in positions)
    assert all(0 <= float(y) <= 280 for _, y in positions if y)
    assert "nan" not in text


def test_a_last_period_that_is_cut_off_is_drawn_within_the_chart() -> None:
    text = html_page(replace(REPORT, curve=[*CURVE, CurvePoint(NOW - 60, latency(3), 3, 0)]))
    right = WIDTH - RIGHT
    assert max(map(float, re.findall(r'cx="([\d.]+)"', text))) <= right
    bars = re.findall(r'<rect class="\w+" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', text)
    assert len(bars) == 3
    assert max(float(x) + float(width) for x, width in bars) <= right + 1.5
