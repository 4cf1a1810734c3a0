"""A plot of times over the number of datasets, both logarithmic, as an SVG that needs nothing else."""

import math
from collections.abc import Iterable, Mapping
from html import escape

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 40, 50
# Told apart also without colours, by their order at the right edge.
COLOURS = ("#0969da", "#cf222e", "#9a6700", "#6e7781")

Series = Mapping[int, float]


def plot(title: str, series: Mapping[str, Series]) -> str:
    """An SVG of each series' seconds over its number of datasets."""
    numbers = sorted({number for points in series.values() for number in points})
    seconds = [value for points in series.values() for value in points.values()]
    least, most = math.floor(math.log10(min(seconds))), math.ceil(math.log10(max(seconds)))
    first, last = math.log10(numbers[0]), math.log10(numbers[-1])

    def x(number: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(number) - first) / (last - first)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (math.log10(value) - least) / (most - least)

    font = 'font-family="system-ui, sans-serif" font-size="13"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" {font} fill="#57606a">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(LEFT, 22, title, "start", "#1f2328"),
        *(_line([(x(number), TOP), (x(number), HEIGHT - BOTTOM)], "#eaeef2") for number in numbers),
        *(_text(x(number), HEIGHT - BOTTOM + 20, f"{number:,}", "middle") for number in numbers),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "datasets", "middle"),
    ]
    for exponent in range(least, most + 1):
        height = y(10**exponent)
        parts.append(_line([(LEFT, height), (WIDTH - RIGHT, height)], "#eaeef2"))
        parts.append(_text(LEFT - 8, height + 4, f"{10**exponent:g} s", "end"))
    for (name, points), colour in zip(series.items(), COLOURS, strict=False):
        places = [(x(number), y(value)) for number, value in sorted(points.items())]
        parts.append(_line(places, colour, width=2.5))
        parts += [f'<circle cx="{left:.1f}" cy="{top:.1f}" r="4" fill="{colour}"/>' for left, top in places]
        left, top = places[-1]
        parts.append(_text(left + 10, top + 4, name, "start", colour))
    return "\n".join([*parts, "</svg>", ""])


def _line(points: Iterable[tuple[float, float]], colour: str, *, width: float = 1) -> str:
    path = " ".join(f"{left:.1f},{top:.1f}" for left, top in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def _text(left: float, top: float, text: str, anchor: str, colour: str = "#57606a") -> str:
    return f'<text x="{left:.1f}" y="{top:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
