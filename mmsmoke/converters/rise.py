"""Plan RISE: clips of industrial smoke near Pittsburgh, each smoke or no smoke as a whole."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mmsmoke.datasets.splitting import deal_out, shuffled
from mmsmoke.utils import DataError, UserError, sha256_of_file

from .clips import add_clips, clip_label, count_labels, require_frames
from .plan import Plan, read_records

FETCH = (
    'metadata_02242020.json, and the files of split/, are in '
    'https://github.com/CMU-CREATE-Lab/deep-smoke-machine, folder back-end/data/dataset/2020-02-24'
)
SERVER = 'https://smoke.createlab.org/videos/180'
SPLITTINGS = ('camera', 'date')
STATES = ('label_state', 'label_state_admin')


def plan_rise(
    sources: Mapping[str, Path],
    clips: Path,
    splitting: str = 'camera',
    frames: int = 1,
    most_clips: int | None = None,
    shares: Sequence[float] = (0.7, 0.1, 0.2),
    seed: int = 0,
) -> Plan:
    """Return what will become of the clips.

    Args:
        sources: split -> its file of the official split; or one file, under the name ``all``,
            whose clips are dealt out.
        clips: folder with the videos, or with their frames.
        splitting: what is in one split only: a ``camera`` and its view, or a ``date``.
        frames: of each clip.
        most_clips: take only so many, half of them with smoke, chosen by lot.
        shares: of train, val and test.
    """
    require_frames(frames)
    if most_clips is not None and most_clips < 2:
        raise UserError(f'most_clips must be at least 2, not {most_clips}')
    records, splits, plan = [], [], Plan()
    for split, path in sources.items():
        found = read_records(path, ('file_name',), FETCH)
        records += found
        splits += [split] * len(found)
        plan.source += sha256_of_file(path)
    labels = [_label(one) for one in records]
    plan.notes = [count_labels('clips', labels)]
    used = [k for k, label in enumerate(labels) if label is not None]
    if most_clips is not None:
        used = _some(used, labels, [one['file_name'] for one in records], most_clips, seed)
    groups = [_group(one['file_name'], splitting) for one in records]
    if set(sources) == {'all'}:
        chosen = deal_out([groups[k] for k in used], [labels[k] for k in used], shares, seed)
        splits = dict(zip(used, chosen, strict=True))
    found = []
    for k in used:
        name = records[k]['file_name']
        camera, date = _group(name, 'camera'), _group(name, 'date')
        columns = dict(split=splits[k], smoke=labels[k], camera=camera, date=date, clip=name)
        if 'weight' in records[k]:
            columns['weight'] = records[k]['weight']
        columns['group'] = groups[k]
        found.append((name, f'{SERVER}/{date}/{camera}/{name}.mp4', columns))
    add_clips(plan, clips, found, frames)
    return plan


def official_parts(train: Path) -> dict[str, Path]:
    """Return the three files of an official split, of which one is named."""
    if 'train' not in train.name:
        raise UserError(f'{train.name} is not the train part of an official split. {FETCH}')
    words = dict(train='train', val='validation', test='test')
    return {
        split: train.with_name(train.name.replace('train', word)) for split, word in words.items()
    }


def _label(record: Mapping) -> int | None:
    """Return a label: files of the official split have one, the file of all clips has states."""
    if 'label' in record:
        if record['label'] not in (0, 1):
            raise DataError(f'{record["file_name"]} has the label {record["label"]!r}, not 0 or 1')
        return int(record['label'])
    missing = [key for key in STATES if key not in record]
    if missing:
        raise DataError(f'{record["file_name"]} has neither label nor {missing[0]}')
    return clip_label(*(record[key] for key in STATES))


def _group(name: str, splitting: str) -> str:
    """Pick from camera-view-YYYY-MM-DD-left-top-right-bottom-height-width-frame-begin-end."""
    parts = name.split('-')
    if len(parts) != 14:
        raise DataError(f'{name} is no name of a RISE clip: it has {len(parts)} parts, not 14')
    return '-'.join(parts[:2] if splitting == 'camera' else parts[2:5])


def _some(used, labels, names, most: int, seed: int) -> list[int]:
    order = sorted(used, key=lambda k: shuffled(names[k], seed))
    smoke = [k for k in order if labels[k]][: most // 2]
    clear = [k for k in order if not labels[k]][: most - len(smoke)]
    return sorted(smoke + clear)
