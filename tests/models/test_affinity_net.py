import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.structures import PixelData
from mmpretrain.models import ResNet
from PIL import Image

from mmsmoke.engine.launch import build_runner, load_config
from mmsmoke.functional import affinity_labels, pair_offsets
from mmsmoke.models import BoundaryAffinityHead, FeatureAffinityHead, ResNetWithStem
from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import save_png

SMALL = dict(depth=18, stem_channels=8, base_channels=8)
PREPROCESSOR = dict(
    type='mmseg.SegDataPreProcessor',
    mean=[128] * 3,
    std=[64] * 3,
    bgr_to_rgb=True,
    seg_pad_val=255,
    size_divisor=1,
)


def config_of(kind, **changes):
    if kind == 'feature':
        backbone = dict(
            SMALL, type='mmpretrain.ResNet', num_stages=2, strides=(1, 2), dilations=(1, 1),
            out_indices=(0, 1),
        )  # fmt: skip
        head = dict(type='mmsmoke.FeatureAffinityHead', in_channels=(8, 16), widths=(8, 16))
    else:
        backbone = dict(
            SMALL, type='mmsmoke.ResNetWithStem', num_stages=2, strides=(1, 2), dilations=(1, 1),
            out_indices=(0, 1),
        )  # fmt: skip
        head = dict(type='mmsmoke.BoundaryAffinityHead', in_channels=(8, 8, 16), radius=5)
    return dict(
        type='mmsmoke.AffinityNet',
        data_preprocessor=PREPROCESSOR,
        backbone=backbone,
        head={**head, **changes.pop('head', {})},
        **changes,
    )


@pytest.fixture
def build(mmpretrain_scope):
    def make(kind, **changes):
        torch.manual_seed(0)
        return MODELS.build(config_of(kind, **changes))

    return make


