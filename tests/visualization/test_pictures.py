import numpy as np

from mmsmoke.visualization import contact_sheet, markdown_table, overlay_mask, overlay_scores

PALETTE = [[0, 0, 0], [255, 0, 0], [0, 0, 255]]


def grey(height=24, width=32):
    return np.full((height, width, 3), 100, np.uint8)


def test_mask_tints_its_own_pixels_only():
    mask = np.zeros((24, 32), np.uint8)
    mask[4:10, 4:10], mask[14:20, 14:20], mask[:3, 28:] = 1, 2, 255
    out = overlay_mask(grey(), mask, PALETTE, opacity=0.5)
    assert (out[mask == 0] == 100).all()
    assert (out[6, 6] == [177, 50, 50]).all()
    assert (out[16, 16] == [50, 50, 177]).all()
    assert (out[4, 4] == [255, 0, 0]).all(), 'the outline is opaque'
    assert (out[1, 30] == 114).all(), 'ignored pixels are grey'


def test_outline_alone_leaves_the_inside():
    mask = np.zeros((24, 32), np.uint8)
    mask[4:12, 4:12] = 1
    out = overlay_mask(grey(), mask, PALETTE, opacity=0)
    assert (out[8, 8] == 100).all() and (out[4, 8] == [255, 0, 0]).all()


def test_high_scores_are_red_low_ones_blue():
    scores = np.zeros((24, 32), np.float32)
    scores[:, 16:] = 0.9
    out = overlay_scores(grey(), scores).astype(int)
    assert (out[:, 16:, 0] > out[:, 16:, 2]).all()
    assert (out[:, :16, 2] >= out[:, :16, 0]).all()


def test_sheet_holds_every_picture_at_its_place():
    reds = [np.full((24, 32, 3), (200, 0, 0), np.uint8), grey()]
    blues = [grey(48, 32), np.full((48, 32, 3), (0, 0, 200), np.uint8)]
    sheet = contact_sheet([reds, blues], width=64)
    assert sheet.shape[1] == 2 * (64 + 6) + 6
    assert (sheet[20, 20] == [200, 0, 0]).all()
    assert (sheet[48 + 6 + 40, 6 + 64 + 6 + 20] == [0, 0, 200]).all()
    titled = contact_sheet([reds, blues], ['left', 'right'], width=64)
    assert titled.shape[0] > sheet.shape[0]
    assert (titled[: titled.shape[0] - sheet.shape[0]] < 128).any(), 'no ink in the titles'


def test_table_aligns_numbers_right_and_words_left():
    table = markdown_table(['what', '%'], [['CAM', '9.5'], ['segmentor', '100.0']])
    assert table.splitlines() == [
        '| what      |     % |',
        '| --------- | ----: |',
        '| CAM       |   9.5 |',
        '| segmentor | 100.0 |',
    ]
