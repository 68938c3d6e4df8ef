import pytest

from mmsmoke.utils import DataError
from mmsmoke.utils.clips import clip_of, require_clip, seconds_of


def test_the_first_column_that_is_not_empty_names_the_clip():
    assert clip_of(dict(clip='a', video='b')) == 'a'
    assert clip_of(dict(clip='', video='b')) == require_clip(dict(video='b'), 'x.png') == 'b'
    assert clip_of(dict(camera='c')) is None


def test_a_frame_without_a_clip_is_named():
    with pytest.raises(DataError, match=r'x\.png: labels\.csv must name its clip'):
        require_clip(dict(camera='c'), 'x.png')


def test_times_are_seconds_or_dates():
    assert seconds_of(dict(time='12.5'), 'x.png') == 12.5
    first, later = '2026-03-29T01:30:00', '2026-03-29T03:30:05'
    assert seconds_of(dict(time=later), 'x') - seconds_of(dict(time=first), 'x') == 7205
    assert seconds_of(dict(time=f'{first}Z'), 'x') == seconds_of(dict(time=first), 'x')
    zone = seconds_of(dict(time='2026-03-29T02:30:00+01:00'), 'x')
    assert zone == seconds_of(dict(time=first), 'x')


@pytest.mark.parametrize(
    'columns', [{}, dict(time=''), dict(time='noon'), dict(time='nan'), dict(time='inf')]
)
def test_what_is_no_time_is_named(columns):
    with pytest.raises(DataError, match=r'x\.png: the column time must hold seconds'):
        seconds_of(columns, 'x.png')
