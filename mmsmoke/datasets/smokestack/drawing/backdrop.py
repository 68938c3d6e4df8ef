"""Draw sky, clouds, fog, hills and ground."""

import numpy as np

from .canvas import EVERYWHERE, Canvas, Shape
from .colors import as_array, gradient
from .dice import generator
from .elements import Bank, CloudLayer, Ground, Ridge, Sky
from .textures import Noise, lerp, smoothstep


def draw_sky(canvas: Canvas, sky: Sky) -> None:
    canvas.pixels[:] = gradient(sky.zenith, sky.horizon, smoothstep(canvas.y * 1.25))
    dx = (canvas.x - sky.glow_x) / sky.glow_radius
    dy = (canvas.y - sky.glow_y) / sky.glow_radius
    halo = 1 / (1 + 6 * (dx * dx + dy * dy))
    canvas.paint(EVERYWHERE, as_array(sky.glow), halo * 0.8)


def draw_cloud_layer(canvas: Canvas, cloud: CloudLayer, sky: Sky, horizon: float) -> None:
    window = canvas.window(-1, -1, 2, horizon)
    x, y = canvas.grid(window)
    noise = Noise(cloud.seed)
    depth = 1 / (1.15 * horizon - y)
    u = (x - 0.5) * depth * cloud.frequency + depth * cloud.shear + cloud.drift
    v = depth * (1.6 * cloud.frequency)
    density = noise(u, v)
    alpha = smoothstep((density - (1 - cloud.cover)) / cloud.softness)
    toward = np.array(sky.light, np.float32) * 0.22
    light = np.clip(noise.lighting(u, v, density, toward), 0, 1)
    canvas.paint(window, gradient(cloud.shade, cloud.lit, light), alpha * cloud.opacity)


def draw_bank(canvas: Canvas, bank: Bank, sky: Sky) -> Shape:
    """Paint a bank and give what it covers."""
    half_width = 1.3 * bank.length
    half_height = 1.3 * bank.height + 1.3 * abs(bank.slope) * bank.length
    window = canvas.window(
        bank.x - half_width, bank.y - half_height, bank.x + half_width, bank.y + half_height
    )
    x, y = canvas.grid(window)
    noise = Noise(bank.seed, billowy=True)
    dx = x - bank.x
    dy = y - bank.y - bank.slope * dx
    u, v = dx / (1.2 * bank.height), dy / bank.height
    lumps = noise(u, v)
    along = dx / bank.length
    radius = along * along + v * v
    body = smoothstep((0.45 + 0.9 * lumps - radius) / bank.softness)
    alpha = body * smoothstep((1.6 - radius) * 2)
    alpha *= bank.opacity * (0.6 + 0.4 * lumps)
    toward = np.array(sky.light, np.float32) * 0.3
    light = np.clip(noise.lighting(u, v, lumps, toward) - 0.25 * v, 0, 1)
    canvas.paint(window, gradient(bank.shade, bank.lit, light), alpha)
    return window, alpha


def draw_ridge(canvas: Canvas, ridge: Ridge) -> None:
    table = generator(ridge.seed).random(256, np.float32)
    position = canvas.x * ridge.frequency
    height = np.zeros_like(position)
    for octave, amplitude in enumerate((0.65, 0.35) if ridge.steps else (0.6, 0.25, 0.15)):
        place = position * (1 << octave)
        low = place.astype(np.intp)
        share = 0 if ridge.steps else smoothstep(place - low)
        low += 61 * octave
        height += amplitude * lerp(table[low & 255], table[(low + 1) & 255], share)
    coverage = canvas.below(ridge.y - ridge.height * height, canvas.y)
    canvas.paint(EVERYWHERE, as_array(ridge.color), coverage)


def draw_ground(canvas: Canvas, ground: Ground) -> None:
    window = canvas.window(-1, ground.y, 2, 2)
    x, y = canvas.grid(window)
    down = np.maximum(y - ground.y, 0)
    depth = 1 / (down + 0.06)
    grain = Noise(ground.seed)((x - 0.5) * depth * 0.8, depth * 0.9)
    shading = 1 + ground.contrast * (grain - 0.5)
    nearness = smoothstep(down * (1 / max(1 - ground.y, 1e-3)))
    color = gradient(ground.far, ground.near, nearness) * shading
    canvas.paint(window, color, canvas.below(ground.y, y))
