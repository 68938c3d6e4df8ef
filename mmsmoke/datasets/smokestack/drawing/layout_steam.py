"""Decide by chance about cooling towers and the steam that rises from them."""

from dataclasses import replace

from .colors import mix, scaled, tinted
from .dice import Dice
from .elements import Layout, Plume, Tower
from .layout_backdrop import Surroundings

CONCRETE = (0.72, 0.70, 0.66)
WHITE = (0.98, 0.98, 0.99)


def with_towers(
    layout: Layout, entropy: tuple[int, ...], around: Surroundings, steams: bool
) -> Layout:
    """Return a layout with cooling towers and, if asked for, steam; all else stays as it is.

    Towers and steam have dice of their own, ``(*entropy, 11)`` and ``(*entropy, 12)``, but share
    the wind of smoke that rises from chimneys: the first that ``(*entropy, 9)`` decides.
    """
    tower, steam, smoke = (Dice(*entropy, element) for element in (11, 12, 9))
    wind = smoke.side() * smoke.between(0.05, 0.95)
    towers = _towers(tower, around)
    plumes = tuple(_steam(steam, one, around, wind) for one in towers) if steams else ()
    return replace(layout, towers=towers, steam=plumes)


def _towers(dice: Dice, around: Surroundings) -> tuple[Tower, ...]:
    count, width = dice.choice((1, 1, 2)), dice.between(0.12, 0.2)
    left, top = dice.between(0.1, 0.9 - 1.3 * width * (count - 1)), dice.between(0.36, 0.54)
    base = around.horizon + dice.between(0.01, 0.04)
    color = tinted(dice.near(CONCRETE, 0.06), around.ambient)
    color = mix(color, around.sky.horizon, dice.between(0.05, 0.3))
    return tuple(
        Tower(
            x=left + 1.3 * width * place,
            top=top + dice.between(-0.01, 0.01),
            base=base,
            width_top=0.66 * width,
            width_waist=0.6 * width,
            width_base=width,
            waist=0.28,
            color=color,
        )
        for place in range(count)
    )


def _steam(dice: Dice, tower: Tower, around: Surroundings, wind: float) -> Plume:
    """Return the steam of a tower: white, broad from the start, soon gone."""
    lit = tinted(dice.near(WHITE, 0.02), around.ambient)
    return Plume(
        seed=dice.seed(),
        x=tower.x,
        y=tower.top + 0.01,
        radius=0.42 * tower.width_top,
        rise=dice.between(0.16, 0.36),
        reach=wind * dice.between(0.2, 0.5),
        spread=dice.between(0.12, 0.26),
        meander=dice.between(0.0, 0.08),
        strength=dice.between(0.7, 0.95),
        thinning=dice.between(0.6, 1.4),
        billow=dice.between(0.8, 1.3),
        lit=mix(lit, around.sky.glow, 0.1),
        shade=scaled(lit, dice.between(0.7, 0.85)),
    )
