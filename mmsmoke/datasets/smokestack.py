"""Smokestack: drawn industrial scenes in which smoke and chimneys come together on purpose.

`P(chimney | smoke)` and `P(chimney | clear)` are knobs. Both change nothing but the presence of
chimneys (and, in smoke without a chimney, where the plume rises from), so that what a model makes
of a picture can be traced back to them.
"""

import csv
import json
import os
import shutil
import time
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from mmsmoke.datasets.smokestack_render import (
    OPACITY_CUT,
    Bank,
    Building,
    Camera,
    Chimney,
    CloudLayer,
    Color,
    Ground,
    Layout,
    Plume,
    Ridge,
    Scene,
    Sky,
    generator,
    render,
)
from mmsmoke.utils import UserError, atomic_path, write_json

PRESETS = {'easy': 0.5, 'biased': 0.1, 'extreme': 0.0}
"""P(chimney | clear) by name."""
SPLITS = ('train', 'val', 'test', 'chimney_only', 'smoke_only')
P_SMOKE = 0.5
MIN_SIZE = 32


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

GROUNDS = (
    (0.42, 0.46, 0.27),
    (0.50, 0.46, 0.36),
    (0.40, 0.40, 0.40),
    (0.58, 0.53, 0.40),
    (0.28, 0.34, 0.24),
)

RED, WHITE = (0.80, 0.14, 0.10), (0.96, 0.95, 0.92)
PLAIN_CHIMNEYS = ((0.58, 0.24, 0.16), (0.80, 0.79, 0.76), (0.34, 0.35, 0.38), (0.70, 0.40, 0.28))


class _Dice:
    """Uniform draws of one element of one scene, untouched by what other elements draw."""

    def __init__(self, *entropy: int):
        self.generator = generator(*entropy)

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.generator.random()

    def chance(self, probability: float) -> bool:
        return self.generator.random() < probability

    def count(self, low: int, high: int) -> int:
        return int(self.generator.integers(low, high + 1))

    def choice(self, options):
        return options[int(self.generator.integers(len(options)))]

    def seed(self) -> int:
        return int(self.generator.integers(2**32))

    def side(self) -> int:
        return 1 if self.chance(0.5) else -1

    def near(self, color: Color, spread: float) -> Color:
        gray = self.between(-spread, spread)
        return tuple(
            min(max(value + gray + self.between(-spread, spread) / 2, 0.02), 1.0) for value in color
        )


def _mix(a: Color, b: Color, share: float) -> Color:
    return tuple(x * (1 - share) + y * share for x, y in zip(a, b, strict=True))


def _times(a: Color, b: Color) -> Color:
    return tuple(x * y for x, y in zip(a, b, strict=True))


def _scaled(color: Color, factor: float) -> Color:
    return tuple(min(value * factor, 1.0) for value in color)


def _luma(color: Color) -> float:
    return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]


def _sky(dice: _Dice) -> tuple[Sky, Color]:
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


def _cloud_colors(dice: _Dice, sky: Sky, ambient: Color) -> tuple[Color, Color]:
    brightness = dice.between(0.55, 1.1) if dice.chance(0.6) else dice.between(0.3, 0.7)
    lit = _mix(_scaled(_mix(ambient, sky.glow, 0.4), brightness), sky.horizon, 0.15)
    shade = _mix(_scaled(ambient, brightness * dice.between(0.45, 0.75)), sky.zenith, 0.3)
    return lit, shade


def _cloud_layer(dice: _Dice, sky: Sky, ambient: Color) -> CloudLayer:
    lit, shade = _cloud_colors(dice, sky, ambient)
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


def _cloud_bank(dice: _Dice, sky: Sky, ambient: Color, horizon: float) -> Bank:
    lit, shade = _cloud_colors(dice, sky, ambient)
    height = dice.between(0.035, 0.12)
    return Bank(
        seed=dice.seed(),
        x=dice.between(0, 1),
        y=dice.between(0.05, 0.85) * horizon,
        length=height * dice.between(1.6, 4.5),
        height=height,
        slope=dice.between(-0.22, 0.22),
        opacity=dice.between(0.3, 0.75),
        softness=dice.between(0.35, 0.9),
        lit=lit,
        shade=shade,
    )


def _fog_bank(dice: _Dice, sky: Sky, ambient: Color, horizon: float) -> Bank:
    pale = _mix(_scaled(ambient, dice.between(0.6, 1)), sky.horizon, dice.between(0.2, 0.8))
    return Bank(
        seed=dice.seed(),
        x=dice.between(0, 1),
        y=horizon + dice.between(-0.06, 0.12),
        length=dice.between(0.25, 0.7),
        height=dice.between(0.03, 0.08),
        slope=dice.between(-0.06, 0.06),
        opacity=dice.between(0.25, 0.7),
        softness=dice.between(0.6, 1.3),
        lit=pale,
        shade=_scaled(pale, 0.85),
    )


