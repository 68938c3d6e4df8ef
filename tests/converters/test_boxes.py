import pytest

from mmsmoke.converters.boxes import REMOVED, final_box

MODEL = (358, 197, 191, 208)


def record(state, *feedback, admin=-1, model=MODEL):
    """Feedback: (code, time, box)."""
    named = dict(zip(('x_bbox', 'y_bbox', 'w_bbox', 'h_bbox'), model, strict=True))
    return named | dict(
        label_state=state,
        label_state_admin=admin,
        feedback_filtered=[
            dict(feedback_code=code, time=time)
            | dict(zip(('x_bbox', 'y_bbox', 'w_bbox', 'h_bbox'), box, strict=True))
            for code, time, box in feedback
        ],
    )


A = (1, 1745405268, (339, 197, 239, 221))
B = (1, 1745405092, (358, 165, 233, 235))
KEPT = (0, 1745405100, (None,) * 4)
GONE = (2, 1745405200, (-1,) * 4)


def test_the_worked_example():
    assert final_box(record(10, A, KEPT, B)) == (358, 197, 191, 203)
    assert final_box(record(4, A, B)) == (358, 197, 220, 203)


@pytest.mark.parametrize('state', [3, 11])
def test_kept_boxes_are_those_of_the_model(state):
    assert final_box(record(state, KEPT, KEPT)) == MODEL


@pytest.mark.parametrize('state', [5, 12, 14, 18])
def test_removed_boxes(state):
    assert final_box(record(state, GONE, GONE)) == REMOVED


@pytest.mark.parametrize('state', [-1, 0, 1, 2, 6, 7, 8, -2])
def test_open_votes_decide_nothing(state):
    assert final_box(record(state, A)) is None


def test_a_researcher_wins():
    assert final_box(record(5, GONE, GONE, admin=16)) == MODEL
    assert final_box(record(3, KEPT, admin=18)) == REMOVED
    assert final_box(record(3, KEPT, admin=-2)) is None
    gold = [(17, 10, (1, 2, 30, 40)), (17, 20, (5, 6, 70, 80)), (1, 99, (9, 9, 9, 9))]
    assert final_box(record(5, *gold, admin=17)) == (5, 6, 70, 80)
    assert final_box(record(5, admin=17)) is None


def test_of_three_edits_the_two_newest_count():
    old = (1, 1, (0, 0, 20, 20))
    assert final_box(record(13, old, A, B, GONE)) == (358, 197, 220, 203)


@pytest.mark.parametrize('state', [9, 15])
def test_one_edit_meets_the_box_of_the_model(state):
    assert final_box(record(state, A, KEPT, GONE)) == (358, 197, 191, 208)
    assert final_box(record(state, KEPT, GONE)) is None


def test_boxes_that_hardly_meet_decide_nothing():
    # record 21 of the file of August 2025
    edits = [(1, 1746000053, (0, 258, 199, 94)), (1, 1746047060, (1, 251, 28, 48))]
    assert final_box(record(13, *edits)) is None
    flat = [(1, 1, (5, 5, 0, 0)), (1, 2, (5, 5, 0, 0))]
    assert final_box(record(4, *flat)) is None
    thin = [(1, 1, (0, 0, 10, 100)), (1, 2, (0, 0, 10, 100))]
    assert final_box(record(4, *thin)) is None


def test_boxes_apart_in_both_directions_do_not_meet():
    apart = [(1, 1, (0, 0, 100, 100)), (1, 2, (900, 900, 100, 100))]
    assert final_box(record(4, *apart)) is None
