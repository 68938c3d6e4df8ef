from mmsmoke.functional import Event, compare_events
from mmsmoke.functional.event_match import overlap


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