def _ridges(dice: _Dice, sky: Sky, ambient: Color, horizon: float) -> tuple[Ridge, ...]:
    earth = _times(dice.choice(GROUNDS), ambient)
    ridges = [
        Ridge(
            seed=dice.seed(),
            y=horizon + 0.01,
            height=dice.between(0.02, 0.16) * (1 - 0.3 * row),
            frequency=dice.between(1.5, 4.5),
            steps=False,
            color=_mix(sky.horizon, _scaled(earth, 0.7), 0.35 + 0.25 * row),
        )
        for row in range(dice.count(0, 2))
    ]
    skyline = Ridge(
        seed=dice.seed(),
        y=horizon + 0.01,
        height=dice.between(0.03, 0.10),
        frequency=dice.between(9, 22),
        steps=dice.chance(0.65),
        color=_mix(sky.horizon, _times((0.34, 0.35, 0.38), ambient), dice.between(0.5, 0.85)),
    )
    return (*ridges, skyline)


def _ground(dice: _Dice, sky: Sky, ambient: Color, horizon: float) -> Ground:
    near = _times(dice.near(dice.choice(GROUNDS), 0.06), ambient)
    return Ground(
        seed=dice.seed(),
        y=horizon,
        near=near,
        far=_mix(near, sky.horizon, dice.between(0.15, 0.4)),
        contrast=dice.between(0.2, 0.7),
    )


def _building(dice: _Dice, sky: Sky, ambient: Color, base: float) -> Building:
    distance = min(max(1 - (base - 0.66) * 3, 0), 1)
    wall = _times(dice.near(dice.choice(WALLS), 0.07), ambient)
    wall = _mix(_scaled(wall, dice.between(0.7, 1.05)), sky.horizon, 0.3 * distance)
    width, height = dice.between(0.13, 0.38), dice.between(0.08, 0.22)
    roof = dice.choice(('flat', 'flat', 'gable', 'saw'))
    roof_height = dice.between(0.012, 0.03) if roof == 'flat' else dice.between(0.03, 0.055)
    night = _luma(ambient) < 0.7
    return Building(
        seed=dice.seed(),
        x=dice.between(0, 1),
        width=width,
        top=base - height - roof_height,
        base=base,
        roof=roof,
        roof_height=roof_height,
        wall=wall,
        roofing=_scaled(wall, dice.between(0.45, 0.8)),
        glass=_mix(_scaled(wall, 0.4), sky.zenith, 0.25),
        lamp=(0.98, 0.82, 0.48),
        lamps=dice.between(0.1, 0.5) if night else dice.between(0, 0.06),
        columns=max(int(width / dice.between(0.025, 0.06)), 2),
        floors=max(int(height / dice.between(0.04, 0.07)), 1),
    )


def _buildings(dice: _Dice, sky: Sky, ambient: Color, horizon: float) -> tuple[Building, ...]:
    bases = sorted(horizon + dice.between(0.03, 0.16) for _ in range(dice.count(2, 5)))
    return tuple(_building(dice, sky, ambient, base) for base in bases)


def _chimneys(dice: _Dice, sky: Sky, ambient: Color, horizon: float) -> tuple[Chimney, ...]:
    side = 1.0 if sky.light[0] > 0 else -1.0
    count = dice.choice((1, 1, 2, 2, 3))
    left = dice.between(0.08, 0.92 - 0.17 * (count - 1))
    striped, brick = dice.chance(0.65), dice.choice(PLAIN_CHIMNEYS)
    chimneys = []
    for place in range(count):
        width = dice.between(0.036, 0.075)
        top = dice.between(0.22, 0.5)
        bands = dice.count(3, 6) if striped else dice.choice((0, 0, 0, 1))
        base = horizon + dice.between(0.02, 0.06)
        if bands == 1:
            reach = top + dice.between(0.08, 0.16)
        else:
            reach = top + (base - top) * dice.between(0.5, 1)
        chimneys.append(
            Chimney(
                x=left + place * 0.17 + dice.between(-0.03, 0.03),
                top=top,
                base=base,
                width_top=width,
                width_base=width * dice.between(1.05, 1.6),
                color=_times(dice.near(WHITE if striped else brick, 0.04), ambient),
                band=_times(dice.near(RED if striped else WHITE, 0.03), ambient),
                bands=bands,
                bands_down_to=reach,
                light_side=side,
            )
        )
    return tuple(chimneys)


