import csv

import numpy as np
from PIL import Image

from mmsmoke.reports.browse import draw_samples

ORANGE = (255, 128, 0)


def test_a_line_for_each_split_and_label_with_outlined_masks(tiny_dataset, tmp_path):
    root = tiny_dataset(splits=dict(dusk=2, test=4, train=16), size=(64, 32))
    with open(root / 'labels.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    draw_samples(tmp_path / 'sheet.png', root, rows, columns=3, side=64)
    sheet = np.asarray(Image.open(tmp_path / 'sheet.png'))
    gap, caption, side = 6, 28, 64
    # train, test, dusk, each with smoke and without
    assert sheet.shape == (6 * (caption + side + gap), 3 * (side + gap) + gap, 3)
    found = (sheet == ORANGE).all(-1)
    tops = range(0, sheet.shape[0], caption + side + gap)
    lefts = [gap + column * (side + gap) for column in range(3)]
    outlined = [
        [bool(found[top : top + side + caption, left : left + side].any()) for left in lefts]
        for top in tops
    ]
    assert outlined == [
        [True] * 3, [False] * 3,  # train has eight of each
        [True, True, False], [False] * 3,  # test has two of each
        [True, False, False], [False] * 3,
    ]  # fmt: skip
    # a picture twice as wide as high has paper above and below
    assert (sheet[caption : caption + 15, gap : gap + side] == 255).all()
