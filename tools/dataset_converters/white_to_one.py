"""Turn masks with white (255) smoke into masks with value 1, in place.

Here 1 is smoke, and 255 means "ignore".
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from mmsmoke.datasets.pictures import save_mask
from mmsmoke.utils import DataError, UserError
from mmsmoke.utils.cli import user_errors_as_text
from mmsmoke.utils.threads import in_threads


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('masks_dir', help='folder of PNG masks; subfolders are converted too')
    parser.add_argument(
        '--threshold', type=int, default=0, help='pixels with a greater value are smoke (0)'
    )
    parser.add_argument(
        '--force',
        action='store_true',
        help='convert masks with values other than 0 and 255 too; those that have been converted '
        'before stay as they are',
    )
    return parser.parse_args()


@user_errors_as_text
def main() -> None:
    args = parse_args()
    counts = convert_folder(Path(args.masks_dir), args.threshold, args.force)
    print('{converted} masks converted, {kept} were converted before'.format(**counts))
    print(f'{counts["empty"]} masks are without smoke')


def convert_folder(folder: Path, threshold: int = 0, force: bool = False) -> dict[str, int]:
    """Look at all masks first, so that a folder is refused before any of them is changed."""
    if not folder.is_dir():
        raise UserError(f'folder {folder} not found')
    paths = sorted(path for path in folder.rglob('*.png') if not path.name.startswith('.'))
    if not paths:
        raise UserError(f'{folder} has no PNG masks')
    strange = [problem for problem in in_threads(_strange_values, paths, 'looking') if problem]
    if strange and not force:
        raise DataError(
            f'{len(strange)} of {len(paths)} masks are not black and white, such as {strange[0]}; '
            'nothing was changed. If they are to be converted all the same, pass --force'
        )
    results = in_threads(partial(convert_mask, threshold=threshold), paths, 'converting')
    return dict(
        converted=sum(changed for changed, _ in results),
        kept=sum(not changed for changed, _ in results),
        empty=sum(not smoke for _, smoke in results),
    )


def convert_mask(path: Path, threshold: int) -> tuple[bool, bool]:
    """Return whether the mask was changed, and whether it has smoke."""
    mask, converted_before = read_mask(path)
    if converted_before:
        return False, bool(mask.any())
    smoke = mask > threshold
    save_mask(path, smoke.astype(np.uint8))
    return True, bool(smoke.any())


def read_mask(path: Path) -> tuple[np.ndarray, bool]:
    """Return the values, and whether this is a palette PNG of 0 and 1 alone, as written here."""
    try:
        with Image.open(path) as file:
            bilevel = file.mode == '1'
            mask, indexed = np.array(file.convert('L') if bilevel else file), file.mode == 'P'
    except Exception as error:
        raise DataError(f'{path}: mask cannot be read: {error}') from error
    if mask.ndim != 2:
        raise DataError(f'{path}: mask must have one channel, has {mask.shape[2]}')
    return mask, indexed and mask.max() <= 1


def _strange_values(path: Path) -> str:
    mask, _ = read_mask(path)
    strange = np.setdiff1d(mask, [0, 255])
    return f'{path} (has {", ".join(map(str, strange[:5]))})' if len(strange) else ''


if __name__ == '__main__':
    main()
