"""Write the page of the co-occurrence benchmark: one HTML file that needs no other."""

from collections.abc import Mapping
from html import escape
from pathlib import Path

import numpy as np

from mmsmoke.datasets.pictures import read_image
from mmsmoke.datasets.smokestack.drawing.counterfactuals import KINDS
from mmsmoke.datasets.table import spread
from mmsmoke.functional import cams_to_scores, scores_to_mask
from mmsmoke.inference.predictor import Predictor
from mmsmoke.utils import atomic_path, read_json, save_png
from mmsmoke.visualization import contact_sheet, overlay_mask, overlay_scores
from mmsmoke.visualization.html import data_uri, html_charts, html_page, html_table

from .sweep_tables import sweep_chart, sweep_rows

TITLES = dict(
    both='smoke + chimney',
    smoke='smoke alone',
    chimney='chimney alone',
    neither='neither',
    moved='smoke elsewhere',
)
SCENES, WIDTH = 6, 176
CURVES = ('reliance', 'chimney called smoke', 'CAM IoU', 'CAM IoU, smoke moved')
HOW_TO_READ = """
<p>Each scene is drawn five times, and nothing but its smoke and its chimneys differs: with both,
with the smoke alone, with the chimneys alone, with neither, and with the smoke risen elsewhere.</p>
<dl>
<dt>false alarms</dt><dd>share of the clear images, half of them with a chimney, in which something
is outlined; 0 is best.</dd>
<dt>reliance</dt><dd>size of the chimney's effect on the logit, by the sizes of the effects of
chimney and smoke (Shapley values of two causes): 0 for a classifier that reads smoke, 100 for one
that reads chimneys.</dd>
<dt>chimney called smoke</dt><dd>share of the scenes with chimneys alone that are called smoke;
0 is best.</dd>
<dt>flips without smoke / without chimney</dt><dd>share of the decisions that change when it is
taken away; 100 and 0 are best.</dd>
<dt>response without smoke</dt><dd>activation that is left when the smoke is taken away, of maps
that are not normalised; 0 is best.</dd>
<dt>CAM IoU, smoke moved</dt><dd>do the maps follow the smoke, where it leaves its chimney?</dd>
<dt>same map</dt><dd>IoU of the maps with and without the chimneys; 100 is best.</dd>
<dt>confusion, energy on chimneys, pointing</dt><dd>of maps of ordinary scenes: pixels called smoke
on chimneys by those called so rightly; share of a map's sum on chimneys; share of the maps that are
highest on smoke.</dd>
</dl>
"""


def write_page(path: Path, result: Mapping, title: str, own: Mapping) -> None:
    """Write the page, and the picture of maps in it as PNG beside it.

    Args:
        result: of all methods to show.
        own: the result of the one method whose rows stand out and whose maps are shown.
    """
    variants = {run['variant'] for run in own['runs']}
    header, rows = sweep_rows(result)
    parts = [
        f'<h1>{escape(title)}</h1>',
        HOW_TO_READ,
        '<h2>Numbers</h2>',
        '<p>In percent; mean ± standard deviation over the seeds, or, of one checkpoint, the 95 % '
        'interval over the scenes.</p>',
        html_table(header, rows, variants),
    ]
    if 'curves' in result:
        heading = 'The more often chimneys mean smoke in training'
        charts = filter(None, (sweep_chart(result, column) for column in CURVES))
        parts.append(f'<h2>{heading}</h2>{html_charts(charts, heading)}')
    first = own['runs'][0]
    picture = path.with_suffix('.png')
    save_png(picture, pairs_sheet(read_json(first['result'])))
    data = data_uri(picture.read_bytes(), 'image/png')
    parts.append('<h2>Maps</h2><p>Outlined: where the map exceeds its threshold.</p>')
    parts.append(f'<img alt="maps of {escape(first["variant"])}" src="{data}">')
    with atomic_path(path) as temporary:
        temporary.write_text(html_page(title, '\n'.join(parts)), encoding='utf-8')


def pairs_sheet(tested: Mapping) -> np.ndarray:
    """Draw the maps of some scenes, evenly spread, in all their kinds.

    Args:
        tested: what tools/test.py wrote about the classifier.
    """
    predictor = Predictor(tested)
    dataset = predictor.dataset('pairs')
    threshold = tested['protocol']['threshold']
    infos = [dataset.get_data_info(index)['columns'] for index in range(len(dataset))]
    at = {(one['scene'], one['kind']): index for index, one in enumerate(infos)}
    names = list(dict.fromkeys(one['scene'] for one in infos))
    rows = []
    for place in spread(len(names), min(SCENES, len(names))):
        row = []
        for kind in KINDS:
            sample = predictor(dataset[at[names[place], kind]])
            picture = read_image(sample.img_path)
            normalize = sample.get('cam_normalize', 'minmax')
            scores = cams_to_scores(sample.cams, picture.shape[:2], None, normalize)
            heat = overlay_scores(picture, scores.max(0).values.numpy(), opacity=0.45)
            mask = scores_to_mask(scores, threshold).numpy()
            row.append(overlay_mask(heat, mask, dataset.metainfo['palette'], opacity=0))
        rows.append(row)
    return contact_sheet(rows, [TITLES[kind] for kind in KINDS], WIDTH)
