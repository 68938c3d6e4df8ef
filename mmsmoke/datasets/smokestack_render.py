"""Draw a Smokestack layout.

Everything is given in units of the image side, x to the right and y downwards. Only IEEE-exact
operations (no exp, pow, BLAS or image library) lie between a layout and its pixels, so that a
layout gives the same bytes on every machine. Every step after the plumes works pixel by pixel:
taking a plume away changes no pixel outside its opacity.
"""

from dataclasses import dataclass

import numpy as np

OPACITY_CUT = 0.15
"""Smoke is where the visible opacity exceeds this: about where a plume stops being outlined."""

Color = tuple[float, float, float]
Window = tuple[slice, slice]


@dataclass(frozen=True)
class Sky:
    zenith: Color
    horizon: Color
    glow: Color
    glow_x: float
    glow_y: float
    glow_radius: float
    light: tuple[float, float]  # unit vector towards the light, in the image plane


@dataclass(frozen=True)
class CloudLayer:
    seed: int
    cover: float
    softness: float
    opacity: float
    frequency: float
    shear: float
    lit: Color
    shade: Color


@dataclass(frozen=True)
class Bank:
    """A single cloud, a drifting haze or a fog bank."""

    seed: int
    x: float
    y: float
    length: float
    height: float
    slope: float
    opacity: float
    softness: float
    lit: Color
    shade: Color


@dataclass(frozen=True)
class Ridge:
    """A silhouette across the whole image: hills, or a far skyline when it has `steps`."""

    seed: int
    y: float
    height: float
    frequency: float
    steps: bool
    color: Color


@dataclass(frozen=True)
class Ground:
    seed: int
    y: float
    near: Color
    far: Color
    contrast: float


@dataclass(frozen=True)
class Building:
    seed: int
    x: float
    width: float
    top: float
    base: float
    roof: str  # flat, gable or saw
    roof_height: float
    wall: Color
    roofing: Color
    glass: Color
    lamp: Color
    lamps: float
    columns: int
    floors: int


@dataclass(frozen=True)
class Chimney:
    x: float
    top: float
    base: float
    width_top: float
    width_base: float
    color: Color
    band: Color
    bands: int
    bands_down_to: float
    light_side: float


@dataclass(frozen=True)
class Plume:
    """Smoke from (x, y), risen by `rise` and blown by `reach` at its far end."""

    seed: int
    x: float
    y: float
    radius: float
    rise: float
    reach: float
    spread: float
    meander: float
    strength: float
    thinning: float
    billow: float
    lit: Color
    shade: Color


@dataclass(frozen=True)
class Camera:
    seed: int
    gain: Color
    vignette: float
    noise: float


@dataclass(frozen=True)
class Layout:
    """What stands where, far to near. Replace a field to get an exact counterfactual."""

    sky: Sky
    clouds: tuple[CloudLayer, ...]
    banks: tuple[Bank, ...]
    ridges: tuple[Ridge, ...]
    ground: Ground
    chimneys: tuple[Chimney, ...]
    plumes: tuple[Plume, ...]
    buildings: tuple[Building, ...]
    fog: tuple[Bank, ...]
    camera: Camera

    @property
    def label(self) -> int:
        return int(bool(self.plumes))


@dataclass(frozen=True)
class Scene:
    """A drawn layout.

    Attributes:
        image: uint8 [H, W, 3], RGB.
        smoke: uint8 [H, W], 1 where `opacity` exceeds `OPACITY_CUT`.
        context: uint8 [H, W], 1 on chimney pixels that neither smoke nor buildings hide; never
            1 on a smoke pixel.
        opacity: float32 [H, W], visible opacity of all plumes together.
        label: 1 if any plume was laid out.
    """

    image: np.ndarray
    smoke: np.ndarray
    context: np.ndarray
    opacity: np.ndarray
    label: int


TEXELS = 128
BASE_CELLS = 8
OCTAVES = 4


