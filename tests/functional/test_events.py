"""Events: equal to what somebody finds who sees the whole series, however it is cut."""

import json
import math

import numpy as np
import pytest

from mmsmoke.functional import (
    Event,
    EventRule,
    advance,
    changed,
    find_events,
    finish,
    open_event,
    toward_median,
)


def naive(times, shares, rule):
    """Frames of events first, as sets of indices; then what is said of them."""
    inside, runs = False, []
    for k, share in enumerate(shares):
        if inside and (share < rule.low or times[k] - times[k - 1] > rule.gap_seconds):
            inside = False
        if not inside and share >= rule.high:
            inside = True
            runs.append([k, k])
        if inside:
            runs[-1][1] = k
    merged = []
    for first, last in runs:
        if merged and times[first] - times[merged[-1][1]] <= rule.merge_seconds:
            merged[-1][1] = last
        else:
            merged.append([first, last])
    merged = [
        range(first, last + 1)
        for first, last in merged
        if times[last] - times[first] >= rule.min_seconds
    ]
    events = []
    for run in merged:
        top = max(run, key=lambda k: (shares[k], -k))
        total = math.fsum(shares[k] for k in run)
        events.append(
            Event(
                times[run[0]], times[run[-1]], shares[top], times[top], total / len(run), len(run),
                confidence=top / 100, place=(top, 2 * top),
            )
        )  # fmt: skip
    return events


def series(seed):
    """A walk that crosses the thresholds often, at uneven times, some of them equal."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(0, 80))
    times = np.cumsum(rng.choice([0, 1, 2, 5, 30], count)).astype(float).tolist()
    shares = np.round(np.abs(np.cumsum(rng.normal(0, 0.4, count))) % 2, 2).tolist()
    low = float(rng.uniform(0.1, 0.8))
    rule = EventRule(
        high=low + float(rng.choice([0, rng.uniform(0, 0.8)])),
        low=low,
        min_seconds=float(rng.choice([0, 1, 10])),
        merge_seconds=float(rng.choice([0, 1, 6, 40])),
        gap_seconds=float(rng.choice([3, 20, math.inf])),
    )
    return times, shares, rule


def streamed(times, shares, rule, cut=-1):
    state, events = {}, []
    for k, (time, share) in enumerate(zip(times, shares, strict=True)):
        if k == cut:
            state = json.loads(json.dumps(state))
        state, final = advance(state, rule, time, share, k / 100, (k, 2 * k))
        events += final
    return events + finish(state, rule)[1]


def assert_same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.mean == pytest.approx(other.mean)
        assert vars(one) | dict(mean=0) == vars(other) | dict(mean=0)


def test_streamed_events_are_those_of_the_whole_series():
    found = 0
    for seed in range(300):
        times, shares, rule = series(seed)
        expected = naive(times, shares, rule)
        assert_same(streamed(times, shares, rule), expected)
        if rule.gap_seconds == math.inf:
            options = rule.high, rule.low, rule.min_seconds, rule.merge_seconds
            whole = find_events(times, shares, *options)
            assert [one.start for one in whole] == [one.start for one in expected]
            assert [one.frames for one in whole] == [one.frames for one in expected]
        found += len(expected)
    assert found > 500


@pytest.mark.parametrize('seed', range(20))
def test_a_series_may_be_cut_anywhere(seed):
    times, shares, rule = series(seed)
    expected = streamed(times, shares, rule)
    for cut in range(len(times)):
        assert streamed(times, shares, rule, cut) == expected


def test_an_event_is_final_once_nothing_can_change_it():
    rule = EventRule(high=2, low=1, merge_seconds=10)
    state, said = {}, []
    for time, share in [(0, 2), (1, 0), (9, 3), (10, 0), (18, 1), (19, 0), (20, 0)]:
        before = json.dumps(state)
        new, final = advance(state, rule, time, share)
        assert json.dumps(state) == before  # a state is never changed
        state = new
        said += [(time, one.start, one.end, one.frames, one.mean) for one in final]
        if not said:
            assert open_event(state).start == 0
    assert said == [(20, 0, 9, 3, 5 / 3)]
    assert open_event(state) is None and finish(state, rule)[1] == []


def test_mistakes_are_named():
    for low, high in ((2, 1), (math.nan, 1)):
        with pytest.raises(ValueError, match='low must not exceed high'):
            EventRule(high=high, low=low)
    with pytest.raises(ValueError, match='merge_seconds must not be negative'):
        EventRule(2, 1, merge_seconds=-1)
    with pytest.raises(ValueError, match='time goes back from 2 to 1'):
        find_events([2, 1], [0, 0], 2, 1)
    with pytest.raises(ValueError, match='share must be a number'):
        find_events([1], [math.nan], 2, 1)


def test_the_background_is_the_median_and_what_moves_differs_from_it():
    rng = np.random.default_rng(0)
    still = rng.integers(40, 200, (6, 8)).astype(np.uint8)
    background = np.full_like(still, 120)
    for k in range(400):
        picture = still + rng.integers(-3, 4, still.shape).astype(np.uint8)
        picture[2, k % 8] = 255  # something that passes
        background = toward_median(background, picture)
    assert np.abs(background.astype(int) - still).max() <= 4
    picture = still.copy()
    picture[2, 3] = 255
    assert np.argwhere(changed(background, picture, 20)).tolist() == [[2, 3]]
    for value in (0, 255):  # nothing wraps around
        flat = np.full((2, 2), value, np.uint8)
        assert (toward_median(flat, 255 - flat) == abs(value - 1)).all()
