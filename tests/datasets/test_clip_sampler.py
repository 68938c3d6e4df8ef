from collections import Counter

import pytest

from mmsmoke.datasets.clip_sampler import ClipSampler
from mmsmoke.utils import DataError, UserError


class Rows:
    """Hold rows as a data set would give them."""

    def __init__(self, *clips, column='clip'):
        self.rows = [
            dict(image=f'{name}_{frame}.png', columns={column: name})
            for name, length in clips
            for frame in range(length)
        ]

    def __len__(self):
        return len(self.rows)

    def get_data_info(self, index):
        return self.rows[index]

    def clip(self, index):
        return self.rows[index]['image'].split('_')[0]


ROWS = Rows(('a', 8), ('b', 8), ('c', 9), ('d', 3), ('e', 12))


def on(rank, world_size, **settings):
    sampler = ClipSampler(ROWS, **{'frames': 4, 'seed': 0, **settings})
    sampler._share_out(rank, world_size)
    return sampler


def shown(sampler, frames=4):
    indices = list(sampler)
    return [indices[k : k + frames] for k in range(0, len(indices), frames)]


def test_an_epoch_shows_each_clip_once_and_its_frames_together_in_order():
    sampler = ClipSampler(ROWS, frames=4, seed=0)
    clips = shown(sampler)
    assert len(sampler) == 20 and len(clips) == 5
    assert sorted(ROWS.clip(clip[0]) for clip in clips) == [*'abcde']
    for clip in clips:
        assert len({ROWS.clip(index) for index in clip}) == 1
        assert clip == sorted(clip)


def test_frames_are_spread_over_the_clip():
    for epoch in range(30):
        sampler = ClipSampler(Rows(('a', 8), ('b', 11)), frames=4, seed=3)
        sampler.set_epoch(epoch)
        for clip in shown(sampler):
            assert len({*clip}) == 4
            length, start = (8, 0) if clip[0] < 8 else (11, 8)
            for part, index in enumerate(clip):
                assert part * length // 4 <= index - start < (part + 1) * length // 4


def test_over_epochs_every_frame_is_shown_about_as_often():
    counts = Counter()
    for epoch in range(300):
        sampler = ClipSampler(Rows(('a', 8)), frames=4, seed=0)
        sampler.set_epoch(epoch)
        counts.update(sampler)
    assert len(counts) == 8 and min(counts.values()) > 110


def test_a_short_clip_repeats_frames():
    assert shown(ClipSampler(Rows(('a', 2)), frames=4, seed=0)) == [[0, 0, 1, 1]]
    assert shown(ClipSampler(Rows(('a', 1)), frames=3, seed=0), 3) == [[0, 0, 0]]


@pytest.mark.parametrize('world_size', [2, 3, 7])
def test_processes_share_whole_clips_out(world_size):
    parts = [shown(on(rank, world_size)) for rank in range(world_size)]
    assert len({len(part) for part in parts}) == 1
    assert [len(on(rank, world_size)) for rank in range(world_size)] == [4 * len(parts[0])] * (
        world_size
    )
    names = [ROWS.clip(clip[0]) for part in parts for clip in part]
    assert {*names} == {*'abcde'} and max(Counter(names).values()) <= 2
    for part in parts:
        assert all(len({ROWS.clip(index) for index in clip}) == 1 for clip in part)


def test_what_an_epoch_shows_depends_on_seed_and_epoch_alone():
    first, again = on(0, 1), on(0, 1)
    for one in (first, again):
        one.set_epoch(3)
    assert list(first) == list(again)
    seen = list(first)
    first.set_epoch(4)
    assert list(first) != seen
    assert list(on(0, 1, seed=1)) != list(on(0, 1))


def test_all_frames_if_as_many_are_wanted():
    assert sorted(ClipSampler(Rows(('a', 4), ('b', 4)), frames=4, seed=0)) == [*range(8)]


def test_ijmond_calls_its_clips_videos():
    assert len(ClipSampler(Rows(('a', 4), column='video'), frames=2, seed=0)) == 2


def test_frames_without_a_clip_and_clips_without_frames_are_refused():
    with pytest.raises(DataError, match=r'a_0\.png: labels\.csv must name its clip'):
        ClipSampler(Rows(('a', 4), column='camera'))
    with pytest.raises(UserError, match='frames must be at least 1, not 0'):
        ClipSampler(ROWS, frames=0)
