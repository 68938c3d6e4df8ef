"""Draw buildings, chimneys and cooling towers."""

from collections.abc import Iterator

import numpy as np

from .canvas import Canvas, Shape, Window, span
from .colors import as_array
from .dice import generator
from .elements import Building, Chimney, Sky, Tower
from .textures import lerp

LAMP = (0.98, 0.82, 0.48)
SAW_TEETH = 4
TOWER_STEPS = 12


def draw_building(canvas: Canvas, building: Building, hidden: np.ndarray) -> None:
    """Paint a building and add it to `hidden`, the share of each pixel behind buildings."""

    def fill(shape: Shape, color: np.ndarray) -> None:
        window, coverage = shape
        canvas.paint(window, color, coverage)
        hidden[window] += (1 - hidden[window]) * coverage

    for part in _roof(canvas, building):
        fill(part, as_array(building.roofing))
    sides = span(building.x, building.width)
    wall = canvas.trapezoid(_roofline(building), building.base, sides, sides)
    fill(wall, _facade(canvas, building, wall[0]))


def _roofline(building: Building) -> float:
    return building.top + building.roof_height


def _roof(canvas: Canvas, building: Building) -> Iterator[Shape]:
    left, right = span(building.x, building.width)
    roofline = _roofline(building)
    if building.roof == 'gable':
        ridge = (left + 0.2 * building.width, right - 0.2 * building.width)
        yield canvas.trapezoid(building.top, roofline, ridge, (left, right))
    elif building.roof == 'saw':
        tooth = building.width / SAW_TEETH
        for start in (left + tooth * step for step in range(SAW_TEETH)):
            yield canvas.trapezoid(building.top, roofline, (start, start), (start, start + tooth))
    else:
        hut = (left + 0.1 * building.width, left + 0.45 * building.width)
        yield canvas.trapezoid(building.top, roofline, hut, hut)


def _facade(canvas: Canvas, building: Building, window: Window) -> np.ndarray:
    """Return the colours of a wall with rows of panes, some of them lit."""
    x, y = canvas.grid(window)
    left, _ = span(building.x, building.width)
    roofline = _roofline(building)
    column_width = building.width / building.columns
    floor_height = (building.base - roofline) / building.floors
    panes = canvas.bands(x, left + 0.25 * column_width, column_width, 0.5) * canvas.bands(
        y, roofline + 0.3 * floor_height, floor_height, 0.45
    )
    column = np.clip((x - left) / column_width, 0, building.columns - 1)
    floor = np.clip((y - roofline) / floor_height, 0, building.floors - 1)
    draw = generator(building.seed).random((building.floors, building.columns), np.float32)
    is_lit = draw[floor.astype(np.intp), column.astype(np.intp)] < building.lit_share
    glass = np.where(is_lit, as_array(LAMP), as_array(building.glass))
    falloff = 1 - 0.25 * (y - roofline) / (building.base - roofline)
    return lerp(as_array(building.wall) * falloff, glass, panes)


def draw_chimney(canvas: Canvas, chimney: Chimney, sky: Sky, standing: np.ndarray) -> None:
    """Paint a chimney and add it to `standing`, the share of each pixel on a chimney."""
    upper, lower = span(chimney.x, chimney.width_top), span(chimney.x, chimney.width_base)
    shaft = canvas.trapezoid(chimney.top, chimney.base, upper, lower)
    overhang = 0.08 * chimney.width_top
    flare = (upper[0] - overhang, upper[1] + overhang)
    rim = canvas.trapezoid(chimney.top, chimney.top + 0.35 * chimney.width_top, flare, flare)
    for shape, color in (
        (shaft, _banded(canvas, chimney, shaft[0])),
        (rim, as_array(chimney.color) * 0.45),
    ):
        _paint_round(canvas, shape, color, chimney.x, chimney.width_base, sky, standing)


def draw_tower(canvas: Canvas, tower: Tower, sky: Sky, standing: np.ndarray) -> None:
    """Paint a cooling tower and add it to `standing`, the share of each pixel on a tower."""
    heights = np.linspace(0, 1, TOWER_STEPS + 1)
    below = np.clip((heights - tower.waist) / (1 - tower.waist), 0, 1)
    above = np.clip((tower.waist - heights) / tower.waist, 0, 1)
    widths = tower.width_waist + above**2 * (tower.width_top - tower.width_waist)
    widths = widths + below**1.5 * (tower.width_base - tower.width_waist)
    edges = tower.top + heights * (tower.base - tower.top)
    for step in range(TOWER_STEPS):
        upper, lower = (span(tower.x, widths[step + k]) for k in (0, 1))
        shape = canvas.trapezoid(edges[step], edges[step + 1], upper, lower)
        color = as_array(tower.color) * (0.6 if step == 0 else 1)  # the rim
        _paint_round(canvas, shape, color, tower.x, tower.width_base, sky, standing)


def _paint_round(
    canvas: Canvas,
    shape: Shape,
    color: np.ndarray,
    middle: float,
    width: float,
    sky: Sky,
    standing: np.ndarray,
) -> None:
    """Paint what is round and lit from one side, and add it to `standing`."""
    window, coverage = shape
    x, _ = canvas.grid(window)
    light_side = 1 if sky.light[0] > 0 else -1
    across = (x - middle) / width * (2 * light_side)
    canvas.paint(window, color * (0.86 + 0.26 * np.clip(across, -1, 1)), coverage)
    standing[window] = np.maximum(standing[window], coverage)


def _banded(canvas: Canvas, chimney: Chimney, window: Window) -> np.ndarray:
    color = as_array(chimney.color)
    if not chimney.bands:
        return color
    _, y = canvas.grid(window)
    period = (chimney.bands_down_to - chimney.top) / chimney.bands
    share = canvas.bands(y, chimney.top, period, 0.5) * (y < chimney.bands_down_to - 0.25 * period)
    return lerp(color, as_array(chimney.band), share)
