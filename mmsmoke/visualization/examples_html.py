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
) -> dict:
    """Return the pictures of an example, as page.js reads them, no larger than the page needs.

    Args:
        picture: uint8 [H, W, 3] RGB.
        scores: [H, W] in [0, 1].
        mask, truth, label: [H, W], 0 background, 255 ignored: the segmentor's, the true one, and
            the pseudo mask that was learned from.
    """
    size = _fitting(picture.shape[:2])
    truth_values = np.full(picture.shape[:2], IGNORE) if truth is None else truth
    coded = np.where(truth_values == IGNORE, _UNKNOWN, np.where(truth_values > 0, 255, 0))
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
    return dict(
        truth=truth is not None,
        label=label is not None,
        picture=_encoded(shrunk, 'JPEG', quality=85),
        maps=_encoded(maps, 'PNG', optimize=True),
    )


def examples_html(
    examples: Sequence[Mapping], threshold: float, colour: Sequence[int], segmentor: bool
) -> str:
    """Return slider, filters and examples, for a page with the style and script of examples.

    Args:
        examples: dicts of what :func:`pack_example` gives and ``name``, ``split``, ``group``,
            ``outcome``, ``says`` (text), ``iou`` (in percent, or None) and ``tested`` (of what).
        threshold: where the slider stands first.
        colour: RGB of smoke.
        segmentor: whether there are masks of one.
    """
    heat = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[None], cv2.COLORMAP_TURBO)[0, :, ::-1]
    panels = ['image', 'CAM', 'CAM > threshold', 'pseudo mask', 'segmentor', 'truth']
    if not segmentor:
        panels.remove('segmentor')
    content = dict(
        examples=list(examples),
        threshold=threshold,
        heat=heat.tolist(),
        colour=list(colour),
        panels=panels,
    )
    # within a script element "</" and "<!--" mean something
    data = json.dumps(content).replace('<', '\\u003c')
    selects = ''.join(
        _select(name, list(dict.fromkeys(one[name] for one in examples))) for name in FILTERS
    )
    start = round(100 * threshold)
    return (
        f'<div class="controls">{selects}</div>'
        '<div class="controls slider"><label>threshold '
        f'<input type="range" id="threshold" min="0" max="100" value="{start}">'
        f'<output id="threshold-value" for="threshold">{threshold:.2f}</output></label>'
        f'<button type="button" id="reset">as chosen ({threshold:.2f})</button>'
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
