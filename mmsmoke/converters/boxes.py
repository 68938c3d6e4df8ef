"""Choose which of the boxes that several people drew, kept or removed is to be believed."""

from collections.abc import Mapping

Box = tuple[int, int, int, int]  # x and y of the top left corner, width, height

REMOVED = 'removed'
EDIT = 1
GOLD_EDIT = 17
LEAST_SIDE, LEAST_IOU = 10, 0.5
_KEPT_STATES, _REMOVED_STATES = (3, 11, 16), (5, 12, 14, 18)


def final_box(record: Mapping) -> Box | str | None:
    """Return the box that people agree on, ``REMOVED`` if they agree on none, None if on nothing.

    A researcher's word (``label_state_admin``) wins over the volunteers' votes (``label_state``).
    """
    admin, votes = record['label_state_admin'], record['label_state']
    if -2 in (admin, votes):
        return None
    state = admin if admin in (16, 17, 18) else votes
    model = tuple(record[f'{name}_bbox'] for name in 'xywh')
    if state in _KEPT_STATES:
        return model
    if state in _REMOVED_STATES:
        return REMOVED
    if state == GOLD_EDIT:
        return next(iter(_drawn(record, GOLD_EDIT)), None)
    edits = _drawn(record, EDIT)
    if state in (4, 13):
        return _agreed(*edits[:2])
    if state == 10:
        both = _agreed(*edits[:2])
        return both and _agreed(both, model)
    if state in (9, 15):
        return _agreed(*edits[:1], model)
    return None


def _drawn(record: Mapping, code: int) -> list[Box]:
    """Return the boxes of this kind of feedback, the newest first."""
    found = [one for one in record['feedback_filtered'] if one['feedback_code'] == code]
    found.sort(key=lambda one: one['time'], reverse=True)
    boxes = [tuple(one[f'{name}_bbox'] for name in 'xywh') for one in found]
    return [box for box in boxes if None not in box and min(box) >= 0 and min(box[2:]) > 0]


def _agreed(*boxes: Box) -> Box | None:
    """Return what two boxes have in common, if there are two and that is most of them."""
    if len(boxes) < 2:
        return None
    (x1, y1, w1, h1), (x2, y2, w2, h2) = boxes
    x, y = max(x1, x2), max(y1, y2)
    # boxes apart in both directions would have a positive product of negative sides
    width = max(0, min(x1 + w1, x2 + w2) - x)
    height = max(0, min(y1 + h1, y2 + h2) - y)
    common = width * height
    iou = common / (w1 * h1 + w2 * h2 - common)
    big = width > LEAST_SIDE and height > LEAST_SIDE
    return (x, y, width, height) if big and iou >= LEAST_IOU else None
