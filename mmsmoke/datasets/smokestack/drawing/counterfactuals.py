"""Lay out one scene with and without its smoke, with and without its chimneys: exact pairs."""

from dataclasses import replace

from .elements import Building, Chimney, Layout, Plume, Scene
from .render import render

KINDS = ('both', 'smoke', 'chimney', 'neither', 'moved')
"""What is left of a smoking chimney; ``moved``: all of it, but the smoke rises elsewhere."""
LEAST_SMOKE, LEAST_CHIMNEY, MOST_COVERED = 0.01, 0.003, 0.1


def counterfactuals(layout: Layout) -> dict[str, Layout]:
    """Return layouts by kind; nothing differs between them but the plumes and the chimneys.

    Args:
        layout: with plumes and chimneys.
    """
    return dict(
        both=layout,
        smoke=replace(layout, chimneys=()),
        chimney=replace(layout, plumes=()),
        neither=replace(layout, chimneys=(), plumes=()),
        moved=replace(layout, plumes=_moved(layout)),
    )


def _moved(layout: Layout) -> tuple[Plume, ...]:
    """Return the plumes from behind buildings, in the wind or against it, clear of all chimneys."""
    inside = [one for one in layout.buildings if 0.08 < one.x < 0.92] or layout.buildings

    def from_behind(building: Building, plume: Plume) -> Plume:
        return replace(plume, x=building.x, y=building.top + building.roof_height + 0.03)

    def best(plumes: list[Plume]) -> list[Plume]:
        found = []
        for plume in plumes:
            places = [from_behind(building, plume) for building in inside]
            ranked = sorted(places, key=lambda one: _clearance(one, layout.chimneys), reverse=True)
            found.append(ranked[min(len(found), len(ranked) - 1)])  # each behind another building
        return found

    against = [replace(plume, reach=-plume.reach) for plume in layout.plumes]
    choices = [best(list(layout.plumes)), best(against)]
    return tuple(max(choices, key=lambda one: sum(_clearance(p, layout.chimneys) for p in one)))


def _clearance(plume: Plume, chimneys: tuple[Chimney, ...]) -> float:
    """Return how far a plume keeps from all chimneys, less what is blown out of the picture."""
    left, right = sorted((plume.x, plume.x + plume.reach))
    gap = min(max(left - one.x, one.x - right, 0.0) for one in chimneys)
    foot = min(abs(plume.x - one.x) for one in chimneys)
    return min(gap, 0.2) + 0.1 * foot - max(-left, 0.0) - max(right - 1, 0.0)


def is_telling(kinds: dict[str, Layout]) -> bool:
    """Return whether smoke and chimneys can be seen wherever they should be."""
    both = _look(kinds['both'])
    if both.smoke.mean() < LEAST_SMOKE or both.context.mean() < LEAST_CHIMNEY:
        return False
    moved, chimneys = _look(kinds['moved']), _look(kinds['chimney']).context > 0
    return bool(moved.smoke.mean() > LEAST_SMOKE and moved.smoke[chimneys].mean() < MOST_COVERED)


def _look(layout: Layout) -> Scene:
    """Take a quick look at smoke and chimneys, without what is behind them."""
    return render(replace(layout, clouds=(), banks=(), ridges=()), 32)
