import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from mmsmoke.functional import Event, Watched, compare_events, event_numbers
from mmsmoke.functional.event_match import overlap, pair_events


def test_events_overlap_if_they_share_a_moment():
    one, two, three = (Event(a, b, 1, a, 1, 1) for a, b in ((0, 4), (4, 5), (4.5, 9)))
    assert overlap(one, two) and overlap(two, three) and not overlap(one, three)
    assert overlap(three, two) and not overlap(three, one)


def at(*spans):
    return [Event(start, end, 1, start, 1, 1) for start, end in spans]


def test_found_events_are_right_or_false_and_true_ones_found_after_some_delay():
    found = at((0, 1), (12, 15), (18, 19), (40, 50))
    true = at((10, 20), (30, 31), (45, 46))
    assert compare_events(found, true) == ([False, True, True, True], [2, None, 0])


def test_nothing_found_and_nothing_true():
    assert compare_events([], at((0, 1))) == ([], [None])
    assert compare_events(at((0, 1)), []) == ([False], [])


@pytest.mark.parametrize('seed', range(20))
def test_as_many_events_are_paired_as_can_be(seed):
    rng = np.random.default_rng(seed)
    found, true = (
        at(*np.sort(rng.choice(60, 2 * count, replace=False)).reshape(-1, 2).tolist())
        for count in rng.integers(1, 9, 2)
    )
    overlaps = np.array([[overlap(one, other) for other in true] for one in found])
    best = overlaps[linear_sum_assignment(overlaps, maximize=True)].sum()
    assert pair_events(found, true) == pair_events(true, found) == best


def test_an_event_that_never_ends_is_no_good_monitor():
    true, times = at((10, 20), (40, 50), (70, 80)), range(0, 100, 10)
    numbers = event_numbers([Watched(times, at((0, 90)), true)])
    assert numbers['precision'] == numbers['recall'] == 100
    assert numbers['f1'] == 50 and numbers['false_alarms'] == 0
    assert numbers['found'] == 864  # one in 100 seconds