def two_regions(size=48):
    """A dim image whose right part is bright, and its label map."""
    torch.manual_seed(1)
    image = torch.randint(0, 60, (3, size, size))
    label = torch.zeros(1, size, size, dtype=torch.long)
    image[:, :, size // 2 :] += 180
    label[:, :, size // 2 :] = 1
    return image.byte(), label


def batch_of(*pairs):
    samples = []
    for _, label in pairs:
        samples.append(WeakSegDataSample(gt_sem_seg=PixelData(data=label)))
    return dict(inputs=[image for image, _ in pairs], data_samples=samples)


@pytest.mark.parametrize('kind', ['feature', 'boundary'])
def test_it_learns_that_pairs_across_an_edge_are_less_alike_than_those_within(build, kind):
    net = build(kind)
    image, label = two_regions()
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    data = net.data_preprocessor(batch_of((image, label)), training=True)
    start = None
    for _ in range(60):
        losses = net(**data, mode='loss')
        assert list(losses) == ['loss_background', 'loss_foreground', 'loss_different']
        loss = sum(losses.values())
        start = loss.item() if start is None else start
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.5 * start
    with torch.no_grad():
        net.eval()
        affinity = net.test_step(dict(inputs=[image]))['affinity']
    assert affinity.shape == (1, 34, 12, 12)
    small = F.interpolate(label[None].float(), (12, 12))[0].long()
    pairs = affinity_labels(small, pair_offsets(5))
    across = affinity[pairs.different].mean()
    within = affinity[pairs.background | pairs.foreground].mean()
    assert across < within - 0.3


def test_maps_of_several_grids_come_to_the_one_that_is_asked_for():
    feats = torch.rand(2, 4, 9, 12), torch.rand(2, 8, 5, 6), torch.rand(2, 8, 3, 3)
    arguments = dict(in_channels=(4, 8, 8), widths=(2, 3, 4))
    assert FeatureAffinityHead(**arguments)(feats).shape == (2, 9, 9, 12)
    assert FeatureAffinityHead(**arguments, grid=-1)(feats).shape == (2, 9, 3, 3)
    assert BoundaryAffinityHead(in_channels=(4, 8, 8), grid=1)(feats).shape == (2, 1, 5, 6)


def test_published_widths():
    psa = FeatureAffinityHead()
    assert [layer.weight.shape[:2] for layer in psa.reduce] == [(64, 512), (128, 1024), (256, 2048)]
    assert psa.mix.weight.shape[:2] == (448, 448)
    assert not any(name.endswith('bias') for name, _ in psa.named_parameters())
    irn = BoundaryAffinityHead()
    assert [level[0].in_channels for level in irn.levels] == [64, 256, 512, 1024, 2048]
    assert irn.boundary.weight.shape[:2] == (1, 160) and (irn.radius, irn.walk_radius) == (10, 5)


def test_psa_s_initialisation():
    torch.manual_seed(0)
    head = FeatureAffinityHead(in_channels=(128, 256), widths=(64, 64))
    head.init_weights()
    for layer, channels in zip(head.reduce, (128, 256), strict=True):
        assert layer.weight.std().item() == pytest.approx((2 / channels) ** 0.5, rel=0.05)
    bound = 4 * (6 / (128 + 128)) ** 0.5
    assert 0.99 * bound < head.mix.weight.abs().max() <= bound


def test_as_many_widths_as_maps():
    with pytest.raises(ValueError, match='3 maps need as many widths'):
        FeatureAffinityHead(in_channels=(4, 8, 8), widths=(2, 3))


def test_labels_of_any_size_come_to_the_grid_and_padding_makes_no_pair(build):
    net = build('feature').eval()
    image, label = two_regions(48)
    large, wide = two_regions(64)
    wide = torch.full_like(wide, 255)  # the larger image says nothing
    data = net.data_preprocessor(batch_of((image, label), (large, wide)), training=True)
    assert data['inputs'].shape[2:] == (64, 64)
    both = net(**data, mode='loss')
    maps = net(data['inputs'][:1], mode='tensor')
    small = torch.full((1, 1, 16, 16), 255)
    small[:, :, :12, :12] = label[:, ::4, ::4]
    by_hand = net.head.loss(maps, small)
    for name, value in by_hand.items():
        torch.testing.assert_close(both[name], value)
    assert both['loss_different'] > 0


def test_a_frozen_backbone_learns_nothing(build):
    net = build('boundary', frozen_backbone=True)
    before = {name: value.clone() for name, value in net.backbone.state_dict().items()}
    net.train()
    data = net.data_preprocessor(batch_of(two_regions()), training=True)
    losses = net(**data, mode='loss')
    sum(losses.values()).backward()
    assert all(parameter.grad is None for parameter in net.backbone.parameters())
    assert all(parameter.grad.any() for parameter in net.head.levels.parameters())
    for name, value in net.backbone.state_dict().items():
        assert (value == before[name]).all(), name
    assert net.head.training and not net.backbone.training
    moving = build('boundary')
    sum(moving(**data, mode='loss').values()).backward()
    assert all(parameter.grad is not None for parameter in moving.backbone.parameters())


def test_flipping_makes_the_prediction_commute_with_mirroring(build):
    torch.manual_seed(2)
    inputs = torch.randn(1, 3, 64, 64)
    flipping, plain = build('boundary', flip=True).eval(), build('boundary').eval()
    with torch.no_grad():
        one, other = (flipping(x, mode='predict')['interior'] for x in (inputs, inputs.flip(-1)))
        torch.testing.assert_close(one, other.flip(-1))
        one, other = (plain(x, mode='predict')['interior'] for x in (inputs, inputs.flip(-1)))
        assert (one - other.flip(-1)).abs().max() > 1e-3


def test_predictions_are_for_the_walk_s_radius(build):
    net = build('boundary', head=dict(radius=4, walk_radius=2)).eval()
    predicted = net.test_step(dict(inputs=[two_regions()[0]] * 2))
    assert predicted['affinity'].shape == (2, len(pair_offsets(2)), 12, 12)
    boundary = net(net.data_preprocessor(dict(inputs=[two_regions()[0]]))['inputs']).sigmoid()
    torch.testing.assert_close(predicted['interior'][:1], 1 - boundary)
    assert (
        build('feature').eval()(torch.rand(1, 3, 32, 32), mode='predict')['interior'] == 1
    ).all()


@pytest.mark.parametrize(
    ('config', 'rates'),
    [('psa_resnet50_8e', dict(backbone=0.1, head=1.0)), ('irn_resnet50_3e', dict(head=0.1))],
)
def test_published_learning_rates(config, rates, mmpretrain_scope):
    cfg = load_config(f'affinity/{config}_ijmond-512.py')
    net = MODELS.build(cfg.model)
    groups = build_optim_wrapper(net, cfg.optim_wrapper).optimizer.param_groups
    names = {parameter: name.split('.')[0] for name, parameter in net.named_parameters()}
    found = {(names[p], group['lr']) for group in groups for p in group['params']}
    assert {name: pytest.approx(rate) for name, rate in found} == rates
    assert len(found) == len(rates)


def test_the_mode_is_one_of_three(build):
    with pytest.raises(ValueError, match="must be 'tensor', 'loss' or 'predict', got 'labels'"):
        build('feature')(torch.rand(1, 3, 32, 32), mode='labels')


@pytest.mark.parametrize('deep_stem', [False, True])
def test_the_stem_comes_before_the_stages_of_the_same_network(deep_stem):
    arguments = dict(SMALL, out_indices=(0, 2, 3), deep_stem=deep_stem)
    with_stem, plain = ResNetWithStem(**arguments), ResNet(**arguments)
    with_stem.eval(), plain.eval()
    plain.load_state_dict(with_stem.state_dict())
    x = torch.rand(1, 3, 64, 64)
    stem, *stages = with_stem(x)
    assert stem.shape == (1, 8, 16, 16)
    torch.testing.assert_close(plain.layer1(stem), stages[0])
    for ours, theirs in zip(stages, plain(x), strict=True):
        assert (ours == theirs).all()


@pytest.mark.parametrize('kind', ['feature', 'boundary'])
def test_the_ordinary_runner_trains_it_on_pseudo_labels(tiny_dataset, tmp_path, kind):
    root = tiny_dataset(splits=dict(train=8))
    for path in (root / 'masks').glob('*.png'):
        labels = np.array(Image.open(path))
        labels[::3] = 255
        save_png(tmp_path / 'labels' / path.name, labels, palette=[[0, 0, 0]])
    cfg = Config(
        dict(
            default_scope='mmpretrain',
            experiment_name=f'affinity-{kind}',
            work_dir=str(tmp_path / 'work'),
            model=config_of(kind, frozen_backbone=kind == 'boundary'),
            train_dataloader=dict(
                batch_size=2,
                num_workers=0,
                sampler=dict(type='DefaultSampler', shuffle=True),
                dataset=dict(
                    type='mmsmoke.WeakSegDataset',
                    data_root=str(root),
                    seg_map_dir=str(tmp_path / 'labels'),
                    filter_cfg=dict(smoke=1),
                    pipeline=[
                        dict(type='mmsmoke.LoadImage'),
                        dict(type='mmsmoke.LoadMask', required=True),
                        dict(type='mmcv.RandomFlip', prob=0.5),
                        dict(type='mmsmoke.PackWeakSegInputs'),
                    ],
                ),
            ),
            optim_wrapper=dict(
                constructor='mmsmoke.LearnableOptimWrapperConstructor',
                optimizer=dict(type='Adam', lr=1e-2),
            ),
            train_cfg=dict(by_epoch=True, max_epochs=8),
            randomness=dict(seed=0),
        )
    )
    runner = build_runner(cfg)
    runner.train()
    losses = runner.message_hub.get_scalar('train/loss').data[0]
    assert np.mean(losses[-4:]) < 0.9 * np.mean(losses[:4])
    assert (tmp_path / 'work/epoch_8.pth').is_file()
