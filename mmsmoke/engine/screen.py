"""Choose what of a run's log a user sees on the screen; the log file holds all of it."""

import copy
import logging
import re

from tqdm import tqdm

MAIN = (
    'label/accuracy', 'cam/image_iou', 'cam/threshold', 'seg/image_iou', 'seg/miou',
    'pseudo/image_iou',
)  # fmt: skip
LESSER = ('seg/false_images', 'deployed/image_iou', 'deployed/false_images')
MOST = 5
_DETAIL = re.compile(
    r'(_low|_high|_oracle|_threshold|time|Acc|worst_class)$|^(companion|pairs|deployed)/'
    r'|/(pooled_iou|miou|precision|recall|f1|false_pixels|false_images|ignored)(_|$)'
    r'|/(confusion|confused|threshold)_'
)
_MEASURED = re.compile(r'((?:Epoch|Iter)\((?:val|test)\) *[][\d/ ]*\])  +(.*)', re.DOTALL)


class ScreenHandler(logging.StreamHandler):
    """Show a run's log in short, and between progress bars.

    Args:
        usual: the handler whose place it takes.
    """

    def __init__(self, usual: logging.StreamHandler):
        super().__init__(usual.stream)
        self.setLevel(usual.level)
        self.setFormatter(usual.formatter)
        self.filters = usual.filters

    def format(self, record: logging.LogRecord) -> str:
        record = copy.copy(record)
        record.msg, record.args = shortened(record.getMessage()), None
        return super().format(record)

    def emit(self, record: logging.LogRecord) -> None:
        with tqdm.external_write_mode(self.stream):
            super().emit(record)


def shortened(line: str) -> str:
    """Return what a validation or test found with the numbers that matter most; other lines as
    they are."""
    match = _MEASURED.fullmatch(line)
    items = re.split('  +', match[2].strip()) if match else []
    numbers = dict(item.split(': ', 1) for item in items if ': ' in item)
    if len(numbers) <= MOST:
        return line
    known = {*MAIN, *LESSER}
    others = [name for name in numbers if name not in known and not _DETAIL.search(name)]
    chosen = [name for name in (*MAIN, *others, *LESSER) if name in numbers][:MOST]
    shown = '  '.join(f'{name}: {numbers[name]}' for name in chosen)
    return f'{match[1]}    {shown}  ({len(numbers) - len(chosen)} more in the log file)'
