"""Decide by chance about light, sky, clouds, fog, hills and ground."""

from dataclasses import dataclass

from .colors import mix, scaled, tinted
from .dice import Dice
from .elements import Bank, CloudLayer, Color, Ground, Ridge, Sky


@dataclass(frozen=True)
class Weather:
    zenith: Color
    horizon: Color
    glow: Color
    ambient: Color


WEATHERS = (
    Weather((0.22, 0.45, 0.78), (0.70, 0.83, 0.93), (1.00, 0.98, 0.90), (1.00, 0.98, 0.94)),
    Weather((0.36, 0.56, 0.80), (0.84, 0.89, 0.92), (1.00, 0.97, 0.88), (1.00, 0.98, 0.94)),
    Weather((0.60, 0.69, 0.77), (0.87, 0.87, 0.83), (0.98, 0.95, 0.86), (0.92, 0.90, 0.86)),
    Weather((0.50, 0.53, 0.57), (0.74, 0.76, 0.77), (0.84, 0.84, 0.84), (0.78, 0.79, 0.81)),
    Weather((0.28, 0.32, 0.38), (0.58, 0.60, 0.61), (0.70, 0.70, 0.68), (0.66, 0.68, 0.72)),
    Weather((0.66, 0.62, 0.52), (0.85, 0.79, 0.65), (0.98, 0.90, 0.70), (0.90, 0.84, 0.72)),
    Weather((0.40, 0.52, 0.70), (0.97, 0.84, 0.62), (1.00, 0.93, 0.70), (1.00, 0.90, 0.74)),
    Weather((0.27, 0.31, 0.53), (0.96, 0.60, 0.36), (1.00, 0.80, 0.45), (0.82, 0.66, 0.58)),
    Weather((0.12, 0.15, 0.30), (0.50, 0.41, 0.50), (0.86, 0.55, 0.45), (0.52, 0.50, 0.60)),
)

GROUNDS = (
    (0.42, 0.46, 0.27),
    (0.50, 0.46, 0.36),
    (0.40, 0.40, 0.40),
    (0.58, 0.53, 0.40),
    (0.28, 0.34, 0.24),
)
SKYLINE = (0.34, 0.35, 0.38)


@dataclass(frozen=True)
class Surroundings:
    """Hold what every element of a scene has to fit."""

    sky: Sky
    ambient: Color  # of the light that falls on everything
    horizon: float


def sample_sky(dice: Dice) -> tuple[Sky, Color]:
    """Return a sky and its ambient light."""
    weather = dice.choice(WEATHERS)
    side, slant = dice.side(), dice.between(0.35, 0.9)
    norm = (slant * slant + 1) ** 0.5
    sky = Sky(
        zenith=dice.near(weather.zenith, 0.05),
        horizon=dice.near(weather.horizon, 0.05),
        glow=weather.glow,
        glow_x=0.5 + side * dice.between(0.05, 0.6),
        glow_y=dice.between(0.05, 0.7),
        glow_radius=dice.between(0.35, 0.9),
        light=(side * slant / norm, -1 / norm),
    )
    return sky, dice.near(weather.ambient, 0.04)


def sample_cloud_layer(dice: Dice, around: Surroundings) -> CloudLayer:
    lit, shade = _cloud_colors(dice, around)
    return CloudLayer(
        seed=dice.seed(),
        cover=dice.between(0.3, 0.75),
        softness=dice.between(0.2, 0.6),
        opacity=dice.between(0.35, 0.95),
        frequency=dice.between(0.5, 1.5),
        shear=dice.between(-1.2, 1.2),
        lit=lit,
        shade=shade,
    )


def _cloud_colors(dice: Dice, around: Surroundings) -> tuple[Color, Color]:
    sky, ambient = around.sky, around.ambient
    brightness = dice.between(0.55, 1.1) if dice.chance(0.6) else dice.between(0.3, 0.7)
    lit = mix(scaled(mix(ambient, sky.glow, 0.4), brightness), sky.horizon, 0.15)
    shade = mix(scaled(ambient, brightness * dice.between(0.45, 0.75)), sky.zenith, 0.3)
    return lit, shade


def sample_cloud_bank(dice: Dice, around: Surroundings) -> Bank:
    lit, shade = _cloud_colors(dice, around)
    height = dice.between(0.035, 0.12)
    return Bank(
        seed=dice.seed(),
        x=dice.between(0, 1),
        y=dice.between(0.05, 0.85) * around.horizon,
        length=height * dice.between(1.6, 4.5),
        height=height,
        slope=dice.between(-0.22, 0.22),
        opacity=dice.between(0.3, 0.75),
        softness=dice.between(0.35, 0.9),
        lit=lit,
        shade=shade,
    )


def sample_fog(dice: Dice, around: Surroundings) -> Bank:
    brightness, haze = dice.between(0.6, 1), dice.between(0.2, 0.8)
    pale = mix(scaled(around.ambient, brightness), around.sky.horizon, haze)
    return Bank(
        seed=dice.seed(),
        x=dice.between(0, 1),
        y=around.horizon + dice.between(-0.06, 0.12),
        length=dice.between(0.25, 0.7),
        height=dice.between(0.03, 0.08),
        slope=dice.between(-0.06, 0.06),
        opacity=dice.between(0.25, 0.7),
        softness=dice.between(0.6, 1.3),
        lit=pale,
        shade=scaled(pale, 0.85),
    )


def sample_ridges(dice: Dice, around: Surroundings) -> tuple[Ridge, ...]:
    """Return none to two rows of hills and a skyline before them."""
    earth = tinted(dice.choice(GROUNDS), around.ambient)
    haze, foot = around.sky.horizon, around.horizon + 0.01
    hills = [
        Ridge(
            seed=dice.seed(),
            y=foot,
            height=dice.between(0.02, 0.16) * (1 - 0.3 * row),
            frequency=dice.between(1.5, 4.5),
            steps=False,
            color=mix(haze, scaled(earth, 0.7), 0.35 + 0.25 * row),
        )
        for row in range(dice.count(0, 2))
    ]
    skyline = Ridge(
        seed=dice.seed(),
        y=foot,
        height=dice.between(0.03, 0.10),
        frequency=dice.between(9, 22),
        steps=dice.chance(0.65),
        color=mix(haze, tinted(SKYLINE, around.ambient), dice.between(0.5, 0.85)),
    )
    return (*hills, skyline)


def sample_ground(dice: Dice, around: Surroundings) -> Ground:
    near = tinted(dice.near(dice.choice(GROUNDS), 0.06), around.ambient)
    return Ground(
        seed=dice.seed(),
        y=around.horizon,
        near=near,
        far=mix(near, around.sky.horizon, dice.between(0.15, 0.4)),
        contrast=dice.between(0.2, 0.7),
    )
