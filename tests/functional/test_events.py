import numpy as np
import pytest

from mmsmoke.functional import Event, compare_events, find_events
from mmsmoke.functional.events import overlap


def naive(times, shares, high, low, min_seconds, merge_seconds):
    """Find (start, end) by the definition, one rule after the other."""
    state, states = False, []
    for share in shares:
        state = share >= high or (state and share >= low)
        states.append(state)
    runs = []
    for k, state in enumerate(states):
        if state and not (k and states[k - 1]):
            runs.append([times[k], times[k]])
        elif state:
            runs[-1][1] = times[k]
    merged = True
    while merged:
        merged = False
        for k in range(len(runs) - 1):
            if runs[k + 1][0] - runs[k][1] <= merge_seconds:
                runs[k : k + 2] = [[runs[k][0], runs[k + 1][1]]]
                merged = True
                break
    return [tuple(run) for run in runs if run[1] - run[0] >= min_seconds]


@pytest.mark.parametrize('seed', range(40))
def test_events_are_those_of_the_definition(seed):
    dice = np.random.default_rng(seed)
    times = np.cumsum(dice.uniform(0.5, 3, 60)).tolist()
    shares = dice.uniform(0, 1, 60).round(1).tolist()
    settings = (0.7, 0.4, dice.choice([0, 4]), dice.choice([0, 3, 10]))
    found = find_events(times, shares, *settings)
    assert [(one.start, one.end) for one in found] == naive(times, shares, *settings)
    for one in found:
        inside = [s for t, s in zip(times, shares, strict=True) if one.start <= t <= one.end]
        assert one.frames == len(inside) and one.peak == max(inside) >= 0.7
        assert one.mean == pytest.approx(np.mean(inside))
        assert shares[times.index(one.peak_time)] == one.peak


def test_one_event_told_in_full():
    found = find_events([0, 10, 20, 30, 40], [0.1, 0.5, 0.3, 0.7, 0.0], 0.5, 0.2)
    assert found == [Event(10, 30, 0.7, 30, pytest.approx(0.5), 3)]


def test_with_one_threshold_the_runs_of_a_truth_are_its_events():
    found = find_events(range(6), [1, 1, 0, 0, 1, 0], 1, 1)
    assert [(one.start, one.end, one.mean) for one in found] == [(0, 1, 1), (4, 4, 1)]


def test_short_events_are_dropped_after_neighbours_were_merged():
    shares = [1, 0, 1, 0, 0, 0, 0, 1]
    found = find_events(range(8), shares, 1, 1, min_seconds=2, merge_seconds=2)
    assert [(one.start, one.end) for one in found] == [(0, 2)]


def test_nothing_comes_of_nothing():
    assert find_events([], [], 0.5, 0.5) == find_events([0, 1], [0.4, 0.4], 0.5, 0.1) == []


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (([0], [0], 0.2, 0.3), 'low must not exceed high'),
        (([0, 1], [0], 0.3, 0.2), '2 times of 1 shares'),
        (([1, 0], [0, 0], 0.3, 0.2), 'times must ascend'),
    ],
)
def test_what_makes_no_series_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        find_events(*arguments)


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