def _smoke_colors(dice: _Dice, sky: Sky, ambient: Color) -> tuple[Color, Color]:
    """A smoke that stands out from the sky in some channel, lit and in its own shade."""
    behind = _mix(sky.zenith, sky.horizon, 0.5)

    def contrast(color: Color) -> float:
        seen = _scaled(_times(color, ambient), 0.8)
        return max(abs(a - b) for a, b in zip(seen, behind, strict=True))

    visible = [color for color in SMOKE_COLORS if contrast(color) > 0.17]
    light = [color for color in visible if min(color) > 0.8]
    pool = light if light and dice.chance(0.5) else visible
    lit = _times(dice.near(dice.choice(pool), 0.04), ambient)
    lit = _mix(lit, sky.glow, 0.12 * _luma(lit))
    return lit, _scaled(lit, dice.between(0.42, 0.68))


def _plume(dice: _Dice, x: float, y: float, radius: float, wind: float, colors) -> Plume:
    calm = 1 - abs(wind)
    top = dice.between(-0.1, 0.3)
    return Plume(
        seed=dice.seed(),
        x=x,
        y=y,
        radius=radius,
        rise=max(y - top, 0.1) * (0.5 + 0.6 * calm),
        reach=wind * dice.between(0.8, 1.4),
        spread=dice.between(0.27, 0.54),
        meander=dice.between(0.0, 0.16),
        strength=dice.between(0.72, 0.99),
        thinning=dice.between(0.1, 0.9),
        billow=dice.between(0.7, 1.2),
        lit=colors[0],
        shade=colors[1],
    )


def _plumes(dice: _Dice, sky: Sky, ambient: Color, sources: list[tuple]) -> tuple[Plume, ...]:
    """Plumes from some of the sources (x, y, radius): at least one, all in the same wind."""
    wind = dice.side() * dice.between(0.05, 0.95)
    colors = _smoke_colors(dice, sky, ambient)
    always = dice.count(0, len(sources) - 1)
    return tuple(
        _plume(dice, *source, wind, colors)
        for number, source in enumerate(sources)
        if dice.chance(0.6) or number == always
    )


def _hidden_sources(dice: _Dice, buildings: tuple[Building, ...]) -> list[tuple]:
    """Where smoke may rise from behind a building, wide enough to hide its foot."""
    inside = [one for one in buildings if 0.08 < one.x < 0.92] or list(buildings)
    picked = [dice.choice(inside) for _ in range(dice.choice((1, 1, 2)))]
    return [
        (
            one.x + dice.between(-0.2, 0.2) * one.width,
            one.top + one.roof_height + dice.between(0.02, 0.05),
            dice.between(0.018, 0.04),
        )
        for one in picked
    ]


def _camera(dice: _Dice) -> Camera:
    exposure = dice.between(0.88, 1.16)
    return Camera(
        seed=dice.seed(),
        gain=tuple(exposure * dice.between(0.96, 1.04) for _ in range(3)),
        vignette=dice.between(0, 0.45),
        noise=dice.between(0.003, 0.010),
    )


