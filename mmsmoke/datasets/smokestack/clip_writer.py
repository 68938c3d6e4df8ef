"""Write Smokestacks that move: clips with one label each, and days of cameras that stay."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path, PurePosixPath

from mmsmoke.datasets.writer import FOLDERS, Task, Written, write_dataset
from mmsmoke.utils import UserError
from mmsmoke.utils.progress import progress

from .drawing.render import OPACITY_CUT, render
from .scenes import DRAWING_VERSION, MOTION_VERSION, Frame, Smokestack
from .writer import require_classes, write_scene

FRAME_TRUTH = 'frame_truth'
"""Column that says whether the frame itself shows smoke, for metrics alone."""
FEWEST_CLIPS = 5
MOST_FRAMES = 100_000
"""Limits the frames of one camera."""
FRAMES_A_TASK = 64
MIDNIGHT = datetime(2024, 3, 4)
"""Says when a drawn day begins, in the names of its images."""
VERSIONS = dict(drawing=DRAWING_VERSION, motion=MOTION_VERSION, opacity_cut=OPACITY_CUT)


def write_clips(
    out: str | Path,
    preset: str = 'biased',
    size: int = 128,
    clips: int = 100,
    frames: int = 8,
    every: float = 2.0,
    seed: int = 0,
    workers: int | None = None,
    p_chimney_smoke: float = 1.0,
    p_chimney_clear: float | None = None,
    classes: Sequence[str] = ('smoke',),
    overwrite: bool = False,
) -> Written:
    """Draw clips to disk, or finish those that were interrupted.

    The label of a frame is that of its clip: whether smoke is to be seen in any frame.

    Args:
        clips: of which a fifth is in ``val``, a fifth in ``test`` and the rest in ``train``.
        frames: of each clip.
        every: seconds between two frames.
        others: of :func:`write_smokestack`.
    """
    steam = require_classes(classes)
    if clips < FEWEST_CLIPS:
        raise UserError(f'clips must be at least {FEWEST_CLIPS}, not {clips}')
    if frames < 2:
        raise UserError(f'frames must be at least 2, not {frames}')
    _require_seconds(every)
    source = Smokestack(preset, size, seed, p_chimney_smoke, p_chimney_clear, steam)
    parameters = {
        'preset': preset,
        'size': size,
        'seed': seed,
        'clips': clips,
        'frames': frames,
        'every': float(every),
        'p_chimney_smoke': source.p_chimney_smoke,
        'p_chimney_clear': source.p_chimney_clear,
        **({'classes': list(classes)} if steam else {}),
    }
    fifth = clips // 5
    numbers = dict(train=clips - 2 * fifth, val=fifth, test=fifth)
    places = [(split, index) for split, number in numbers.items() for index in range(number)]
    tasks = []
    for split, index in progress(places, text='laying out', unit='clip'):
        found = source.clip(split, index, frames, every)
        labels = source.labels(split, index) | dict(smoke=int(any(f.smokes for f in found)))
        columns = dict(split=split, **labels, clip=f'{split}_{index:06d}')
        rows = [
            dict(image=f'images/{split}/{index:06d}_{number:03d}.png', **columns, frame=number)
            for number in range(frames)
        ]
        tasks.append(_task(rows, found, size, len(classes)))
    return write_dataset(out, tasks, parameters | VERSIONS, workers, overwrite)


def write_day(
    out: str | Path,
    size: int = 128,
    hours: float = 24.0,
    cameras: int = 4,
    every: float = 60.0,
    seed: int = 0,
    workers: int | None = None,
    overwrite: bool = False,
) -> Written:
    """Draw what cameras see in a day, all of it in the split ``test``.

    Each camera looks at a chimney of its own, which smokes now and then. The label of a frame is
    its own, so what a monitor reports can be compared with what there was to report. Each camera
    has a folder, in which images are named by their times, so that tools/monitor.py can watch it.

    Args:
        hours: that each camera sees; shorter days have shorter smoke.
        every: seconds between two frames.
        others: of :func:`write_smokestack`.
    """
    if cameras < 1:
        raise UserError(f'cameras must be at least 1, not {cameras}')
    _require_seconds(every)
    if not 0 < hours * 3600 / every <= MOST_FRAMES:
        raise UserError(
            f'{hours} hours with a frame every {every} seconds are '
            f'{hours * 3600 / every:.0f} frames; choose between 1 and {MOST_FRAMES}'
        )
    source = Smokestack(size=size, seed=seed)
    parameters = dict(size=size, seed=seed, hours=float(hours), cameras=cameras, every=float(every))
    tasks = []
    seen = progress(source.cameras(cameras, hours, every), cameras, 'laying out', unit='camera')
    for camera, found in enumerate(seen):
        name = f'camera_{camera}'
        columns = dict(split='test', camera=name, group=name)
        rows = [
            dict(image=_day_image(name, frame), **columns, smoke=int(frame.smokes))
            for frame in found
        ]
        for first in range(0, len(rows), FRAMES_A_TASK):
            some = slice(first, first + FRAMES_A_TASK)
            tasks.append(_task(rows[some], found[some], size, 1))
    return write_dataset(out, tasks, parameters | VERSIONS, workers, overwrite)


def _day_image(camera: str, frame: Frame) -> str:
    when = MIDNIGHT + timedelta(seconds=frame.time)
    return f'images/test/{camera}/{when:%Y-%m-%d_%H-%M-%S}-{when.microsecond // 1000:03d}.png'


def _require_seconds(every: float) -> None:
    if not 0 < every < math.inf:
        raise UserError(f'every must be above 0, not {every}')


def _task(rows: Sequence[Mapping], frames: Sequence[Frame], size: int, classes: int) -> Task:
    timed = [
        {**row, 'time': round(frame.time, 3), FRAME_TRUTH: int(frame.smokes)}
        for row, frame in zip(rows, frames, strict=True)
    ]
    drawings = [
        (row['image'].removeprefix('images/'), partial(render, frame.layout, size))
        for row, frame in zip(rows, frames, strict=True)
    ]
    name = str(PurePosixPath(rows[0]['image']).with_suffix(''))
    return Task(name, timed, partial(_write_frames, drawings, classes + 1), FOLDERS)


def _write_frames(drawings: Sequence, colors: int, root: Path) -> None:
    for name, draw in drawings:
        write_scene(draw, name, colors, root)
