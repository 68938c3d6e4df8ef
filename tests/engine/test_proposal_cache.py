import gzip
import json
import multiprocessing
import os

import numpy as np
import pytest

from mmsmoke.functional.proposals import MaskProposals
from mmsmoke.models.refiners.proposal_cache import ProposalCache

IMAGE, OTHER = 'a' * 64, 'b' * 64


class Settings:
    def __init__(self, **settings):
        self.settings = settings


@pytest.fixture
def masks():
    return np.random.default_rng(0).random((3, 9, 5)) > 0.5


def files_in(folder):
    return sorted(path for path in folder.rglob('*.json.gz'))


def cache_with(root, masks, image=IMAGE, **settings) -> ProposalCache:
    cache = ProposalCache(root, Settings(**settings))
    cache.write(image, MaskProposals.from_masks(masks))
    return cache


def test_what_was_written_is_read(tmp_path, masks):
    cache = cache_with(tmp_path, masks, points=8, ratio=512 / 1500, sides=(1, 2))
    assert (cache.read(IMAGE).masks() == masks).all()
    again = ProposalCache(tmp_path, Settings(sides=[1, 2], ratio=512 / 1500, points=8))
    assert (again.read(IMAGE).masks() == masks).all()
    assert cache.read(OTHER) is None


def test_no_proposals_at_all_are_remembered_too(tmp_path):
    cache = cache_with(tmp_path, np.zeros((0, 9, 5), bool))
    assert len(cache.read(IMAGE)) == 0 and cache.read(IMAGE).size == (9, 5)


def test_other_settings_read_nothing_and_overwrite_nothing(tmp_path, masks):
    first = cache_with(tmp_path, masks, points=8)
    second = ProposalCache(tmp_path, Settings(points=16))
    assert second.read(IMAGE) is None
    second.write(IMAGE, MaskProposals.from_masks(~masks))
    assert (first.read(IMAGE).masks() == masks).all()
    assert (second.read(IMAGE).masks() == ~masks).all()


def test_a_file_says_what_it_holds(tmp_path, masks):
    cache_with(tmp_path, masks, points=8)
    (path,) = files_in(tmp_path)
    content = json.loads(gzip.decompress(path.read_bytes()))
    counts = MaskProposals.from_masks(masks).counts
    assert content == dict(image=IMAGE, settings=dict(points=8), size=[9, 5], counts=counts)
    assert json.loads((path.parent / 'settings.json').read_text()) == dict(points=8)


@pytest.mark.parametrize(
    'damage',
    [
        lambda data: b'',
        lambda data: data[: len(data) // 2],
        lambda data: data[:-4] + b'0000',
        lambda data: data[:20] + bytes([data[20] ^ 255]) + data[21:],
        lambda data: gzip.compress(b'{"half": '),
        lambda data: gzip.compress(b'[]'),
        lambda data: gzip.compress(b'\xff\xfe'),
        lambda data: gzip.compress(gzip.decompress(data).replace(b'[9,5]', b'[9,6]')),
        lambda data: gzip.compress(gzip.decompress(data).replace(b'[9,5]', b'9')),
        lambda data: gzip.compress(gzip.decompress(data).replace(IMAGE.encode(), OTHER.encode())),
        lambda data: gzip.compress(gzip.decompress(data).replace(b'"points":8', b'"points":9')),
    ],
)
def test_torn_and_foreign_files_count_as_not_there(tmp_path, masks, damage):
    cache = cache_with(tmp_path, masks, points=8)
    (path,) = files_in(tmp_path)
    before = path.read_bytes()
    path.write_bytes(damage(before))
    assert path.read_bytes() != before and cache.read(IMAGE) is None
    cache.write(IMAGE, MaskProposals.from_masks(masks))
    assert (cache.read(IMAGE).masks() == masks).all()


def test_without_weights_the_one_folder_that_fits_is_read(tmp_path, masks):
    cache_with(tmp_path, masks, points=8, weights='a.pth', weights_sha256='1')
    cache_with(tmp_path, ~masks, points=9, weights='a.pth', weights_sha256='1')
    cache_with(tmp_path, ~masks, points=8, weights='b.pth', weights_sha256='2')
    (tmp_path / 'foreign').mkdir()
    (tmp_path / 'foreign/settings.json').write_text('[{]')
    unknown = dict(points=8, weights='a.pth', weights_sha256=None)
    assert (ProposalCache(tmp_path, Settings(**unknown)).read(IMAGE).masks() == masks).all()
    # a second file of that name with another content: nobody knows which is meant
    cache_with(tmp_path, ~masks, points=8, weights='a.pth', weights_sha256='3')
    assert ProposalCache(tmp_path, Settings(**unknown)).read(IMAGE) is None


def test_without_weights_and_without_a_cache_nothing_is_found(tmp_path):
    cache = ProposalCache(tmp_path / 'none', Settings(weights_sha256=None))
    assert cache.read(IMAGE) is None and not (tmp_path / 'none').exists()


def test_settings_are_asked_for_at_the_first_use_and_once(tmp_path):
    class Counting:
        asked = 0

        @property
        def settings(self):
            self.asked += 1
            return {}

    proposer = Counting()
    cache = ProposalCache(tmp_path, proposer)
    assert proposer.asked == 0
    cache.read(IMAGE), cache.read(OTHER)
    assert proposer.asked == 1


def write_often(root, masks, times=60):
    try:
        for _ in range(times):
            ProposalCache(root, Settings(points=8)).write(IMAGE, MaskProposals.from_masks(masks))
    except BaseException:
        os._exit(1)
    os._exit(0)


def test_processes_that_write_at_once_never_leave_half_a_file(tmp_path):
    masks = np.random.default_rng(0).random((2, 4, 60, 60)) > 0.5
    cache = cache_with(tmp_path, masks[0], points=8)
    context = multiprocessing.get_context('fork')
    writers = [context.Process(target=write_often, args=(tmp_path, each)) for each in masks]
    for writer in writers:
        writer.start()
    seen = []
    while any(writer.is_alive() for writer in writers):
        seen.append(cache.read(IMAGE))
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert len(seen) > 5 and all(found is not None for found in seen)
    assert all(any((found.masks() == each).all() for each in masks) for found in seen)
    assert [path.name for path in tmp_path.rglob('.*')] == []