class Smokestack:
    """The scenes of one preset, each decided by (seed, split, index) alone.

    Args:
        preset: Name in `PRESETS`; gives P(chimney | clear).
        size: Side of the images in pixels.
        seed: The same seed gives the same scenes in every preset, but for the chimneys.
        p_chimney_smoke: P(chimney | smoke). Smoke without a chimney rises from behind buildings.
        p_chimney_clear: P(chimney | clear) instead of the preset's.
    """

    def __init__(
        self,
        preset: str = 'biased',
        size: int = 128,
        seed: int = 0,
        p_chimney_smoke: float = 1.0,
        p_chimney_clear: float | None = None,
    ):
        if preset not in PRESETS:
            raise UserError(f'unknown preset {preset!r}; choose from {", ".join(PRESETS)}')
        if p_chimney_clear is None:
            p_chimney_clear = PRESETS[preset]
        for name, value in (
            ('p_chimney_smoke', p_chimney_smoke),
            ('p_chimney_clear', p_chimney_clear),
        ):
            if not 0 <= value <= 1:
                raise UserError(f'{name} must lie between 0 and 1, not {value}')
        if size < MIN_SIZE:
            raise UserError(f'size must be at least {MIN_SIZE}, not {size}')
        if seed < 0:
            raise UserError(f'seed must not be negative, not {seed}')
        self.preset = preset
        self.size = size
        self.seed = seed
        self.p_chimney_smoke = float(p_chimney_smoke)
        self.p_chimney_clear = float(p_chimney_clear)

    def _dice(self, split: str, index: int, element: int) -> _Dice:
        if split not in SPLITS:
            raise UserError(f'unknown split {split!r}; choose from {", ".join(SPLITS)}')
        return _Dice(self.seed, SPLITS.index(split), index, element)

    def _presence(self, split: str, index: int) -> tuple[bool, bool]:
        """Whether there is smoke, and whether there is a chimney."""
        dice = self._dice(split, index, 0)
        smokes = dice.chance(P_SMOKE)
        if split == 'chimney_only':
            return False, True
        if split == 'smoke_only':
            return True, False
        return smokes, dice.chance(self.p_chimney_smoke if smokes else self.p_chimney_clear)

    def label(self, split: str, index: int) -> int:
        return int(self._presence(split, index)[0])

    def layout(self, split: str, index: int) -> Layout:
        """Every random decision about a scene, in units of the image side."""
        smokes, has_chimney = self._presence(split, index)
        elements = (self._dice(split, index, element) for element in range(1, 11))
        sky_dice, land, cloud, bank, ridge, ground, building, chimney, plume, lens = elements
        sky, ambient = _sky(sky_dice)
        horizon = land.between(0.66, 0.8)
        buildings = _buildings(building, sky, ambient, horizon)
        chimneys = _chimneys(chimney, sky, ambient, horizon) if has_chimney else ()
        plumes = ()
        if smokes:
            sources = [(one.x, one.top, 0.55 * one.width_top) for one in chimneys]
            plumes = _plumes(plume, sky, ambient, sources or _hidden_sources(plume, buildings))
        fog = bank.chance(0.5)
        return Layout(
            sky=sky,
            clouds=tuple(_cloud_layer(cloud, sky, ambient) for _ in range(cloud.count(0, 2))),
            banks=tuple(_cloud_bank(bank, sky, ambient, horizon) for _ in range(bank.count(1, 3))),
            ridges=_ridges(ridge, sky, ambient, horizon),
            ground=_ground(ground, sky, ambient, horizon),
            chimneys=chimneys,
            plumes=plumes,
            buildings=buildings,
            fog=(_fog_bank(bank, sky, ambient, horizon),) if fog else (),
            camera=_camera(lens),
        )

    def scene(self, split: str, index: int) -> Scene:
        return render(self.layout(split, index), self.size)


DRAWING_VERSION = 1
"""Raised whenever the same (seed, split, index) would give another picture."""

CHUNK = 24
FOLDERS = ('context', 'masks', 'images')  # in the order of writing: the image vouches for the rest
MASK_PALETTE = [0, 0, 0, 255, 80, 0]
CONTEXT_PALETTE = [0, 0, 0, 0, 160, 255]


def _write_png(path: Path, pixels: np.ndarray, palette: list[int] | None = None) -> None:
    picture = Image.fromarray(pixels)
    if palette is not None:
        picture.putpalette(palette)
    with atomic_path(path) as temporary:
        picture.save(temporary, compress_level=1)


def _files(root: Path, split: str, index: int) -> list[Path]:
    return [root / folder / split / f'{index:06d}.png' for folder in FOLDERS]


def _write_chunk(source: Smokestack, root: Path, split: str, indices: list[int]) -> int:
    for index in indices:
        scene = source.scene(split, index)
        context, mask, image = _files(root, split, index)
        _write_png(context, scene.context, CONTEXT_PALETTE)
        _write_png(mask, scene.smoke, MASK_PALETTE)
        _write_png(image, scene.image)
    return len(indices)


def _write_labels(path: Path, source: Smokestack, counts: dict[str, int]) -> dict[str, dict]:
    """Write labels.csv and count the classes of each split."""
    rows = [
        (f'images/{split}/{index:06d}.png', split, source.label(split, index))
        for split, count in counts.items()
        for index in range(count)
    ]

    with atomic_path(path) as temporary, temporary.open('w', newline='') as file:
        table = csv.writer(file, lineterminator='\n')
        table.writerow(('image', 'split', 'smoke'))
        table.writerows(rows)
    summary = {split: {'smoke': 0, 'clear': 0} for split in counts}
    for _, split, smoke in rows:
        summary[split]['smoke' if smoke else 'clear'] += 1
    return summary


