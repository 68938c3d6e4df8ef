"""Measure how many photographs a second are converted, with one process and with several.

A data set in the standard layout is laid out as SMOKE5K is distributed, and converted back. Each
number of processes has its turn in each round; every conversion writes the same files.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from mmsmoke.converters.smoke5k import plan_smoke5k
from mmsmoke.datasets import WeakSegDataset
from mmsmoke.datasets.transforms.loading import LoadMask
from mmsmoke.datasets.writer import count_table, write_dataset
from mmsmoke.utils import UserError, write_json
from mmsmoke.utils.cli import user_errors_as_text
from mmsmoke.utils.timing import seconds_in_turns
from mmsmoke.visualization import markdown_table


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument('data_root', help='data set with masks, of the splits train, val and test')
    parser.add_argument('--workers', type=int, nargs='+', default=[1, 2], help='processes')
    parser.add_argument('--repeats', type=int, default=3, help='turns, of which the median counts')
    parser.add_argument('--out', type=Path, help='JSON file for the table')
    return parser.parse_args()


@user_errors_as_text
def main() -> None:
    args = parse_args()
    if min(*args.workers, args.repeats) < 1:
        raise UserError('workers and repeats must be at least 1')
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(args.data_root, Path(folder), args.workers, args.repeats)
    print(markdown_table(list(rows[0]), [list(row.values()) for row in rows]))
    if args.out:
        write_json(args.out, rows)


def measure(data_root: str, folder: Path, workers: list[int], repeats: int) -> list[dict]:
    original, out = folder / 'original', folder / 'converted'
    lay_out(data_root, original)
    plan = plan_smoke5k(original)
    print(markdown_table(*count_table(plan.rows)), *plan.notes, sep='\n')

    def convert(count: int):
        shutil.rmtree(out, ignore_errors=True)
        return write_dataset(out, plan.tasks, {}, workers=count)

    seconds = seconds_in_turns([lambda n=n: convert(n) for n in workers], repeats)
    images = len(plan.rows)
    return [
        {
            'images': images,
            'with smoke': sum(row['smoke'] for row in plan.rows),
            'processes': count,
            'images a second': round(images / spent),
            'ratio': round(seconds[0] / spent, 2),
        }
        for count, spent in zip(workers, seconds, strict=True)
    ]


def lay_out(data_root: str, folder: Path) -> None:
    """As SMOKE5K: white masks in gt/ beside img/, in train/ or test/."""
    dataset = WeakSegDataset(data_root, split=['train', 'val', 'test'], test_mode=True)
    load = LoadMask()
    for info in dataset:
        source = Path(info['img_path'])
        place = folder / ('test' if info['columns']['split'] == 'test' else 'train')
        for kind in ('img', 'gt'):
            (place / kind).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place / 'img' / source.name)
        info['ori_shape'] = Image.open(source).size[::-1]
        mask = load.transform(info)['gt_seg_map']
        Image.fromarray((mask == 1).astype(np.uint8) * 255).save(place / f'gt/{source.stem}.png')


if __name__ == '__main__':
    main()
