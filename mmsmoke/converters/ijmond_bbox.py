"""Plan IJmond's boxes: frames of smoking videos in which people judged the boxes of a model."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from mmsmoke.datasets.pictures import copy_file, read_image
from mmsmoke.datasets.splitting import deal_out
from mmsmoke.datasets.table import lies_inside
from mmsmoke.datasets.writer import Task
from mmsmoke.utils import DataError, sha256_of_file

from .boxes import REMOVED, final_box
from .ijmond_videos import camera_name
from .plan import Missing, Plan, read_records

FETCH = (
    'bbox_labels_1_aug_2025.json is in https://github.com/MultiX-Amsterdam/ijmond-camera-ai, '
    'folder bbox_learn/dataset/ijmond_bbox'
)
KEYS = ('id', 'video', 'frame_number', 'w_image', 'h_image', 'x_bbox', 'y_bbox', 'w_bbox', 'h_bbox',
        'label_state', 'label_state_admin', 'feedback_filtered', 'url_root', 'file_path',
        'image_file_name')  # fmt: skip


def plan_ijmond_bbox(
    labels: Path,
    pictures: Path,
    weak_negatives: bool = True,
    shares: Sequence[float] = (0.7, 0.1, 0.2),
    seed: int = 0,
) -> Plan:
    """Return what will become of the frames.

    Args:
        labels: the JSON file of all boxes.
        pictures: folder with the frames, as on the server or as in the example of the authors.
        weak_negatives: frames all of whose boxes were removed count as clear. There may be smoke
            that no box was proposed for.
        shares: of train, val and test. All frames of one recording are in one split.
    """
    frames = defaultdict(list)
    for record in read_records(labels, KEYS, FETCH):
        frames[record['video']['file_name'], record['frame_number']].append(record)
    plan, kept, counts = Plan(source=sha256_of_file(labels)), [], defaultdict(int)
    for records in frames.values():
        found = [final_box(record) for record in records]
        boxes = [box for box in found if box not in (None, REMOVED)]
        clear = all(box == REMOVED for box in found)
        counts['smoke' if boxes else 'clear' if clear else 'open'] += 1
        if boxes or (clear and weak_negatives):
            kept.append((records, boxes))
    plan.notes = [
        f'{counts["smoke"]} frames with boxes, {counts["clear"]} whose boxes were all removed, '
        f'{counts["open"]} undecided'
    ]
    splits = deal_out(
        [records[0]['video']['url_part'] for records, _ in kept],
        [int(bool(boxes)) for _, boxes in kept],
        shares,
        seed,
    )
    for (records, boxes), split in zip(kept, splits, strict=True):
        _add(plan, pictures, records, boxes, split)
    return plan


def _add(
    plan: Plan, pictures: Path, records: Sequence[Mapping], boxes: Sequence, split: str
) -> None:
    """Add an image: all records of a frame have the same picture, under several names."""
    record = records[0]
    video, number = record['video'], record['frame_number']
    frame = f'{video["file_name"]}-{number}'
    place = PurePosixPath(record['file_path'].strip('/'), record['image_file_name'])
    for name in (frame, place):
        if not lies_inside(name):
            raise DataError(f'record {record["id"]}: {name} is no name of a picture')
    places = [pictures / place, pictures / video['file_name'] / str(number) / f'{frame}.png']
    for one in records:  # as the authors' script saves them
        places += [pictures / f'{one["id"]}.png', pictures / 'img' / f'{one["id"]}.png']
    path = next((path for path in places if path.is_file()), None)
    if path is None:
        plan.missing.append(Missing(places[0], f'{record["url_root"]}{place}'))
        return
    row = dict(
        image=f'images/{frame}{path.suffix}',
        split=split,
        smoke=int(bool(boxes)),
        camera=camera_name(video['camera_id']),
        view=video['view_id'],
        video=video['file_name'],
        frame=number,
        boxes=';'.join(' '.join(map(str, box)) for box in boxes),
        group=video['url_part'],
    )
    size = record['h_image'], record['w_image']
    plan.tasks.append(Task(str(path), [row], partial(_make, path, row['image'], size)))


def _make(path: Path, name: str, size: tuple[int, int], root: Path) -> None:
    found = read_image(path).shape[:2]
    if found != size:
        raise DataError(
            f'{path} is {found[1]}x{found[0]}, its boxes were drawn on {size[1]}x{size[0]}'
        )
    copy_file(path, root / name)
