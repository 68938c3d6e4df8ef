"""Suggest which images to label next, by what trained models make of them.

Labels and masks of the images are never looked at.
"""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmsmoke.datasets.pictures import read_image
from mmsmoke.datasets.table import (
    TABLE,
    choose_split,
    group_of,
    mask_name_of,
    read_table,
    require_own_masks,
)
from mmsmoke.functional import choose_spread, label_entropy, mask_disagreement, pixel_entropy
from mmsmoke.utils import DataError, UserError, atomic_path, require_one_of, save_png
from mmsmoke.utils.progress import progress
from mmsmoke.visualization import contact_sheet, framed

from .frames import Item
from .inferencer import SmokeInferencer
from .inputs import find_images
from .outputs import Prediction, open_table

MODELS_NEEDED = dict(entropy=(1,), disagreement=(2,), random=(0, 1, 2))
"""How many models may be given for each way of choosing."""
HELD_OUT = ('val', 'test')
SUGGESTED = 'suggested.csv'


@dataclass(frozen=True)
class Suggestion:
    """Hold an image that is worth a label.

    Attributes:
        item: with the name that labels.csv has for it, or the one below the folder.
        rank: by its score alone among all images, from 1.
        group: what it belongs to; see :func:`~mmsmoke.datasets.table.group_of`.
    """

    item: Item
    score: float
    rank: int
    group: str


@dataclass
class Suggested:
    """Hold the suggestions in their order, and the errors of images that cannot be read."""

    chosen: list[Suggestion] = field(default_factory=list)
    skipped: list[DataError] = field(default_factory=list)


def suggest(
    place: str | Path,
    models: Sequence[SmokeInferencer],
    out: str | Path,
    by: str = 'entropy',
    count: int = 20,
    splits: Sequence[str] = ('train',),
    done: Sequence[str | Path] = (),
    seed: int = 0,
) -> Suggested:
    """Write ``suggested.csv``, a contact sheet and the first model's masks of the images chosen.

    Args:
        place: data set, or folder of images that are in none.
        models: one for ``entropy``, two for ``disagreement``; with ``random`` they only draw.
        out: a new folder.
        by: ``entropy`` of a segmentor's pixels or of a classifier's labels, ``disagreement`` of two
            models' masks, or ``random``. For the first two, images are chosen that are also unlike
            each other in the first model's features.
        splits: of a data set; val and test are refused.
        done: tables with a column ``image``, such as ``suggested.csv`` of earlier rounds; what they
            name is left out.
        seed: of ``random``.
    """
    require_one_of(MODELS_NEEDED, by=by)
    if len(models) not in MODELS_NEEDED[by]:
        needed = ' or '.join(map(str, MODELS_NEEDED[by]))
        raise UserError(f'the number of models for {by} is {needed}, not {len(models)}')
    if len({model.classes for model in models}) > 1:
        names = ' and '.join(', '.join(model.classes) for model in models)
        raise UserError(f'the models know different classes: {names}')
    if count < 1:
        raise UserError(f'count must be at least 1, got {count}')
    place, out = Path(place), Path(out)
    if out.exists() and (out.is_file() or any(out.iterdir())):
        raise UserError(f'{out} holds something else; choose another folder')
    groups = _candidates(place, out, splits, done)
    items = list(groups)
    found = Suggested()
    if by == 'random':
        worth = torch.rand(len(items), generator=torch.Generator().manual_seed(seed))
        order = worth.argsort(descending=True, stable=True)[:count].tolist()
    else:
        items, worth, features = _look(items, models, found.skipped)
        if not items:
            raise UserError(f'no image of {place} can be read')
        order = choose_spread(features, worth, count)
    ranks = worth.argsort(descending=True, stable=True).argsort() + 1
    for index in order:
        item = items[index]
        one = Suggestion(item, float(worth[index]), int(ranks[index]), groups[item])
        found.chosen.append(one)
    _draw(out, found, models)
    _write_table(out / SUGGESTED, found.chosen)
    return found


def _candidates(
    place: Path, out: Path, splits: Sequence[str], done: Sequence[str | Path]
) -> dict[Item, str]:
    """Return the images that may be suggested, with their groups."""
    if (place / TABLE).is_file():
        if held_out := [split for split in splits if split in HELD_OUT]:
            raise UserError(f'images of {held_out[0]} are for measuring; they are not suggested')
        rows, problems = read_table(place, ())
        if problems:
            raise DataError(f'{place}: {problems[0]}')
        groups = {
            Item(row.image, place / row.image): group_of(row.columns, row.image)
            for row in choose_split(rows, splits)
        }
    else:
        for other in (*place.resolve().parents, *(path.parent for path in place.rglob(TABLE))):
            if (other / TABLE).is_file():
                raise UserError(
                    f'{place} has images of the data set {other}, some of them for measuring; '
                    'name that folder instead'
                )
        if out.resolve().is_relative_to(place.resolve()):
            raise UserError(
                f'{out} lies in {place}, so the next round would take its masks for images; '
                'name a folder elsewhere'
            )
        groups = {item: item.name for item in find_images(place)}
    left_out = {name for path in done for name in _names_in(Path(path))}
    groups = {item: group for item, group in groups.items() if item.name not in left_out}
    if not groups:
        raise UserError(f'all images of {place} are done')
    require_own_masks((item.name, item.source) for item in groups)
    return groups


