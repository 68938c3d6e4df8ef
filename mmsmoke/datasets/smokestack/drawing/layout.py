"""Decide by chance what stands where; the rest of the scene is in `layout_backdrop`."""

from typing import NamedTuple

from .colors import luma, mix, scaled, tinted
from .dice import Dice
from .elements import Building, Camera, Chimney, Color, Layout, Plume
from .layout_backdrop import (
    Surroundings,
    sample_cloud_bank,
    sample_cloud_layer,
    sample_fog,
    sample_ground,
    sample_ridges,
    sample_sky,
)
from .layout_steam import with_towers

SMOKE_COLORS = (
    (0.99, 0.99, 0.99),
    (0.86, 0.86, 0.87),
    (0.62, 0.62, 0.64),
    (0.36, 0.35, 0.36),
    (0.14, 0.13, 0.14),
    (0.58, 0.47, 0.34),
)

WALLS = (
    (0.55, 0.36, 0.29),
    (0.70, 0.68, 0.64),
    (0.50, 0.52, 0.55),
    (0.78, 0.72, 0.60),
    (0.36, 0.40, 0.46),
    (0.60, 0.47, 0.38),
)

RED, WHITE = (0.80, 0.14, 0.10), (0.96, 0.95, 0.92)
PLAIN_CHIMNEYS = ((0.58, 0.24, 0.16), (0.80, 0.79, 0.76), (0.34, 0.35, 0.38), (0.70, 0.40, 0.28))
CHIMNEY_DISTANCE = 0.17


class Source(NamedTuple):
    """Hold where smoke may rise from."""

    x: float
    y: float
    radius: float


def sample_layout(
    entropy: tuple[int, ...],
    smokes: bool,
    has_chimney: bool,
    steams: bool = False,
    has_tower: bool = False,
) -> Layout:
    """Return the layout that `entropy` decides, with smoke and chimneys if they are asked for.

    Steam rises from cooling towers alone.

    Each element has dice of its own, ``(*entropy, 1)`` to ``(*entropy, 10)``, so that asking for
    chimneys or smoke changes no other element. ``(*entropy, 0)`` is left to the caller.
    """
    elements = (Dice(*entropy, element) for element in range(1, 11))
    sky, land, cloud, bank, ridge, ground, building, chimney, plume, camera = elements
    around = Surroundings(*sample_sky(sky), horizon=land.between(0.66, 0.8))
    below = sorted(building.between(0.03, 0.16) for _ in range(building.count(2, 5)))
    buildings = tuple(_building(building, around, around.horizon + one) for one in below)
    chimneys = _chimneys(chimney, around) if has_chimney else ()
    plumes = ()
    if smokes:
        tops = [Source(one.x, one.top, 0.55 * one.width_top) for one in chimneys]
        plumes = _plumes(plume, around, tops or _hidden_sources(plume, buildings))
    foggy = bank.chance(0.5)
    layout = Layout(
        sky=around.sky,
        clouds=tuple(sample_cloud_layer(cloud, around) for _ in range(cloud.count(0, 2))),
        banks=tuple(sample_cloud_bank(bank, around) for _ in range(bank.count(1, 3))),
        ridges=sample_ridges(ridge, around),
        ground=sample_ground(ground, around),
        chimneys=chimneys,
        plumes=plumes,
        buildings=buildings,
        fog=(sample_fog(bank, around),) if foggy else (),
        camera=_camera(camera),
    )
    return with_towers(layout, entropy, around, steams) if has_tower else layout


def _building(dice: Dice, around: Surroundings, base: float) -> Building:
    distance = min(max(1 - (base - 0.66) * 3, 0), 1)
    wall = tinted(dice.near(dice.choice(WALLS), 0.07), around.ambient)
    wall = mix(scaled(wall, dice.between(0.7, 1.05)), around.sky.horizon, 0.3 * distance)
    width, height = dice.between(0.13, 0.38), dice.between(0.08, 0.22)
    roof = dice.choice(('flat', 'flat', 'gable', 'saw'))
    roof_height = dice.between(0.012, 0.03) if roof == 'flat' else dice.between(0.03, 0.055)
    is_dark = luma(around.ambient) < 0.7
    return Building(
        seed=dice.seed(),
        x=dice.between(0, 1),
        width=width,
        top=base - height - roof_height,
        base=base,
        roof=roof,
        roof_height=roof_height,
        wall=wall,
        roofing=scaled(wall, dice.between(0.45, 0.8)),
        glass=mix(scaled(wall, 0.4), around.sky.zenith, 0.25),
        lit_share=dice.between(0.1, 0.5) if is_dark else dice.between(0, 0.06),
        columns=max(int(width / dice.between(0.025, 0.06)), 2),
        floors=max(int(height / dice.between(0.04, 0.07)), 1),
    )


