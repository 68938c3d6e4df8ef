"""Draw plumes: lumps of smoke around a bent centre line, in coordinates that follow it."""

from dataclasses import dataclass

import numpy as np

from .canvas import Canvas, Shape
from .colors import gradient
from .dice import generator
from .elements import Plume, Sky
from .textures import Noise, lerp, smoothstep

AXIS_SAMPLES = 48
SWAY_CELLS = 6
LUMPS_SEED = 0x5BD1E995  # makes the lumps differ from the curl, which has the plume's own seed
FADING = 0.6  # turns over which smoke begins and ends
WIDEST = 1.45  # radii from the axis to the outermost smoke, at most


@dataclass(frozen=True)
class _Axis:
    """Hold the centre line of a plume, sampled."""

    x: np.ndarray
    y: np.ndarray
    tangent_x: np.ndarray
    tangent_y: np.ndarray
    arc: np.ndarray
    radius: np.ndarray
    turns: np.ndarray  # arc length counted in local radii: eddies grow with the plume


def _axis(plume: Plume) -> _Axis:
    t = np.linspace(0, 1, AXIS_SAMPLES)
    knots = generator(plume.seed, 1).random(SWAY_CELLS + 2) - 0.5
    place = SWAY_CELLS * t
    low = place.astype(np.intp)
    sway = lerp(knots[low], knots[low + 1], smoothstep(place - low)) * plume.meander * t
    x = plume.x + plume.reach * t * t + sway
    y = plume.y - plume.rise * (2 * t - t * t) + 0.5 * sway
    dx, dy = np.gradient(x), np.gradient(y)
    step = np.sqrt(dx * dx + dy * dy) + 1e-9
    arc = np.concatenate([[0], np.cumsum((step[1:] + step[:-1]) / 2)])
    radius = plume.radius + plume.spread * arc
    turns = np.concatenate([[0], np.cumsum(np.diff(arc) / radius[1:])])
    samples = (x, y, dx / step, dy / step, arc, radius, turns)
    return _Axis(*(values.astype(np.float32) for values in samples))


def draw_plume(canvas: Canvas, plume: Plume, sky: Sky) -> Shape:
    """Paint a plume and give its opacity, exactly zero outside the smoke."""
    axis = _axis(plume)
    margin = WIDEST * axis.radius
    window = canvas.window(
        (axis.x - margin).min(),
        (axis.y - margin).min(),
        (axis.x + margin).max(),
        (axis.y + margin).max(),
    )
    x, y = canvas.grid(window)
    dx, dy = x[..., None] - axis.x, y[..., None] - axis.y
    nearest = (dx * dx + dy * dy).argmin(axis=2)

    dx, dy = x - axis.x.take(nearest), y - axis.y.take(nearest)
    tangent_x, tangent_y = axis.tangent_x.take(nearest), axis.tangent_y.take(nearest)
    radius = axis.radius.take(nearest)
    ahead = dx * tangent_x + dy * tangent_y
    u = axis.turns.take(nearest) + ahead / radius
    v = (dy * tangent_x - dx * tangent_y) / radius
    arc = axis.arc.take(nearest) + ahead
    t = np.clip(arc / axis.arc[-1], 0, 1)

    left_at = plume.now - u  # when what is here left the foot
    u = u - plume.now
    curl = Noise(plume.seed)
    lumps = Noise(plume.seed ^ LUMPS_SEED, billowy=True)
    warp = (curl(u * 0.5, v * 0.5) - 0.5) * 0.9
    lumps_u, lumps_v = u * plume.billow + warp, v * plume.billow - warp
    texture = lumps(lumps_u, lumps_v)
    gust = curl(u * 0.35, np.full_like(u, 3.5))

    edge = 0.6 + 0.3 * gust + 0.55 * texture
    distance = np.sqrt(dx * dx + dy * dy) / radius
    body = smoothstep((edge - distance) / (0.3 + 0.35 * t))
    onset = smoothstep(arc / plume.radius + 0.3)
    ragged_end = 1 - smoothstep((t + 0.3 * (0.5 - texture) - 0.5) / 0.35)
    thinned = ragged_end / (1 + plume.thinning * t)
    grain = 1 - (0.25 + 0.3 * t) * (1 - texture)
    begun = smoothstep((left_at - plume.begin) / FADING)
    ended = smoothstep((left_at - plume.end) / FADING)
    there = plume.strength * (begun * (1 - ended))
    opacity = np.maximum(there * body * onset * thinned * grain - 0.02, 0)

    light_x, light_y = sky.light
    toward_u = tangent_x * light_x + tangent_y * light_y
    toward_v = tangent_x * light_y - tangent_y * light_x
    light = lumps.lighting(lumps_u, lumps_v, texture, (toward_u * 0.3, toward_v * 0.3))
    light = np.clip(1.4 * light - 0.2 + 0.3 * v * toward_v, 0, 1)
    canvas.paint(window, gradient(plume.shade, plume.lit, light), opacity)
    return window, opacity
