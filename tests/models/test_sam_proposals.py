import inspect
import re
import sys

import numpy as np
import pytest
import segment_anything
import torch
from tiny_sam import tiny_sam

from mmsmoke.models.refiners import SAMProposals
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError, sha256_of_file

# random weights are sure of nothing
ANYTHING = dict(pred_iou_thresh=0.0, stability_score_thresh=0.0, points_per_side=4, device='cpu')


@pytest.fixture
def weights(tmp_path, monkeypatch):
    monkeypatch.setitem(segment_anything.sam_model_registry, 'vit_b', tiny_sam)
    torch.manual_seed(0)
    torch.save(tiny_sam().state_dict(), tmp_path / 'tiny.pth')
    return tmp_path / 'tiny.pth'


@pytest.fixture
def propose(weights):
    def make(size=(36, 48), **options):
        proposer = SAMProposals(weights, 'vit_b', **{**ANYTHING, **options})
        image = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
        return proposer(image)

    return make


@pytest.mark.parametrize(
    'size, crop_n_layers', [((36, 48), 0), ((7, 33), 0), ((101, 64), 0), ((37, 48), 1)]
)
def test_proposals_have_the_size_of_the_image_and_none_is_empty(propose, size, crop_n_layers):
    proposals = propose(size, crop_n_layers=crop_n_layers)
    assert proposals.size == size
    assert len(proposals) > 0 and (proposals.areas() > 0).all()


def test_one_pixel(propose):
    found = propose((1, 1), min_mask_region_area=0)  # the library finds 48 masks without a pixel
    assert found.size == (1, 1) and (found.areas() == 1).all()


def test_masks_are_those_that_the_library_gives(weights, propose):
    library = segment_anything.SamAutomaticMaskGenerator(
        loaded(weights), points_per_side=4, pred_iou_thresh=0, stability_score_thresh=0,
        min_mask_region_area=20, box_nms_thresh=0.9,
    )  # fmt: skip
    image = np.random.default_rng(0).integers(0, 256, (36, 48, 3)).astype(np.uint8)
    expected = np.stack([mask['segmentation'] for mask in library.generate(image)])
    assert (propose(box_nms_thresh=0.9).masks() == expected).all()


def loaded(weights):
    model = tiny_sam().eval()
    model.load_state_dict(torch.load(weights))
    return model


def test_weights_and_thresholds_matter(weights, propose):
    before = propose()
    assert len(propose(box_nms_thresh=0.95)) > len(before)
    model = loaded(weights)
    for weight in model.mask_decoder.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    torch.save(model.state_dict(), weights)
    assert propose().counts != before.counts


@pytest.mark.parametrize('crop_n_layers', [0, 1])
@pytest.mark.parametrize('threshold', ['pred_iou_thresh', 'stability_score_thresh'])
def test_an_image_may_have_no_proposals(propose, threshold, crop_n_layers):
    proposals = propose(crop_n_layers=crop_n_layers, **{threshold: 2.0})
    assert len(proposals) == 0 and proposals.size == (36, 48)


def test_settings_are_the_thesis_and_name_the_weights_by_content(weights):
    proposer = MODELS.build(dict(type='mmsmoke.SAMProposals', checkpoint=str(weights)))
    assert proposer.settings == dict(
        generator='segment_anything',
        model_type='vit_h',
        weights='tiny.pth',
        weights_sha256=sha256_of_file(weights),
        points_per_side=8,
        pred_iou_thresh=0.70,
        stability_score_thresh=0.85,
        min_mask_region_area=20,
        stability_score_offset=1.0,
        box_nms_thresh=0.7,
        crop_n_layers=0,
        crop_nms_thresh=0.7,
        crop_overlap_ratio=512 / 1500,
        crop_n_points_downscale_factor=1,
    )


def test_every_option_but_memory_and_device_is_among_the_settings(weights):
    plain = SAMProposals(weights).settings
    for name in SAMProposals(weights).options:
        assert SAMProposals(weights, **{name: 7}).settings == {**plain, name: 7}
    assert SAMProposals(weights, points_per_batch=1, device='cpu').settings == plain


def test_weights_are_hashed_once(weights, monkeypatch):
    hashed = []
    monkeypatch.setattr(
        'mmsmoke.models.refiners.sam_proposals.sha256_of_file',
        lambda path: hashed.append(path) or 'hash',
    )
    proposer = SAMProposals(weights)
    assert hashed == []
    assert proposer.settings is proposer.settings
    assert hashed == [weights]


def test_the_remaining_defaults_are_the_library_s():
    """A newer version with other defaults would make other proposals than the settings say."""
    library = inspect.signature(segment_anything.SamAutomaticMaskGenerator).parameters
    ours = SAMProposals('none.pth').options
    differing = {name for name, value in ours.items() if library[name].default != value}
    thesis = ['points_per_side', 'pred_iou_thresh', 'stability_score_thresh']
    assert differing == {*thesis, 'min_mask_region_area'}


def test_an_option_that_is_none_is_refused():
    with pytest.raises(TypeError, match='SAMProposals has no argument point_per_side'):
        SAMProposals('none.pth', point_per_side=4)


def test_without_the_package_it_says_what_to_install(weights, monkeypatch):
    monkeypatch.setitem(sys.modules, 'segment_anything', None)
    proposer = SAMProposals(weights, 'vit_b')
    with pytest.raises(UserError, match=re.escape("pip install 'mmsmoke[sam]'")):
        proposer(np.zeros((4, 4, 3), np.uint8))


@pytest.mark.parametrize(
    'model_type, name',
    [
        ('vit_h', 'sam_vit_h_4b8939.pth'),
        ('vit_l', 'sam_vit_l_0b3195.pth'),
        ('vit_b', 'sam_vit_b_01ec64.pth'),
    ],
)
def test_without_weights_it_says_where_they_are(tmp_path, model_type, name):
    proposer = SAMProposals(tmp_path / 'none.pth', model_type)
    assert proposer.settings['weights_sha256'] is None
    address = f'https://dl.fbaipublicfiles.com/segment_anything/{name}'
    message = f'{re.escape(str(tmp_path / "none.pth"))} not found; download {re.escape(address)}'
    with pytest.raises(UserError, match=message):
        proposer(np.zeros((4, 4, 3), np.uint8))


@pytest.mark.parametrize(
    'content', [b'', b'<html>404</html>', dict(model=1), dict(), [1], tiny_sam().mask_decoder]
)
def test_files_that_hold_other_things_are_named(weights, content):
    if isinstance(content, bytes):
        weights.write_bytes(content)
    else:
        torch.save(content, weights)
    trouble = (
        'holds no weights of SAM vit_b: |cannot be read as a checkpoint: |is refused: it names '
    )
    message = rf'{re.escape(str(weights))} ({trouble})\w+'
    with pytest.raises(UserError, match=message):
        SAMProposals(weights, 'vit_b')(np.zeros((4, 4, 3), np.uint8))


def test_unknown_model_types_are_refused(weights):
    with pytest.raises(UserError, match="model_type must be one of vit_h, vit_l, vit_b, got 'b'"):
        SAMProposals(weights, 'b')