def _chimneys(dice: Dice, around: Surroundings) -> tuple[Chimney, ...]:
    count = dice.choice((1, 1, 2, 2, 3))
    left = dice.between(0.08, 0.92 - CHIMNEY_DISTANCE * (count - 1))
    striped, plain = dice.chance(0.65), dice.choice(PLAIN_CHIMNEYS)
    return tuple(
        _chimney(dice, around, left + place * CHIMNEY_DISTANCE, striped, plain)
        for place in range(count)
    )


def _chimney(dice: Dice, around: Surroundings, x: float, striped: bool, plain: Color) -> Chimney:
    width = dice.between(0.036, 0.075)
    top = dice.between(0.22, 0.5)
    bands = dice.count(3, 6) if striped else dice.choice((0, 0, 0, 1))
    base = around.horizon + dice.between(0.02, 0.06)
    if bands == 1:
        bands_down_to = top + dice.between(0.08, 0.16)
    else:
        bands_down_to = top + (base - top) * dice.between(0.5, 1)
    return Chimney(
        x=x + dice.between(-0.03, 0.03),
        top=top,
        base=base,
        width_top=width,
        width_base=width * dice.between(1.05, 1.6),
        color=tinted(dice.near(WHITE if striped else plain, 0.04), around.ambient),
        band=tinted(dice.near(RED if striped else WHITE, 0.03), around.ambient),
        bands=bands,
        bands_down_to=bands_down_to,
    )


def _hidden_sources(dice: Dice, buildings: tuple[Building, ...]) -> list[Source]:
    """Return where smoke may rise from behind a building, wide enough to hide its foot."""
    inside = [one for one in buildings if 0.08 < one.x < 0.92] or buildings
    picked = [dice.choice(inside) for _ in range(dice.choice((1, 1, 2)))]
    return [
        Source(
            x=one.x + dice.between(-0.2, 0.2) * one.width,
            y=one.top + one.roof_height + dice.between(0.02, 0.05),
            radius=dice.between(0.018, 0.04),
        )
        for one in picked
    ]


def _plumes(dice: Dice, around: Surroundings, sources: list[Source]) -> tuple[Plume, ...]:
    """Return plumes from some of the sources: at least one, all in the same wind."""
    wind = dice.side() * dice.between(0.05, 0.95)
    lit, shade = _smoke_colors(dice, around)
    always = dice.count(0, len(sources) - 1)
    return tuple(
        _plume(dice, source, wind, lit, shade)
        for number, source in enumerate(sources)
        if dice.chance(0.6) or number == always
    )


def _smoke_colors(dice: Dice, around: Surroundings) -> tuple[Color, Color]:
    """Choose a smoke that stands out from the sky in some channel, lit and in its own shade."""
    behind = mix(around.sky.zenith, around.sky.horizon, 0.5)

    def contrast(color: Color) -> float:
        seen = scaled(tinted(color, around.ambient), 0.8)
        return max(abs(a - b) for a, b in zip(seen, behind, strict=True))

    visible = [color for color in SMOKE_COLORS if contrast(color) > 0.17]
    white = [color for color in visible if min(color) > 0.8]
    pool = white if white and dice.chance(0.5) else visible
    lit = tinted(dice.near(dice.choice(pool), 0.04), around.ambient)
    lit = mix(lit, around.sky.glow, 0.12 * luma(lit))
    return lit, scaled(lit, dice.between(0.42, 0.68))


def _plume(dice: Dice, source: Source, wind: float, lit: Color, shade: Color) -> Plume:
    calm = 1 - abs(wind)
    top = dice.between(-0.1, 0.3)
    return Plume(
        seed=dice.seed(),
        x=source.x,
        y=source.y,
        radius=source.radius,
        rise=max(source.y - top, 0.1) * (0.5 + 0.6 * calm),
        reach=wind * dice.between(0.8, 1.4),
        spread=dice.between(0.27, 0.54),
        meander=dice.between(0.0, 0.16),
        strength=dice.between(0.72, 0.99),
        thinning=dice.between(0.1, 0.9),
        billow=dice.between(0.7, 1.2),
        lit=lit,
        shade=shade,
    )


def _camera(dice: Dice) -> Camera:
    exposure = dice.between(0.88, 1.16)
    return Camera(
        seed=dice.seed(),
        gain=tuple(exposure * dice.between(0.96, 1.04) for _ in range(3)),
        vignette=dice.between(0, 0.45),
        noise=dice.between(0.003, 0.010),
    )
