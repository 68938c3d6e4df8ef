"""Write the report of a pipeline: one HTML file that needs no other, and no network."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from mmsmoke.inference.predictor import Predictor
from mmsmoke.utils import atomic_path
from mmsmoke.utils.thresholds import Value, in_words
from mmsmoke.visualization.examples_html import examples_html, examples_script, examples_style
from mmsmoke.visualization.html import html_charts, html_page, html_table

from .class_tables import class_tables
from .curves import details_of, images_of, threshold_charts, training_charts
from .report_examples import ExampleMaker
from .sheets import draw_examples
from .summary import cells_of, numbers_by_split, runs_of, splits_of, stages_of, summary_rows

_BIAS = {
    'accuracy': 'label/accuracy',
    'confusion': 'companion/confusion',
    'companions called smoke': 'companion/confused_pixels',
    'energy on companions': 'companion/energy',
    'pointing': 'companion/pointing',
    'CAM: false alarms': 'deployed/false_images',
    'masks: false alarms': 'seg/false_images',
}
_HOW_TO_READ_BIAS = """
<p>Do the models see smoke, or what comes together with it? <b>confusion</b>: pixels called smoke on
companions such as chimneys, by those called so rightly, in percent. <b>energy on companions</b>:
share of a map's sum that lies there. <b>pointing</b>: share of the maps that are highest on smoke.
<b>false alarms</b>: share of the clear images in which smoke is outlined.</p>
"""
_TO_THE_READER = (
    '<p>In percent: mean ± standard deviation over the seeds. Foreground IoU is that of the smoke '
    'alone (of several classes: the mean of theirs), the mean over the images that have any; '
    'false alarms are clear images in which more '
    'than 0.1 % of the pixels are called smoke. CAMs and pseudo masks are told which classes are '
    'in an image, segmentors are not. Numbers on the split on which a threshold was chosen (see '
    'Protocol) are better than on other images.</p>'
)


def write_report(folder: Path, result: Mapping, picture_split: str) -> Path:
    """Write ``report/index.html``, and a sheet of examples as PNG, into a pipeline's folder.

    Examples are those of the first seed.

    Args:
        result: of :func:`mmsmoke.experiments.pipeline.run_pipeline`.
    """
    chain = result['chains'][0]
    classifier, segmentor = chain['classify'], final_segmentor(chain)
    threshold = _threshold(chain)
    models = [Predictor(one) for one in (classifier, segmentor) if one]
    draw_examples(folder, models, threshold, picture_split)
    splits = list(classifier['splits'])
    details = [details_of(one) for one in (classifier, segmentor) if one]
    sections = {
        'Results': html_table(*summary_rows(result), title='results') + _TO_THE_READER,
        'Classes': class_tables(result['chains']),
        'Thresholds': threshold_charts(result['chains'], [*splits[:1], picture_split]),
        'Training': training_charts(result['chains']),
        'Companions': _bias(result['chains']),
        'Examples': _examples(models, details, splits, threshold, chain['label'], folder),
        'Protocol': _protocol(result),
    }
    title = f'mmsmoke: {Path(result["pipeline"]).stem}'
    page = html_page(title, _body(result, sections), examples_style(), examples_script())
    path = folder / 'report' / 'index.html'
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding='utf-8')
    return path


def final_segmentor(chain: Mapping) -> Mapping | None:
    """Return the result of the last segmentor that learned from pseudo masks, or None."""
    trained = [name for name in chain if name.split('-')[0] in ('segment', 'resegment')]
    return chain[trained[-1]] if trained else None


def _threshold(chain: Mapping) -> Value:
    chosen = chain['classify']['protocol']['threshold']
    return chain['label']['protocol']['threshold'] if chosen is None else chosen


def _body(result: Mapping, sections: Mapping[str, str | list[str]]) -> str:
    shown = {title: content for title, content in sections.items() if content}
    links = ''.join(f'<a href="#{title.lower()}">{title}</a>' for title in shown)
    parts = [f'<h1>{escape(str(result["pipeline"]))}</h1><nav>{links}</nav>']
    for title, content in shown.items():
        if isinstance(content, list):
            content = html_charts(content, title)
        parts.append(f'<section id="{title.lower()}"><h2>{title}</h2>{content}</section>')
    return '\n'.join(parts)


def _bias(chains: Sequence[Mapping]) -> str:
    """Return the section on companions; '' if the data have neither companions nor clear images."""
    rows = []
    for stage in stages_of(chains[0]):
        for split, runs in numbers_by_split(chains, stage).items():
            cells = cells_of(runs, _BIAS.values())
            if any(cells[1:]):
                rows.append([stage, split, *cells])
    used = [0, 1, *(i for i in range(2, len(_BIAS) + 2) if any(row[i] for row in rows))]
    header = ['stage', 'split', *_BIAS]
    if not rows:
        return ''
    return _HOW_TO_READ_BIAS + html_table(
        [header[i] for i in used], [[row[i] for i in used] for row in rows], title='companions'
    )


def _examples(
    models: Sequence[Predictor],
    details: Sequence[Mapping],
    splits: Sequence[str],
    threshold: Value,
    label: Mapping,
    folder: Path,
) -> str:
    maker = ExampleMaker(models, threshold)
    examples = []
    for split in splits:
        numbers = details[-1].get(split, {})
        if len(models) > 1:
            images = images_of(numbers, 'seg')
        else:  # clear images as in use, as their maps are shown
            clear = {k: v for k, v in images_of(numbers, 'deployed').items() if not v['true']}
            images = images_of(numbers, 'cam') | clear
        examples += maker.of_split(split, images)
    masks = folder / f'seed-{label["seed"]}' / 'label' / 'masks'
    if masks.is_dir():
        examples += maker.of_label_run(label['split'], masks)
    return (
        '<p>These are the best, median and worst images of each split by IoU, false alarms and '
        'clear images, of the first seed. Training images are chosen by the IoU of their pseudo '
        'masks. Maps show the classes of the image’s label; for clear images they show what the '
        'classifier predicts. Move the slider to change the threshold of the maps; the mean is '
        'over the examples shown, not over a split.</p>'
    ) + examples_html(examples, threshold, maker.colours, len(models) > 1)


def _seen(run: Mapping) -> str:
    """Say how many true masks a stage has learned from, and by which lot, where they are few."""
    seen = run.get('true_masks')
    return f'{seen["number"]} (lot {seen["seed"]})' if seen else ''


def _protocol(result: Mapping) -> str:
    rows = []
    for stage in stages_of(result['chains'][0]):
        for run in runs_of(result['chains'], stage):
            protocol, checkpoint = run['protocol'], run.get('checkpoint')
            rows.append(
                [
                    stage,
                    run['seed'],
                    ', '.join(splits_of(run)),
                    _cell(protocol['threshold']),
                    protocol['threshold_mode'],
                    protocol['threshold_split'] or '',
                    checkpoint['sha256'][:12] if checkpoint else '',
                    _seen(run),
                ]
            )
    header = ['stage', 'seed', 'measured on', 'threshold', 'mode', 'chosen on', 'checkpoint']
    if any(row[-1] for row in rows):
        header.append('true masks seen in training')
    rows = [row[: len(header)] for row in rows]
    environment = escape(json.dumps(result['environment']))
    data = f'data: {escape(result["data_root"])}. ' if result['data_root'] else ''
    return (
        html_table(header, rows, title='protocol')
        + '<p>A threshold of mode <b>dataset</b> or <b>per_class</b> was chosen on the split named '
        'and used on all others.</p>'
        f'<p>{data}Made with: {environment}</p>'
    )


def _cell(threshold: Value | None) -> float | str:
    if isinstance(threshold, Mapping):
        return in_words(threshold)
    return '' if threshold is None else threshold
