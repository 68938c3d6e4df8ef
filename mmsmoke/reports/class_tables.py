"""Make the tables of a report on several classes: the numbers of each, and who is called what."""

from collections.abc import Mapping, Sequence

from mmsmoke.visualization.html import html_table

from .summary import cells_of, numbers_by_split, splits_of, stages_of

SOURCES = dict(label='labels', cam='maps', pseudo='pseudo masks', seg='segmentor')
NUMBERS = ('accuracy', 'image_iou', 'pooled_iou', 'precision', 'recall')
TITLES = ('accuracy', 'IoU', 'pooled IoU', 'precision', 'recall')
_HOW_TO_READ = (
    '<p><b>confusion</b>: pixels of one class called another, by those called that rightly; '
    '<b>confused</b>: the same as a share of the pixels of the former. In percent.</p>'
)


def class_tables(chains: Sequence[Mapping]) -> str:
    """Return the numbers of each class, and of each pair; '' if there is only one class."""
    names = _classes(chains[0])
    if len(names) < 2:
        return ''
    rows, pairs = [], []
    for stage in stages_of(chains[0]):
        for split, runs in numbers_by_split(chains, stage).items():
            for source, title in SOURCES.items():
                start = [f'{stage}, {title}', split]
                for name in names:
                    keys = [f'{source}/{number}_{name}' for number in NUMBERS]
                    rows.append([*start, name, *cells_of(runs, keys)])
                for true in names:
                    for called in names:
                        pair = f'{true}_as_{called}'
                        keys = [f'{source}/{kind}_{pair}' for kind in ('confusion', 'confused')]
                        pairs.append([*start, f'{true} as {called}', *cells_of(runs, keys)])
    rows, pairs = ([row for row in table if any(row[3:])] for table in (rows, pairs))
    tables = html_table(['stage', 'split', 'class', *TITLES], rows, title='classes')
    if pairs:
        head = ['stage', 'split', 'called', 'confusion', 'confused']
        tables += _HOW_TO_READ + html_table(head, pairs, title='confusion')
    return tables


def _classes(chain: Mapping) -> list[str]:
    """Return the names of several classes, whose labels are measured one by one."""
    start = 'label/accuracy_'
    for numbers in splits_of(chain['classify']).values():
        names = [key.removeprefix(start) for key in numbers if key.startswith(start)]
        if names:
            return names
    return []
