"""A line chart with two logarithmic axes, or two linear ones, as SVG. Written by hand, so that it needs no library.

Colours are readable on white and on dark pages. Each line has its name at its end, and its ideal as a dashed line.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

Point = tuple[float, float]
WIDTH, HEIGHT = 760, 460
LEFT, RIGHT, TOP, BOTTOM = 64, 110, 44, 56
COLOURS = ("#2a78c2", "#c2571a", "#2f9e5b", "#8b5cc2", "#b03a5b")
GREY = "#888888"


@dataclass(frozen=True, slots=True)
class Line:
    """One curve, its ideal, and the point to mark with a dot."""

    name: str
    points: Sequence[Point]
    ideal: Sequence[Point]
    dot: Point


@dataclass(slots=True)
class Chart:
    """Several curves. `marks`: values of the vertical axis to draw a line at, with labels. `dots`: what they mean."""

    title: str
    across: str
    up: str
    marks: Mapping[float, str] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    dots: str = "more functions stop helping"
    is_linear: bool = False

    def add(self, line: Line) -> None:
        """Add a curve."""
        self.lines.append(line)

    def svg(self) -> str:
        """Return the chart as an SVG document."""
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
                f'font-size="12" role="img" aria-label="{escape(self.title)}">',
                f'<text x="{LEFT}" y="24" font-size="15" fill="{GREY}">{escape(self.title)}</text>',
                *self._axes(),
                *self._marks(),
                *(shape for number, line in enumerate(self.lines) for shape in self._line(line, COLOURS[number])),
                *self._legend(),
                "</svg>\n",
            ]
        )

    def _range(self, axis: int) -> tuple[float, float]:
        values = [point[axis] for line in self.lines for point in (*line.points, *line.ideal)]
        if self.is_linear:
            return 0.0, _round_up(max(values))
        return 10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values)))

    def _at(self, point: Point) -> tuple[float, float]:
        (left, right), (low, high) = self._range(0), self._range(1)
        across, up = self._share(point[0], left, right), self._share(point[1], low, high)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    def _share(self, value: float, low: float, high: float) -> float:
        if self.is_linear:
            return (value - low) / (high - low)
        return math.log10(value / low) / math.log10(high / low)

    def _ticks(self, low: float, high: float) -> Iterator[float]:
        if self.is_linear:
            return (high * tick / 5 for tick in range(6))
        return _decades(low, high)

    def _axes(self) -> Iterator[str]:
        (left, right), (low, high) = self._range(0), self._range(1)
        for x in self._ticks(left, right):
            (x0, y0), (_, y1) = self._at((x, low)), self._at((x, high))
            yield _segment((x0, y0), (x0, y1), GREY, 'stroke-opacity="0.25"')
            yield _text(x0, y0 + 18, f"{x:g}", "middle")
        for y in self._ticks(low, high):
            (x0, y0), (x1, _) = self._at((left, y)), self._at((right, y))
            yield _segment((x0, y0), (x1, y0), GREY, 'stroke-opacity="0.25"')
            yield _text(x0 - 8, y0 + 4, f"{y:,.0f}" if y >= 1 else f"{y:g}", "end")
        yield _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, self.across, "middle")
        yield _text(LEFT - 8, TOP - 12, self.up, "end")

    def _marks(self) -> Iterator[str]:
        left, right = self._range(0)
        for height, name in self.marks.items():
            start, end = self._at((left, height)), self._at((right, height))
            yield _segment(start, end, "#cc3333", 'stroke-dasharray="2 4"')
            yield _text(start[0] + 6, start[1] - 5, name, "start", "#cc3333")

    def _line(self, line: Line, colour: str) -> Iterator[str]:
        yield self._curve(line.ideal, colour, 'stroke-width="1" stroke-dasharray="5 4"')
        yield self._curve(line.points, colour, 'stroke-width="2.2"')
        x, y = self._at(line.dot)
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>'
        x, y = self._at(line.points[-1])
        yield _text(x + 8, y + 4, line.name, "start", colour)

    def _curve(self, points: Sequence[Point], colour: str, style: str) -> str:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(self._at, points))
        return f'<polyline points="{path}" fill="none" stroke="{colour}" {style}/>'

    def _legend(self) -> Iterator[str]:
        y = HEIGHT - BOTTOM - 12
        yield _segment((LEFT + 14, y), (LEFT + 44, y), GREY, 'stroke-dasharray="5 4"')
        yield _text(LEFT + 50, y + 4, "ideal", "start")
        yield f'<circle cx="{LEFT + 104}" cy="{y}" r="5" fill="{GREY}"/>'
        yield _text(LEFT + 114, y + 4, self.dots, "start")


def _round_up(value: float) -> float:
    """Return the next number that five steps divide well."""
    step = float(10 ** math.floor(math.log10(value)))
    return next(step * factor for factor in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * factor >= value)


def _decades(low: float, high: float) -> Iterator[float]:
    value = low
    while value <= high * 1.0001:
        yield value
        value *= 10


def _segment(start: Point, end: Point, colour: str, style: str) -> str:
    (x0, y0), (x1, y1) = start, end
    return f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="{colour}" {style}/>'


def _text(x: float, y: float, text: str, anchor: str, colour: str = GREY) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
