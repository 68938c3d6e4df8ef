"""Put examples on a page, with a slider by which the reader thresholds their maps anew."""

import io
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mmsmoke.functional import IGNORE
from mmsmoke.utils.thresholds import Value, in_words

from .html import data_uri

FILTERS = ('split', 'group', 'outcome')
SIDE = 320
"""Longest side of the pictures on the page, in pixels."""
_FILES = Path(__file__).with_name('report_page')
_UNKNOWN = 128
_SEGMENTOR, _LABEL, _LABEL_OPEN = 128, 64, 32


def pack_example(
    picture: np.ndarray,
    scores: np.ndarray,
    mask: np.ndarray | None = None,
    truth: np.ndarray | None = None,
    label: np.ndarray | None = None,
    best: np.ndarray | None = None,
) -> dict:
    """Return the pictures of an example, as page.js reads them, no larger than the page needs.

    Args:
        picture: uint8 [H, W, 3] RGB.
        scores: [H, W] in [0, 1].
        mask, truth, label: [H, W], 0 background, 255 ignored: the segmentor's, the true one, and
            the pseudo mask that was learned from.
        best: [H, W], whose score it is, 1 for the first class; None if there is only one.
    """
    size = _fitting(picture.shape[:2])
    truth_values = np.full(picture.shape[:2], IGNORE) if truth is None else truth
    known = np.where(truth_values > 0, 255, 0) if best is None else truth_values
    coded = np.where(truth_values == IGNORE, _UNKNOWN, known)
    bits = np.zeros(picture.shape[:2], np.uint8)
    if mask is not None:
        bits[(mask > 0) & (mask != IGNORE)] |= _SEGMENTOR
    if label is not None:
        bits[(label > 0) & (label != IGNORE)] |= _LABEL
        bits[label == IGNORE] |= _LABEL_OPEN
    channels = [
        (cv2.resize(scores.astype(np.float32), size) * 255).round().clip(0, 255),
        _nearest(bits, size),
        _nearest(coded, size),
    ]
    maps = np.stack(channels, -1).astype(np.uint8)
    shrunk = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    of_classes = {}
    if best is not None:
        blank = np.zeros(picture.shape[:2], np.uint8)
        called = (best, *(blank if one is None else one for one in (mask, label)))
        values = np.stack([_nearest(one, size) for one in called], -1)
        of_classes['classes'] = _encoded(values, 'PNG', optimize=True)
    return dict(
        **of_classes,
        truth=truth is not None,
        label=label is not None,
        picture=_encoded(shrunk, 'JPEG', quality=85),
        maps=_encoded(maps, 'PNG', optimize=True),
    )


def examples_html(
    examples: Sequence[Mapping],
    threshold: Value,
    colours: Mapping[str, Sequence[int]],
    segmentor: bool,
) -> str:
    """Return slider, filters and examples, for a page with the style and script of examples.

    Args:
        examples: dicts of what :func:`pack_example` gives and ``name``, ``split``, ``group``,
            ``outcome``, ``says`` (text), ``iou`` (in percent, or None) and ``tested`` (of what).
        threshold: where the slider stands first; of several classes with thresholds of their own,
            at the mean of these, and it moves all of them in proportion.
        colours: RGB of each class, by its name.
        segmentor: whether there are masks of one.
    """
    heat = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[None], cv2.COLORMAP_TURBO)[0, :, ::-1]
    panels = ['image', 'CAM', 'CAM > threshold', 'pseudo mask', 'segmentor', 'truth']
    if not segmentor:
        panels.remove('segmentor')
    start = threshold
    if isinstance(threshold, Mapping):
        start = sum(threshold.values()) / len(threshold)
    content = dict(
        examples=list(examples),
        threshold=start,
        heat=heat.tolist(),
        classes=[dict(name=name, colour=list(colour)) for name, colour in colours.items()],
        panels=panels,
    )
    # within a script element "</" and "<!--" mean something
    data = json.dumps(content).replace('<', '\\u003c')
    selects = ''.join(
        _select(name, list(dict.fromkeys(one[name] for one in examples))) for name in FILTERS
    )
    return (
        f'<div class="controls">{selects}<span id="legend"></span></div>'
        '<div class="controls slider"><label>threshold '
        f'<input type="range" id="threshold" min="0" max="100" value="{round(100 * start)}">'
        f'<output id="threshold-value" for="threshold">{start:.2f}</output></label>'
        f'<button type="button" id="reset">as chosen ({escape(in_words(threshold))})</button>'
        '<span id="status" role="status"></span></div><div id="cards"></div>'
        '<noscript>The examples are drawn by a script, which this browser does not run.</noscript>'
        f'<script type="application/json" id="data">{data}</script>'
    )


def examples_style() -> str:
    return _read('page.css')


def examples_script() -> str:
    return _read('page.js')


def _select(name: str, options: Sequence[str]) -> str:
    items = ''.join(
        f'<option value="{escape(option)}">{escape(option)}</option>'
        for option in ('all', *options)
    )
    return f'<label>{name} <select id="{name}">{items}</select></label>'


def _fitting(shape: Sequence[int]) -> tuple[int, int]:
    """Return (width, height) within SIDE; small pictures stay as they are."""
    scale = min(1.0, SIDE / max(shape))
    return max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale))


def _nearest(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(values.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)


def _encoded(pixels: np.ndarray, form: str, **options) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form, **options)
    return data_uri(file.getvalue(), f'image/{form.lower()}')


def _read(name: str) -> str:
    return (_FILES / name).read_text(encoding='utf-8')