def _names_in(path: Path) -> list[str]:
    if not path.is_file():
        raise UserError(f'{path} not found')
    try:
        with open(path, encoding='utf-8-sig', errors='surrogateescape', newline='') as file:
            return [row['image'] for row in csv.DictReader(file)]
    except (KeyError, csv.Error) as error:
        raise DataError(f'{path} is no table with a column image: {error!r}') from error


def _look(
    items: Sequence[Item], models: Sequence[SmokeInferencer], skipped: list[DataError]
) -> tuple[list[Item], Tensor, Tensor]:
    """Return the items that can be read, how much each is worth, and features of length 1."""
    kept, worth, features = [], [], []
    with noting_features(models[0].model) as noted:
        views = [model.one_by_one(items, with_scores=len(models) == 1) for model in models]
        predictions = zip(*views, strict=True)
        for item, found in zip(progress(items, text='looking'), predictions, strict=True):
            if errors := [one for one in found if isinstance(one, DataError)]:
                skipped.append(errors[0])
            else:
                kept.append(item)
                worth.append(_worth(found))
                features.append(torch.stack(noted).mean(0))
            noted.clear()
    if not kept:
        return [], torch.empty(0), torch.empty(0)
    return kept, torch.tensor(worth).nan_to_num(), F.normalize(torch.stack(features), dim=1)


def _worth(found: Sequence[Prediction]) -> float:
    if len(found) == 2:
        return float(mask_disagreement(*(torch.from_numpy(one.mask) for one in found)))
    (one,) = found
    if one.probabilities is not None:
        return float(label_entropy(torch.tensor(list(one.probabilities.values()))))
    return float(pixel_entropy(torch.from_numpy(one.scores)))


@contextmanager
def noting_features(model: nn.Module) -> Iterator[list[Tensor]]:
    """Note the mean of the last output [C] whenever a backbone has looked at one image.

    There are several of them where a model looks at several views.
    """
    model = getattr(model, 'first', model)  # of two segmentors that teach each other
    learner = getattr(model, 'learner', getattr(model, 'student', model))
    backbone = getattr(learner, 'backbone', None)
    if backbone is None:
        raise UserError(f'{type(model).__name__} has no backbone whose features could be compared')
    noted = []

    def note(_, __, output) -> None:
        while isinstance(output, list | tuple):
            output = output[-1]
        # maps [B, C, h, w] have the channels second; tokens [B, N, C] and vectors have them last
        channels = 1 if output.ndim == 4 else -1
        noted.append(output.detach().float().movedim(channels, -1).flatten(0, -2).mean(0).cpu())

    handle = backbone.register_forward_hook(note)
    try:
        yield noted
    finally:
        handle.remove()


def _draw(out: Path, found: Suggested, models: Sequence[SmokeInferencer]) -> None:
    """Write the first model's masks, and a sheet with a line for each image."""
    chosen, found.chosen, lines = found.chosen, [], []
    views = [model.one_by_one([one.item for one in chosen]) for model in models]
    for one in chosen:
        masks = [next(view) for view in views]
        try:
            picture = read_image(one.item.source)
        except DataError as error:  # by lot, an image is chosen before anybody has looked at it
            found.skipped.append(error)
            continue
        found.chosen.append(one)
        line = [framed(picture, None, (), f'{one.rank}: {one.score:.3f}')]
        for number, (model, prediction) in enumerate(zip(models, masks, strict=True), 1):
            line.append(framed(picture, prediction.mask, model.palette, f'model {number}'))
        lines.append(line)
        if masks:
            path = out / 'masks' / mask_name_of(one.item.name)
            save_png(path, masks[0].mask, models[0].palette)
    save_png(out / 'suggested.png', contact_sheet(lines))


def _write_table(path: Path, chosen: Sequence[Suggestion]) -> None:
    with atomic_path(path) as temporary, open_table(temporary) as file:
        table = csv.writer(file, lineterminator='\n')
        table.writerow(['image', 'score', 'rank', 'group'])
        for one in chosen:
            table.writerow([one.item.name, f'{one.score:.6f}', one.rank, one.group])
