"""Plan IJmond's labelled videos: clips of 36 frames, each smoke or no smoke as a whole."""

from collections.abc import Sequence
from pathlib import Path

from mmsmoke.datasets.splitting import deal_out
from mmsmoke.utils import DataError, UserError, sha256_of_file

from .clips import add_clips, clip_label, count_labels, require_frames
from .plan import Plan, read_records

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
    """Return what will become of the videos.

    Args:
        metadata: the JSON file of all videos.
        clips: folder with the videos, or with their frames.
        frames: of each video.
        shares: of train, val and test. All views and frames of one recording are in one split.
        held_out: a camera all of whose images go to test.
    """
    if held_out is not None and held_out not in CAMERAS:
        raise UserError(f'no camera {held_out!r}; there are {", ".join(CAMERAS)}')
    require_frames(frames)
    records = read_records(metadata, KEYS, FETCH)
    labels = [clip_label(one['label_state'], one['label_state_admin']) for one in records]
    cameras = [camera_name(one['camera_id']) for one in records]
    used = [k for k, label in enumerate(labels) if label is not None]
    plan = Plan(source=sha256_of_file(metadata), notes=[count_labels('videos', labels)])
    chosen = deal_out(
        [records[k]['url_part'] for k in used],
        [labels[k] for k in used],
        shares,
        seed,
        None if held_out is None else [cameras[k] == held_out for k in used],
    )
    found = []
    for k, split in zip(used, chosen, strict=True):
        one, columns = records[k], dict(split=split, smoke=labels[k], camera=cameras[k])
        name, part = one['file_name'], one['url_part']
        columns |= dict(view=one['view_id'], video=name, group=part)
        found.append((name, f'{one["url_root"]}{cameras[k]}/{part}/{name}.mp4', columns))
    add_clips(plan, clips, found, frames)
    return plan


def camera_name(number: int | str) -> str:
    """Return a camera's name by the number in the authors' files, some of them as text."""
    if str(number) not in map(str, range(len(CAMERAS))):
        raise DataError(f'camera {number!r} is none of 0 to {len(CAMERAS) - 1}')
    return CAMERAS[int(number)]