def _claim(root: Path, parameters: dict, overwrite: bool) -> dict:
    """Make `root` ours and give what an earlier run with the same parameters left in its record."""
    record_path = root / 'smokestack.json'
    if not record_path.exists():
        if root.is_file() or (root.exists() and any(root.iterdir())):
            raise UserError(f'{root} holds something else; choose another folder')
        return {}
    record = json.loads(record_path.read_text())
    if overwrite:
        write_json(record_path, {**record, 'complete': False})
        (root / 'labels.csv').unlink(missing_ok=True)
        for folder in FOLDERS:
            shutil.rmtree(root / folder, ignore_errors=True)
        return {}
    for name, value in parameters.items():
        if record.get(name) != value:
            raise UserError(
                f'{root} was drawn with {name} {record.get(name)}, not {value}; '
                'choose another folder or pass --overwrite'
            )
    return record


def _chunks(root: Path, counts: dict[str, int]) -> list[tuple[str, list[int]]]:
    """What is not on disk yet; also makes the folders and clears away unfinished files."""
    chunks = []
    for split, count in counts.items():
        for folder in FOLDERS:
            (root / folder / split).mkdir(parents=True, exist_ok=True)
            for leftover in (root / folder / split).glob('.*.tmp*'):
                leftover.unlink()
        missing = [
            index
            for index in range(count)
            if not all(path.exists() for path in _files(root, split, index))
        ]
        chunks += [(split, missing[at : at + CHUNK]) for at in range(0, len(missing), CHUNK)]
    return chunks


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def write_smokestack(
    out: str | Path,
    preset: str = 'biased',
    size: int = 128,
    train: int = 2000,
    val: int = 300,
    test: int = 500,
    seed: int = 0,
    workers: int | None = None,
    p_chimney_smoke: float = 1.0,
    p_chimney_clear: float | None = None,
    progress: bool = True,
    overwrite: bool = False,
) -> dict:
    """Draw a whole data set to disk, or finish one that was interrupted.

    `labels.csv` and then `smokestack.json` with `"complete": true` are written last.

    Args:
        test: Images in each of test, chimney_only and smoke_only.
        workers: Processes; None for one per core. The files do not depend on it.
        overwrite: Remove what an earlier run with any parameters drew in `out`.

    Returns:
        `counts` (split -> smoke, clear), `drawn`, `seconds`, `images_per_second`, and
        `already_complete`, true if nothing was left to do.

    Raises:
        UserError: (a ValueError) a parameter is out of range, or `out` holds something else.
    """
    started = time.perf_counter()
    source = Smokestack(preset, size, seed, p_chimney_smoke, p_chimney_clear)
    requested = {'train': train, 'val': val, 'test': test}
    for name, count in requested.items():
        if count < 0:
            raise UserError(f'{name} must not be negative, not {count}')
    if workers is not None and workers < 1:
        raise UserError(f'workers must be at least 1, not {workers}')
    counts = {split: requested.get(split, test) for split in SPLITS}
    parameters = {
        'preset': preset,
        'size': size,
        'seed': seed,
        **requested,
        'p_chimney_smoke': source.p_chimney_smoke,
        'p_chimney_clear': source.p_chimney_clear,
        'drawing': DRAWING_VERSION,
        'opacity_cut': OPACITY_CUT,
    }

    root = Path(out)
    earlier = _claim(root, parameters, overwrite)
    if earlier.get('complete'):
        return {
            'counts': earlier['counts'],
            'drawn': 0,
            'seconds': 0.0,
            'images_per_second': 0.0,
            'already_complete': True,
        }

    root.mkdir(parents=True, exist_ok=True)
    write_json(root / 'smokestack.json', {**parameters, 'complete': False})
    chunks = _chunks(root, counts)
    drawn = sum(len(indices) for _, indices in chunks)
    workers = min(workers or _cores(), max(len(chunks), 1))
    with tqdm(total=drawn, desc='Smokestack', unit='img', disable=not progress) as bar:
        if workers == 1:
            for split, indices in chunks:
                bar.update(_write_chunk(source, root, split, indices))
        else:
            with ProcessPoolExecutor(workers) as pool:
                jobs: list[Future] = [
                    pool.submit(_write_chunk, source, root, split, indices)
                    for split, indices in chunks
                ]
                try:
                    for job in as_completed(jobs):
                        bar.update(job.result())
                except BaseException:
                    pool.shutdown(cancel_futures=True)
                    raise

    summary = _write_labels(root / 'labels.csv', source, counts)
    write_json(root / 'smokestack.json', {**parameters, 'counts': summary, 'complete': True})
    seconds = time.perf_counter() - started
    return {
        'counts': summary,
        'drawn': drawn,
        'seconds': seconds,
        'images_per_second': drawn / seconds,
        'already_complete': False,
    }
