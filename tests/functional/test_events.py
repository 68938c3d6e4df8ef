import numpy as np
import pytest

from mmsmoke.functional import Event, find_events


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
