"""Large pictures in tiles, against a naive merging of what is found in each tile alone."""

import numpy as np
import pytest
import torch
from clips import SIZE, frames_of, noise, write_clip
from conftest import save
from mmengine.registry import MODELS
from test_inferencer import CLASSIFIERS, SEGMENTORS
from tiny_trained import PIPELINE, tiny_model, tiny_segmentor, trained
from torch import nn

from mmsmoke.apis import SmokeInferencer
from mmsmoke.functional import normalize_cams, resize_maps, scores_to_mask, strongest, tile_boxes
from mmsmoke.inference.frames import Item
from mmsmoke.utils import DataError, UserError

TILE, OVERLAP = 24, 9
RESIZE = dict(type='mmcv.Resize', scale=(32, 32))


@MODELS.register_module()
class TwoConvolutions(nn.Module):
    """See two pixels far, without a stride."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1)
        )

    def forward(self, images):
        return (self.layers(images),)


@MODELS.register_module()
class OneSize(TwoConvolutions):
    def forward(self, images):
        return super().forward(images.reshape(-1, 3, 32, 32))


def picture(width=52, height=40, seed=0):
    """Blurred noise, BGR, so that neighbours have to do with each other."""
    rng = np.random.default_rng(seed)
    small = torch.from_numpy(rng.integers(0, 256, (1, 3, height // 4, width // 4))).float()
    large = resize_maps(small, (height, width))[0].permute(1, 2, 0)
    return large.numpy().round().astype(np.uint8)


def merged(parts, size, tile=TILE, overlap=OVERLAP):
    """Weigh each pixel of each tile by how far it is from the edges that have a neighbour."""
    weights, total = np.zeros(size), 0.0
    third = overlap // 3
    for (rows, columns), part in zip(tile_boxes(size, tile, overlap), parts, strict=True):
        weight = np.ones(part.shape[1:])
        for y, x in np.ndindex(weight.shape):
            ends = (y, rows.start), (x, columns.start)
            ends += ((rows.stop - rows.start - 1 - y, rows.stop - size[0]),)
            ends += ((columns.stop - columns.start - 1 - x, columns.stop - size[1]),)
            for distance, neighbour in ends:
                if neighbour:
                    ramp = (distance + 0.5 - third) / (overlap - 2 * third)
                    weight[y, x] *= min(max(ramp, 0), 1)
        whole = np.zeros((len(part), *size))
        whole[:, rows, columns] = weight * part
        weights[rows, columns] += weight
        total = total + whole
    return total / weights


def crops(image, tile=TILE, overlap=OVERLAP):
    return [image[rows, columns] for rows, columns in tile_boxes(image.shape[:2], tile, overlap)]


@pytest.mark.parametrize('threshold', [None, 0.6])
@pytest.mark.parametrize('steps', [[], [RESIZE]], ids=['as it is', 'resized'])
@pytest.mark.parametrize(('model', 'classes'), SEGMENTORS)
def test_a_segmentor_s_scores_of_tiles_are_merged(model, classes, steps, threshold, tmp_path):
    pipeline = [PIPELINE[0], *steps, *PIPELINE[1:]]
    cfg, weights = trained(tmp_path, model, classes, pipeline)
    image = picture()
    inferencer = SmokeInferencer(cfg, weights, threshold=threshold, tile=TILE, overlap=OVERLAP)
    plain = SmokeInferencer(cfg, weights)
    (found,) = inferencer(image, return_scores=True, batch_size=4)
    alone = plain(crops(image), return_scores=True, batch_size=1)
    expected = merged([one.scores for one in alone], image.shape[:2])
    assert found.scores.shape == (len(classes), *image.shape[:2])
    assert np.allclose(found.scores, expected, atol=1e-4)
    scores, own = torch.from_numpy(found.scores), inferencer.threshold
    mask = strongest(scores) if own is None else scores_to_mask(scores, own)
    assert np.array_equal(found.mask, mask.numpy()) and found.mask.dtype == np.uint8
    assert found.scores.std() > 1e-4 and found.probabilities is None
    for k, share in enumerate(found.shares.values()):
        assert share == pytest.approx(100 * (found.mask == k + 1).mean())
    (without,) = inferencer(image, batch_size=4)
    assert without.scores is None and np.array_equal(without.mask, found.mask)


@pytest.mark.parametrize(('model', 'classes'), CLASSIFIERS)
def test_evidence_of_tiles_is_merged_and_then_normalised_once(model, classes, tmp_path):
    cfg, weights = trained(tmp_path, model, classes)
    inferencer = SmokeInferencer(cfg, weights, tile=TILE, overlap=OVERLAP)
    image = picture()
    (found,) = inferencer(image, return_scores=True, batch_size=5)
    plain, evidence, probabilities = SmokeInferencer(cfg, weights), [], []
    for part in crops(image):
        (sample,) = plain._finder.test([plain.prepare(Item('part', part))])
        evidence.append(resize_maps(sample.cams[None], part.shape[:2])[0].numpy())
        probabilities.append(sample.pred_scores)
    highest = torch.stack(probabilities).amax(0)
    whole = torch.from_numpy(merged(evidence, image.shape[:2])).float()
    expected = normalize_cams(whole) * (highest > 0.5)[:, None, None]
    assert np.allclose(found.scores, expected.numpy(), atol=1e-4)
    assert list(found.probabilities.values()) == pytest.approx(highest.tolist(), abs=1e-5)
    assert np.array_equal(found.mask, scores_to_mask(torch.from_numpy(found.scores), 0.3).numpy())
    assert found.mask.any() and found.scores.max() == pytest.approx(1)


@pytest.mark.parametrize(('model', 'classes'), [*SEGMENTORS, *CLASSIFIERS])
def test_a_picture_no_larger_than_a_tile_is_looked_at_as_ever(model, classes, tmp_path):
    cfg, weights = trained(tmp_path, model, classes)
    images = [picture(seed=seed) for seed in range(3)]
    plain = SmokeInferencer(cfg, weights)(images, return_scores=True)
    tiled = SmokeInferencer(cfg, weights, tile=52)(images, return_scores=True)
    for one, other in zip(plain, tiled, strict=True):
        assert np.array_equal(one.scores, other.scores) and np.array_equal(one.mask, other.mask)
        assert (one.shares, one.probabilities) == (other.shares, other.probabilities)


def test_a_convolutional_network_finds_the_same_as_without_tiles(tmp_path):
    """Three convolutions of 3 x 3 see three pixels far, a third of the overlap."""
    model = tiny_segmentor()
    model['backbone'] = dict(type='TwoConvolutions')
    model['decode_head'].update(in_index=-1, concat_input=False)
    cfg, weights = trained(tmp_path, model)
    image = picture()
    (whole,) = SmokeInferencer(cfg, weights)(image, return_scores=True)
    (tiled,) = SmokeInferencer(cfg, weights, tile=TILE, overlap=9)(image, return_scores=True)
    assert whole.scores.std() > 0.01 and np.abs(whole.scores - tiled.scores).max() < 1e-5
    assert (whole.mask != tiled.mask).mean() < 0.002


def test_tiles_are_taken_batch_by_batch_in_the_size_of_the_pipeline(tmp_path):
    cfg, weights = trained(
        tmp_path, tiny_segmentor(), pipeline=[PIPELINE[0], RESIZE, *PIPELINE[1:]]
    )
    inferencer = SmokeInferencer(cfg, weights, tile=TILE, overlap=OVERLAP)
    shapes = []
    inferencer.model.backbone.register_forward_pre_hook(
        lambda _, args: shapes.append(args[0].shape)
    )
    assert len(crops(picture())) == 9
    inferencer(picture(), batch_size=4)
    assert shapes == [(4, 3, 32, 32), (4, 3, 32, 32), (1, 3, 32, 32)]
    one, other = (inferencer(picture(), batch_size=size)[0] for size in (1, 64))
    assert (one.mask != other.mask).mean() < 0.002


def test_small_and_large_pictures_keep_their_order(tmp_path):
    inferencer = SmokeInferencer(*trained(tmp_path, tiny_segmentor()), tile=TILE)
    sizes = [(20, 16), (52, 40), (20, 16), (24, 24), (52, 16), (28, 24), (20, 16)]
    images = [picture(*size, seed) for seed, size in enumerate(sizes)]
    alone = [inferencer(image)[0] for image in images]
    for size in (1, 3):
        for found in (inferencer(images, batch_size=size), inferencer.stream(images, size)):
            for one, other in zip(found, alone, strict=True):
                assert (one.mask != other.mask).mean() < 0.002
    for image, one in zip(
        images, inferencer.one_by_one([Item('x', i) for i in images]), strict=True
    ):
        assert one.mask.shape == image.shape[:2]


def test_a_refiner_is_shown_the_whole_picture(tmp_path):
    image, seen = picture(), []

    class Halve:
        def __init__(self, sees_input):
            self.sees_input = sees_input

        def __call__(self, shown, scores, present):
            seen.append((shown, scores.shape, present.tolist()))
            return scores / 2

    for model in (tiny_segmentor(), tiny_model(1)):
        cfg, weights = trained(tmp_path, model)
        refine = [Halve(False), Halve(True)]
        settings = dict(tile=TILE, overlap=OVERLAP)
        (plain,) = SmokeInferencer(cfg, weights, **settings)(image, return_scores=True)
        inferencer = SmokeInferencer(cfg, weights, threshold=0.1, refine=refine, **settings)
        (found,) = inferencer(image, return_scores=True)
        assert np.allclose(found.scores, plain.scores / 4, atol=1e-5)
        mask = scores_to_mask(torch.from_numpy(found.scores), 0.1)
        assert np.array_equal(found.mask, mask.numpy())
    assert len(seen) == 4
    for shown, shape, present in seen:
        assert np.array_equal(shown, image[..., ::-1]) and shape == (1, 40, 52)
        assert present == [True]


@pytest.mark.parametrize('smoothing', [0, 0.5])
def test_frames_of_a_video_are_cut_as_pictures_are(smoothing, tmp_path):
    frames = noise(3)
    clip = write_clip(tmp_path / 'videos/clip.avi', frames, 'MJPG', 10)
    settings = dict(tile=TILE, overlap=OVERLAP)
    inferencer = SmokeInferencer(*trained(tmp_path, tiny_segmentor()), **settings)
    found = list(inferencer.stream_video(clip, smoothing=smoothing, return_scores=True))
    alone = inferencer(frames_of(clip), return_scores=True)
    state = None
    for one, other in zip(found, alone, strict=True):
        assert one.mask.shape == SIZE[::-1] and one.frame is not None
        state = other.scores if state is None else state + (1 - smoothing) * (other.scores - state)
        assert np.allclose(one.scores, state, atol=1e-5)
    written = inferencer.video(clip, tmp_path / 'out', smoothing=smoothing)
    assert [one.shares for one in written] == [one.shares for one in found]


def test_files_are_written_and_broken_ones_named(tmp_path):
    cfg, weights = trained(tmp_path, tiny_segmentor())
    inferencer = SmokeInferencer(cfg, weights, tile=TILE)
    for number in range(3):
        save(tmp_path / f'photos/{number}.png', picture(seed=number)[..., ::-1])
    (tmp_path / 'photos/1.png').write_bytes(b'nothing')
    errors = []
    found = inferencer(tmp_path / 'photos', tmp_path / 'out', on_error=errors.append)
    assert [one.image for one in found] == ['0.png', '2.png'] and '1.png' in str(errors[0])
    masks = [path.name for path in sorted((tmp_path / 'out/masks').iterdir())]
    assert masks == ['0.png', '2.png'] and found[0].mask is None


def test_tiles_of_which_the_pipeline_leaves_nothing_are_named(tmp_path):
    thin = dict(type='mmcv.Resize', scale=(32, 32), keep_ratio=True)
    cfg, weights = trained(tmp_path, tiny_segmentor(), pipeline=[PIPELINE[0], thin, *PIPELINE[1:]])
    inferencer = SmokeInferencer(cfg, weights, tile=100)
    strip = np.zeros((1, 200, 3), np.uint8)
    with pytest.raises(DataError, match='image of 100 x 1 cannot be prepared by Resize'):
        inferencer(strip)
    errors = []
    assert inferencer(strip, on_error=errors.append) == [] and len(errors) == 1


def test_strips_that_the_pipeline_stretches_are_warned_of(tmp_path):
    cfg, weights = trained(
        tmp_path, tiny_segmentor(), pipeline=[PIPELINE[0], RESIZE, *PIPELINE[1:]]
    )
    image = picture(160, 20)
    with pytest.warns(UserWarning, match=r'array_0 \(160 x 20\) is stretched by more than 4:1'):
        SmokeInferencer(cfg, weights)(image)
    with pytest.warns(UserWarning, match='is stretched by more than 4:1'):
        SmokeInferencer(cfg, weights, tile=100)(image)
    SmokeInferencer(cfg, weights, tile=20)(image)  # warnings are errors here


def test_mistakes_are_named(tmp_path):
    cfg, weights = trained(tmp_path, tiny_segmentor())
    for options, message in (
        (dict(tile=0), 'tile must be at least 1, got 0'),
        (dict(tile=32, overlap=32), 'less than the tile of 32, got 32'),
        (dict(tile=32, overlap=-1), 'overlap must be at least 0'),
        (dict(overlap=8), 'overlap is that of tiles: say tile, too'),
        (dict(tile=4), 'a tile of 4 pixels, 4 x 4 after the test pipeline, is one cell'),
    ):
        with pytest.raises(UserError, match=message):
            SmokeInferencer(cfg, weights, **options)
    assert SmokeInferencer(cfg, weights, tile=64).tiling.overlap == 8


def test_a_network_that_fails_on_tiles_is_noticed_at_the_start(tmp_path):
    model = tiny_segmentor()
    model['backbone'] = dict(type='OneSize')
    cfg, weights = trained(tmp_path, model)
    assert SmokeInferencer(cfg, weights, tile=32)
    with pytest.raises(UserError, match=r'the model cannot look at a tile of 24 pixels: shape'):
        SmokeInferencer(cfg, weights, tile=24)


def test_maps_that_were_normalised_in_each_tile_are_refused(tmp_path):
    model = {**tiny_model(1), 'views': dict(recipe='thesis')}
    inferencer = SmokeInferencer(*trained(tmp_path, model), tile=TILE)
    assert len(inferencer(picture(20, 20))) == 1
    with pytest.raises(UserError, match=r'normalises the maps of every picture .* leave tile out'):
        inferencer(picture())
