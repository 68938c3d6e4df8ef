"""Make pixels of a layout, from far to near."""

import numpy as np

from .backdrop import draw_bank, draw_cloud_layer, draw_ground, draw_ridge, draw_sky
from .buildings import draw_building, draw_chimney, draw_tower
from .canvas import Canvas
from .colors import as_array
from .dice import generator
from .elements import Camera, Layout, Plume, Scene, Sky
from .plumes import draw_plume

OPACITY_CUT = 0.15
"""Smoke or steam is where the visible opacity exceeds this: about where plumes are outlined."""


def render(layout: Layout, size: int) -> Scene:
    """Draw `layout` with `size` x `size` pixels; the scene is the same at every size."""
    canvas = Canvas(size, layout.camera.shake)
    draw_sky(canvas, layout.sky)
    for cloud in layout.clouds:
        draw_cloud_layer(canvas, cloud, layout.sky, horizon=layout.ground.y)
    for bank in layout.banks:
        draw_bank(canvas, bank, layout.sky)
    for ridge in layout.ridges:
        draw_ridge(canvas, ridge)
    draw_ground(canvas, layout.ground)

    towers = canvas.blank(0)
    for tower in layout.towers:
        draw_tower(canvas, tower, layout.sky, towers)
    standing = canvas.blank(0)
    for chimney in layout.chimneys:
        draw_chimney(canvas, chimney, layout.sky, standing)

    clearness = _draw_plumes(canvas, layout.plumes, layout.sky)
    above = _draw_plumes(canvas, layout.steam, layout.sky)

    hidden = canvas.blank(0)
    for building in layout.buildings:
        draw_building(canvas, building, hidden)
    visible = 1 - hidden
    for bank in layout.fog:
        window, alpha = draw_bank(canvas, bank, layout.sky)
        visible[window] *= 1 - alpha

    opacity, steamy = (1 - clearness) * above * visible, (1 - above) * visible
    smoke = (opacity > OPACITY_CUT) & (opacity > steamy)
    steam = (steamy > OPACITY_CUT) & ~smoke
    chimney = standing * (1 - hidden) >= 0.5
    context = np.where(chimney, 1, 2 * (towers * (1 - hidden) >= 0.5))
    return Scene(
        image=_photograph(canvas, layout.camera),
        smoke=smoke.astype(np.uint8),
        context=np.where(smoke | steam, 0, context).astype(np.uint8),
        opacity=opacity,
        label=layout.label,
        steam=steam.astype(np.uint8),
    )


def _draw_plumes(canvas: Canvas, plumes: tuple[Plume, ...], sky: Sky) -> np.ndarray:
    """Paint plumes and return how clearly each pixel is seen through all of them."""
    clearness = canvas.blank(1)
    for plume in plumes:
        window, opacity = draw_plume(canvas, plume, sky)
        clearness[window] *= 1 - opacity
    return clearness


def _photograph(canvas: Canvas, camera: Camera) -> np.ndarray:
    dx, dy = canvas.x - 0.5, canvas.y - 0.5
    lens = 1 - camera.vignette * (dx * dx + dy * dy)
    draw = generator(camera.seed)
    shape = (4, canvas.size, canvas.size)
    bell = draw.integers(0, 256, shape, np.uint8).astype(np.float32)
    bell += draw.integers(0, 256, shape, np.uint8)
    bell -= 255
    grain = (bell[:3] * 0.5 + bell[3]) * (camera.noise / 128)
    exposed = canvas.pixels * (as_array(camera.gain) * lens) + grain
    developed = (np.clip(exposed, 0, 1) * 255 + 0.5).astype(np.uint8)
    return np.ascontiguousarray(developed.transpose(1, 2, 0))
