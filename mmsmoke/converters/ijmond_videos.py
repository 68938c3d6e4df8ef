"""IJmond's labelled videos: clips of 36 frames, each smoke or no smoke as a whole."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mmsmoke.datasets.splitting import deal_out
from mmsmoke.utils import DataError, UserError, sha256_of_file

from .clips import clip_label, clip_task, find_clips, frame_names
from .plan import Missing, Plan
from .records import read_records

FETCH = (
    'metadata_ijmond_jan_22_2024.json is in '
    'https://github.com/MultiX-Amsterdam/ijmond-camera-ai, folder bbox_learn/dataset/ijmond_vid'
)
CAMERAS = ('hoogovens', 'kooksfabriek_1', 'kooksfabriek_2')
KEYS = ('file_name', 'url_part', 'url_root', 'camera_id', 'view_id', 'label_state',
        'label_state_admin')  # fmt: skip


def plan_ijmond_videos(
    metadata: Path,
    clips: Path,
    frames: int = 6,
    shares: Sequence[float] = (0.7, 0.1, 0.2),
    held_out: str | None = None,
    seed: int = 0,
) -> Plan:
    """
    Args:
        metadata: the JSON file of all videos.
        clips: folder with the videos, or with their frames.
        frames: of each video.
        shares: of train, val and test. All views and frames of one recording are in one split.
        held_out: a camera all of whose images go to test.
    """
    if held_out is not None and held_out not in CAMERAS:
        raise UserError(f'no camera {held_out!r}; there are {", ".join(CAMERAS)}')
    if frames < 1:
        raise UserError(f'frames must be at least 1, not {frames}')
    records = read_records(metadata, KEYS, FETCH)
    labels = [clip_label(one['label_state'], one['label_state_admin']) for one in records]
    cameras = [camera_name(one['camera_id']) for one in records]
    used = [k for k, label in enumerate(labels) if label is not None]
    plan = Plan(source=sha256_of_file(metadata))
    counts = Counter(labels)
    plan.notes = [f'{counts[1]} videos with smoke, {counts[0]} without, {counts[None]} undecided']
    chosen = deal_out(
        [records[k]['url_part'] for k in used],
        [labels[k] for k in used],
        shares,
        seed,
        None if held_out is None else [cameras[k] == held_out for k in used],
    )
    there = find_clips(clips, [one['file_name'] for one in records])
    for k, split in zip(used, chosen, strict=True):
        one = records[k]
        name, camera = one['file_name'], cameras[k]
        if name not in there:
            url = f'{one["url_root"]}{camera}/{one["url_part"]}/{name}.mp4'
            plan.missing.append(Missing(clips / f'{name}.mp4', url))
            continue
        row = dict(
            split=split,
            smoke=labels[k],
            camera=camera,
            view=one['view_id'],
            video=name,
            group=one['url_part'],
        )
        rows = [dict(image=image) | row for image in frame_names(name, frames)]
        plan.tasks.append(clip_task(there[name], name, rows))
    return plan


def camera_name(number: int | str) -> str:
    """By the number that the authors' files give it, some of them as text."""
    if str(number) not in map(str, range(len(CAMERAS))):
        raise DataError(f'camera {number!r} is none of 0 to {len(CAMERAS) - 1}')
    return CAMERAS[int(number)]
