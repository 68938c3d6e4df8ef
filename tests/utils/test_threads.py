import threading
import time

import pytest

from mmsmoke.utils.threads import iterate_ahead, map_ahead


def test_results_come_in_the_order_of_the_items():
    def slow_first(number):
        time.sleep(0.05 if number == 0 else 0)
        return number * number

    assert list(map_ahead(slow_first, range(9), 3, 4)) == [n * n for n in range(9)]
    assert list(map_ahead(slow_first, [], 3, 4)) == []
    assert list(iterate_ahead(iter('smoke'), 2)) == list('smoke')


@pytest.mark.parametrize('way', ['map', 'iterate'])
def test_no_more_is_begun_than_was_asked_for(way):
    begun = []

    def items():
        for number in range(100):
            begun.append(number)
            yield number

    ahead = map_ahead(str, items(), 2, 3) if way == 'map' else iterate_ahead(items(), 3)
    next(ahead)
    ahead.close()
    assert len(begun) <= 5


@pytest.mark.parametrize('way', ['function', 'items'])
def test_errors_reach_the_consumer_in_their_place(way):
    def items():
        yield from range(3)
        raise ValueError('three')

    def function(number):
        if number == 3:
            raise ValueError('three')
        return number

    ahead = map_ahead(function, range(9), 2, 4) if way == 'function' else iterate_ahead(items(), 4)
    assert [next(ahead) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match='three'):
        next(ahead)
    assert threading.active_count() < 10


def test_one_thread_takes_the_items():
    names = {
        name for name in iterate_ahead((threading.current_thread().name for _ in range(20)), 3)
    }
    assert len(names) == 1 and names != {threading.current_thread().name}
