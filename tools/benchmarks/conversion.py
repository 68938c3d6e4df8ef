"""Measure how many photographs a second are converted, with one process and with several.

A data set in the standard layout is laid out as SMOKE5K is distributed, and converted back. Each
number of processes has its turn in each round; every conversion writes the same files.
"""

import shutil
import tempfile
from pathlib import Path

import numpy as np
from benchmark import options, positive, report, seconds_in_turns
from PIL import Image

from mmsmoke.converters.smoke5k import plan_smoke5k
from mmsmoke.datasets.writer import count_table, write_dataset
from mmsmoke.utils.cli import user_errors_as_text
from mmsmoke.visualization import markdown_table


@user_errors_as_text
def main() -> None:
    parser = options(__doc__, repeats=3)
    parser.add_argument('data_root', help='data set with masks, of the splits train, val and test')
    parser.add_argument('--workers', type=positive, nargs='+', default=[1, 2], help='processes')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(args.data_root, Path(folder), args.workers, args.repeats)
    report(rows, args.out)


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
    from mmsmoke.datasets import LoadMask, WeakSegDataset

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