def generator(*entropy: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def smoothstep(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def _octave(lattice: np.ndarray, texels: int) -> np.ndarray:
    cells = len(lattice)
    position = np.arange(texels, dtype=np.float32) * (cells / texels)
    low = position.astype(np.intp)
    weight = smoothstep(position - low)
    high = (low + 1) % cells
    rows = lattice[low] * (1 - weight[:, None]) + lattice[high] * weight[:, None]
    return rows[:, low] * (1 - weight) + rows[:, high] * weight


class Noise:
    """Periodic fractal noise in [0, 1]; `billowy` gives the round lumps of cumulus and smoke."""

    def __init__(self, seed: int, billowy: bool = False):
        draw = generator(seed)
        total = np.zeros((TEXELS, TEXELS), np.float32)
        amplitude, amplitudes = 1, 0.0
        for octave in range(OCTAVES):
            cells = BASE_CELLS << octave
            values = _octave(draw.random((cells, cells), np.float32), TEXELS)
            total += amplitude * (np.abs(2 * values - 1) if billowy else values)
            amplitudes += float(amplitude)
            amplitude *= 0.5
        total /= amplitudes
        low, high = (0.08, 0.72) if billowy else (0.2, 0.8)
        self.table = np.clip((total - low) / (high - low), 0, 1).ravel()

    def __call__(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Sample at broadcastable coordinates in base cells."""
        per_cell = TEXELS // BASE_CELLS
        u, v = u * per_cell, v * per_cell
        u_floor, v_floor = np.floor(u), np.floor(v)
        u_part, v_part = u - u_floor, v - v_floor
        column, row = u_floor.astype(np.int32), v_floor.astype(np.int32)
        wrap = TEXELS - 1
        left, right = column & wrap, (column + 1) & wrap
        upper, lower = (row & wrap) * TEXELS, ((row + 1) & wrap) * TEXELS
        take = self.table.take
        above = take(upper + left) * (1 - u_part) + take(upper + right) * u_part
        below = take(lower + left) * (1 - u_part) + take(lower + right) * u_part
        return above * (1 - v_part) + below * v_part


def _column(color: Color) -> np.ndarray:
    return np.array(color, np.float32)[:, None, None]


def _between(shade: Color, lit: Color, amount: np.ndarray) -> np.ndarray:
    return _column(shade) * (1 - amount) + _column(lit) * amount


def _integral_of_bands(position: np.ndarray, filled: float) -> np.ndarray:
    whole = np.floor(position)
    return whole * filled + np.minimum(position - whole, filled)


class Canvas:
    """A float picture [3, H, W] that is painted from far to near."""

    def __init__(self, size: int):
        self.size = size
        self.pixels = np.zeros((3, size, size), np.float32)
        centers = (np.arange(size, dtype=np.float32) + 0.5) / size
        self.x, self.y = centers[None, :], centers[:, None]

    def window(self, left: float, top: float, right: float, bottom: float) -> Window | None:
        edges = [int(np.floor(v * self.size)) for v in (top, left)]
        ends = [int(np.ceil(v * self.size)) for v in (bottom, right)]
        rows, columns = (
            slice(max(edge, 0), min(end, self.size)) for edge, end in zip(edges, ends, strict=True)
        )
        empty = rows.start >= rows.stop or columns.start >= columns.stop
        return None if empty else (rows, columns)

    def grid(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        return self.x[:, window[1]], self.y[window[0]]

    def paint(self, window: Window, color: np.ndarray, alpha: np.ndarray) -> None:
        area = self.pixels[(slice(None), *window)]
        area *= 1 - alpha
        area += color * alpha

    def trapezoid(
        self, top: float, bottom: float, upper: tuple[float, float], lower: tuple[float, float]
    ) -> tuple[Window, np.ndarray] | None:
        """Antialiased coverage of a shape with level top and bottom edges, in its window."""
        left, right = min(upper[0], lower[0]), max(upper[1], lower[1])
        window = self.window(left, top, right, bottom)
        if window is None:
            return None
        x, y = self.grid(window)
        half = 0.5 / self.size
        down = np.clip((y - top) / (max(bottom - top, 1e-6)), 0, 1)
        start = upper[0] + (lower[0] - upper[0]) * down
        end = upper[1] + (lower[1] - upper[1]) * down
        across = np.minimum(x + half, end) - np.maximum(x - half, start)
        along = np.minimum(y + half, bottom) - np.maximum(y - half, top)
        pixels = self.size
        return window, np.clip(across * pixels, 0, 1) * np.clip(along * pixels, 0, 1)

    def bands(self, centers: np.ndarray, start: float, period: float, filled: float) -> np.ndarray:
        """Share of each pixel covered by a periodic band, exact at every resolution."""
        half = 0.5 / self.size
        low = (centers - (start + half)) / period
        high = (centers - (start - half)) / period
        integral = _integral_of_bands(high, filled) - _integral_of_bands(low, filled)
        return integral * (period * self.size)


def _draw_sky(canvas: Canvas, sky: Sky) -> None:
    canvas.pixels[:] = _between(sky.zenith, sky.horizon, smoothstep(canvas.y * 1.25))
    dx = (canvas.x - sky.glow_x) / sky.glow_radius
    dy = (canvas.y - sky.glow_y) / sky.glow_radius
    halo = 1 / (1 + 6 * (dx * dx + dy * dy))
    canvas.paint((slice(None), slice(None)), _column(sky.glow), halo * 0.8)


def _lighting(noise: Noise, u: np.ndarray, v: np.ndarray, here: np.ndarray, toward) -> np.ndarray:
    """Light on a lumpy surface: bright where it falls off towards the light."""
    return 0.55 + 1.3 * (here - noise(u + toward[0], v + toward[1]))


def _draw_cloud_layer(canvas: Canvas, cloud: CloudLayer, sky: Sky, horizon: float) -> None:
    window = (slice(0, int(np.ceil(horizon * canvas.size))), slice(None))
    x, y = canvas.grid(window)
    noise = Noise(cloud.seed)
    depth = 1 / ((1.15 * horizon) - y)
    u = (x - 0.5) * depth * cloud.frequency + depth * (cloud.shear)
    v = depth * (1.6 * cloud.frequency)
    density = noise(u, v)
    alpha = smoothstep((density - (1 - cloud.cover)) / cloud.softness)
    toward = np.array(sky.light, np.float32) * 0.22
    light = np.clip(_lighting(noise, u, v, density, toward), 0, 1)
    canvas.paint(window, _between(cloud.shade, cloud.lit, light), alpha * cloud.opacity)


def _draw_bank(canvas: Canvas, bank: Bank, sky: Sky) -> tuple[Window, np.ndarray] | None:
    """Paint a bank and tell how much of what lies behind it it hides."""
    margin = 1.3 * bank.height + 1.3 * abs(bank.slope) * bank.length
    window = canvas.window(
        bank.x - 1.3 * bank.length, bank.y - margin, bank.x + 1.3 * bank.length, bank.y + margin
    )
    if window is None:
        return None
    x, y = canvas.grid(window)
    noise = Noise(bank.seed, billowy=True)
    dx = x - bank.x
    dy = y - bank.y - bank.slope * dx
    u, v = dx / (1.2 * bank.height), dy / bank.height
    lumps = noise(u, v)
    along = dx / bank.length
    radius = along * along + v * v
    alpha = smoothstep((0.45 + 0.9 * lumps - radius) / bank.softness) * smoothstep(
        (1.6 - radius) * 2
    )
    toward = np.array(sky.light, np.float32) * 0.3
    light = np.clip(_lighting(noise, u, v, lumps, toward) - 0.25 * v, 0, 1)
    alpha *= bank.opacity * (0.6 + 0.4 * lumps)
    canvas.paint(window, _between(bank.shade, bank.lit, light), alpha)
    return window, alpha


def _draw_ridge(canvas: Canvas, ridge: Ridge) -> None:
    table = generator(ridge.seed).random(256, np.float32)
    position = canvas.x[0] * ridge.frequency
    height = np.zeros(canvas.size, np.float32)
    for octave, amplitude in enumerate((0.65, 0.35) if ridge.steps else (0.6, 0.25, 0.15)):
        place = position * (2**octave)
        low = place.astype(np.intp)
        part = 0 if ridge.steps else smoothstep(place - low)
        low += 61 * octave
        value = table[low & 255] * (1 - part) + table[(low + 1) & 255] * part
        height += amplitude * value
    top = ridge.y - ridge.height * height
    coverage = np.clip((canvas.y - top) * canvas.size + 0.5, 0, 1)
    canvas.paint((slice(None), slice(None)), _column(ridge.color), coverage)


def _draw_ground(canvas: Canvas, ground: Ground) -> None:
    window = canvas.window(0, ground.y, 1, 1)
    x, y = canvas.grid(window)
    down = np.maximum(y - ground.y, 0)
    depth = 1 / (down + 0.06)
    grain = Noise(ground.seed)((x - 0.5) * depth * 0.8, depth * 0.9)
    shading = 1 + ground.contrast * (grain - 0.5)
    nearness = smoothstep(down * (1 / max(1 - ground.y, 1e-3)))
    coverage = np.clip((y - ground.y) * canvas.size + 0.5, 0, 1)
    canvas.paint(window, _between(ground.far, ground.near, nearness) * shading, coverage)


def _draw_building(canvas: Canvas, building: Building, hidden: np.ndarray) -> None:
    left, right = building.x - building.width / 2, building.x + building.width / 2
    roofline = building.top + building.roof_height

    def fill(shape, color: np.ndarray) -> None:
        if shape is not None:
            window, coverage = shape
            canvas.paint(window, color, coverage)
            hidden[window] += (1 - hidden[window]) * coverage

    roofing = _column(building.roofing)
    if building.roof == 'gable':
        ridge = (left + 0.2 * building.width, right - 0.2 * building.width)
        fill(canvas.trapezoid(building.top, roofline, ridge, (left, right)), roofing)
    elif building.roof == 'saw':
        tooth = building.width / 4
        for start in (left + tooth * step for step in range(4)):
            apex, foot = (start, start), (start, start + tooth)
            fill(canvas.trapezoid(building.top, roofline, apex, foot), roofing)
    else:
        inset = (left + 0.1 * building.width, left + 0.45 * building.width)
        fill(canvas.trapezoid(building.top, roofline, inset, inset), roofing)

    wall = canvas.trapezoid(roofline, building.base, (left, right), (left, right))
    if wall is None:
        return
    x, y = canvas.grid(wall[0])
    column_width = building.width / building.columns
    floor_height = (building.base - roofline) / building.floors
    panes = canvas.bands(x, left + 0.25 * column_width, column_width, 0.5) * canvas.bands(
        y, roofline + 0.3 * floor_height, floor_height, 0.45
    )
    column = np.clip((x - left) / column_width, 0, building.columns - 1)
    floor = np.clip((y - roofline) / floor_height, 0, building.floors - 1)
    draw = generator(building.seed).random((building.floors, building.columns), np.float32)
    lamp = draw[floor.astype(np.intp), column.astype(np.intp)] < building.lamps
    glass = np.where(lamp, _column(building.lamp), _column(building.glass))
    falloff = 1 - 0.25 * (y - roofline) / (building.base - roofline)
    fill(wall, _column(building.wall) * falloff * (1 - panes) + glass * panes)


def _draw_chimney(canvas: Canvas, chimney: Chimney, standing: np.ndarray) -> None:
    upper = (chimney.x - chimney.width_top / 2, chimney.x + chimney.width_top / 2)
    lower = (chimney.x - chimney.width_base / 2, chimney.x + chimney.width_base / 2)
    shaft = canvas.trapezoid(chimney.top, chimney.base, upper, lower)
    rim_height = 0.35 * chimney.width_top
    flare = (upper[0] - 0.08 * chimney.width_top, upper[1] + 0.08 * chimney.width_top)
    rim = canvas.trapezoid(chimney.top, chimney.top + rim_height, flare, flare)
    for shape, is_rim in ((shaft, False), (rim, True)):
        if shape is None:
            continue
        window, coverage = shape
        x, y = canvas.grid(window)
        width = chimney.width_base
        across = (x - chimney.x) / width * (2 * chimney.light_side)
        round_light = 0.86 + 0.26 * np.clip(across, -1, 1)
        color = _column(chimney.color)
        if is_rim:
            color = color * 0.45
        elif chimney.bands:
            period = (chimney.bands_down_to - chimney.top) / chimney.bands
            banded = canvas.bands(y, chimney.top, period, 0.5)
            banded = banded * (y < chimney.bands_down_to - 0.25 * period)
            color = color * (1 - banded) + _column(chimney.band) * banded
        canvas.paint(window, color * round_light, coverage)
        standing[window] = np.maximum(standing[window], coverage)


@dataclass(frozen=True)
class _Axis:
    """The centre line of a plume, sampled."""

    points: np.ndarray  # [2, K] x, y
    tangents: np.ndarray
    arc: np.ndarray
    radius: np.ndarray
    turns: np.ndarray  # arc length counted in local radii: eddies grow with the plume


AXIS_SAMPLES = 48


def _axis(plume: Plume) -> _Axis:
    t = np.linspace(0, 1, AXIS_SAMPLES)
    knots = generator(plume.seed, 1).random(8) - 0.5
    place = 6 * t
    low = place.astype(np.intp)
    part = smoothstep(place - low)
    sway = (knots[low] * (1 - part) + knots[np.minimum(low + 1, 7)] * part) * plume.meander * t
    x = plume.x + plume.reach * t * t + sway
    y = plume.y - plume.rise * (2 * t - t * t) + 0.5 * sway
    dx, dy = np.gradient(x), np.gradient(y)
    step = np.sqrt(dx * dx + dy * dy) + 1e-9
    arc = np.concatenate([[0], np.cumsum((step[1:] + step[:-1]) / 2)])
    radius = plume.radius + plume.spread * arc
    turns = np.concatenate([[0], np.cumsum(np.diff(arc) / radius[1:])])
    values = (np.stack([x, y]), np.stack([dx, dy]) / step, arc, radius, turns)
    return _Axis(*(value.astype(np.float32) for value in values))


def _draw_plume(canvas: Canvas, plume: Plume, sky: Sky) -> tuple[Window, np.ndarray] | None:
    """Paint a plume and give its opacity, exactly zero outside the smoke."""
    axis = _axis(plume)
    (low_x, low_y) = (axis.points - 1.45 * axis.radius).min(axis=1)
    (high_x, high_y) = (axis.points + 1.45 * axis.radius).max(axis=1)
    window = canvas.window(low_x, low_y, high_x, high_y)
    if window is None:
        return None
    x, y = canvas.grid(window)
    dx, dy = x[..., None] - axis.points[0], y[..., None] - axis.points[1]
    nearest = (dx * dx + dy * dy).argmin(axis=2)

    dx, dy = x - axis.points[0].take(nearest), y - axis.points[1].take(nearest)
    tangent_x, tangent_y = axis.tangents[0].take(nearest), axis.tangents[1].take(nearest)
    radius = axis.radius.take(nearest)
    ahead = dx * tangent_x + dy * tangent_y
    v = (dy * tangent_x - dx * tangent_y) / radius
    u = axis.turns.take(nearest) + ahead / radius
    arc = axis.arc.take(nearest) + ahead
    t = np.clip(arc / axis.arc[-1], 0, 1)

    scale = plume.billow
    curl = Noise(plume.seed)
    lumps = Noise(plume.seed ^ 0x5BD1E995, billowy=True)
    warp = (curl(u * 0.5, v * 0.5) - 0.5) * 0.9
    noise_u, noise_v = u * scale + warp, v * scale - warp
    texture = lumps(noise_u, noise_v)
    gust = curl(u * 0.35, np.full_like(u, 3.5))

    edge = 0.6 + 0.3 * gust + 0.55 * texture
    distance = np.sqrt(dx * dx + dy * dy) / radius
    body = smoothstep((edge - distance) / (0.3 + 0.35 * t))
    onset = smoothstep(arc / plume.radius + 0.3)
    ragged_end = 1 - smoothstep((t + 0.3 * (0.5 - texture) - 0.5) / 0.35)
    thinned = ragged_end / (1 + plume.thinning * t)
    grain = 1 - (0.25 + 0.3 * t) * (1 - texture)
    opacity = plume.strength * body * onset * thinned * grain
    opacity = np.maximum(opacity - 0.02, 0)

    light_x, light_y = sky.light
    toward_v = tangent_x * light_y - tangent_y * light_x
    toward_u = tangent_x * light_x + tangent_y * light_y
    offset = 0.3
    light = _lighting(lumps, noise_u, noise_v, texture, (toward_u * offset, toward_v * offset))
    light = np.clip(1.4 * light - 0.2 + 0.3 * v * toward_v, 0, 1)
    canvas.paint(window, _between(plume.shade, plume.lit, light), opacity)
    return window, opacity


def _photograph(canvas: Canvas, camera: Camera) -> np.ndarray:
    dx, dy = canvas.x - 0.5, canvas.y - 0.5
    lens = 1 - camera.vignette * (dx * dx + dy * dy)
    draw = generator(camera.seed)
    shape = (4, canvas.size, canvas.size)
    bell = draw.integers(0, 256, shape, np.uint8).astype(np.float32)
    bell += draw.integers(0, 256, shape, np.uint8)
    bell -= 255
    grain = (bell[:3] * 0.5 + bell[3]) * (camera.noise / 128)
    exposed = canvas.pixels * (_column(camera.gain) * lens) + grain
    return (np.clip(exposed, 0, 1) * 255 + 0.5).astype(np.uint8)


def render(layout: Layout, size: int) -> Scene:
    """Draw `layout` with `size` x `size` pixels; the scene is the same at every size."""
    canvas = Canvas(size)
    _draw_sky(canvas, layout.sky)
    for cloud in layout.clouds:
        _draw_cloud_layer(canvas, cloud, layout.sky, layout.ground.y)
    for bank in layout.banks:
        _draw_bank(canvas, bank, layout.sky)
    for ridge in layout.ridges:
        _draw_ridge(canvas, ridge)
    _draw_ground(canvas, layout.ground)

    chimney = np.zeros((size, size), np.float32)
    for one in layout.chimneys:
        _draw_chimney(canvas, one, chimney)

    clearness = np.ones((size, size), np.float32)
    for plume in layout.plumes:
        if (drawn := _draw_plume(canvas, plume, layout.sky)) is not None:
            clearness[drawn[0]] *= 1 - drawn[1]

    hidden = np.zeros((size, size), np.float32)
    for building in layout.buildings:
        _draw_building(canvas, building, hidden)
    visible = 1 - hidden
    for bank in layout.fog:
        if (drawn := _draw_bank(canvas, bank, layout.sky)) is not None:
            visible[drawn[0]] *= 1 - drawn[1]

    opacity = (1 - clearness) * visible
    smoke = opacity > OPACITY_CUT
    context = (chimney * (1 - hidden) >= 0.5) & ~smoke
    return Scene(
        image=np.ascontiguousarray(_photograph(canvas, layout.camera).transpose(1, 2, 0)),
        smoke=smoke.astype(np.uint8),
        context=context.astype(np.uint8),
        opacity=opacity,
        label=layout.label,
    )
