"""Which stages a pipeline has, and what each is given; trainings are replaced by a note of them."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from mmsmoke.engine.launch import load_config
from mmsmoke.experiments.chain import Chain
from mmsmoke.experiments.label_step import label_hook
from mmsmoke.experiments.pipeline import require_fitting_backbones
from mmsmoke.experiments.plan import load_plan
from mmsmoke.utils import UserError

ROOT = Path(__file__).parents[2]
PIPELINES = sorted((ROOT / 'configs/pipelines').glob('*.py'))
CAM, DISTILLER, SEGMENTOR = (
    'configs/cam/resnet18-s-pcm_12e_smokestack-64.py',
    'configs/crossarch/crossarch_r18-s-pcm_vit-xxs-cls_12e_smokestack-64.py',
    'configs/segmentors/mlp_r18-s_6e_smokestack-128.py',
)
OTHER = 'configs/segmentors/mlp_lite0_6e_smokestack-128.py'


@pytest.fixture
def run_chain(tmp_path, capsys):
    """Function that runs a chain; returns it and what was done: folder -> config and more."""
    done, found = {}, {}

    def do(step):
        """Note a step and what it needs, once."""
        if step.name in found:
            return found[step.name]
        arguments = step.arguments({key: do(one) for key, one in step.inputs.items()})
        cfg, name = arguments['config'], step.name.removesuffix('/test')
        if step.kind == 'label':
            checkpoint = arguments['checkpoint']
            done[name] = cfg, checkpoint, label_hook(cfg).get('threshold_split')
            result = dict(split='train', metrics={'pseudo/image_iou': 23.45})
        elif step.kind == 'search':
            result = dict(threshold=0.4)
        elif step.kind == 'train':
            result = dict(checkpoint=dict(path=f'{name}/best.pth'))
        else:
            assert step.kind == 'test' and arguments['checkpoint'] == f'{name}/best.pth'
            assert cfg.to_dict() == trained_config(step).to_dict()
            done[name] = cfg, arguments['splits'], arguments['threshold_split']
            protocol = dict(threshold=0.4, threshold_mode='dataset', threshold_split='val')
            result = dict(
                checkpoint=dict(path=f'{name}/best.pth'),
                protocol=protocol,
                splits={split: {'cam/image_iou': 12.34} for split in arguments['splits']},
            )
        found[step.name] = result
        return result

    def trained_config(step):
        trained = step.inputs['trained']
        results = {key: do(one) for key, one in trained.inputs.items()}
        return trained.arguments(results)['config']

    def run(seed=0, **plan):
        plan = dict(
            dict(
                classify=dict(config=DISTILLER),
                label=dict(),
                segment=dict(config=SEGMENTOR),
                threshold_split='val',
                test_splits=['test'],
            ),
            **plan,
        )
        plan = {k: v for k, v in plan.items() if v is not None or k == 'threshold_split'}
        one = Chain(Config(plan), tmp_path, seed)
        one.results = {}
        found.clear()
        for stage, step in one.steps().items():
            print(f'   {one.overview(one.results)}')
            one.results[stage] = dict(do(step), seed=one.seed_of(stage))
        print(f'   {one.overview(one.results)}')
        return one, done

    return run


def test_every_stage_in_its_order_and_folder(run_chain):
    one, done = run_chain(
        3,
        teach=dict(config=CAM),
        self_training=dict(rounds=2),
        full=dict(),
    )
    stages = [
        'teach', 'classify', 'label', 'segment',
        'relabel-1', 'resegment-1', 'relabel-2', 'resegment-2', 'full',
    ]  # fmt: skip
    assert one.stages == stages
    assert list(done) == [f'seed-3/{stage}' for stage in stages]
    assert all(cfg.randomness.seed == 3 for cfg, *_ in done.values())
    assert done['seed-3/teach'][1:] == (['val', 'test'], 'val')
    assert done['seed-3/segment'][1:] == (['val', 'test'], None)


def test_each_learns_from_what_went_before(run_chain):
    _, done = run_chain(
        teach=dict(config=CAM),
        self_training=dict(rounds=2),
        full=dict(),
    )
    teacher = done['seed-0/classify'][0].model.teacher.init_cfg
    assert teacher == dict(type='Pretrained', checkpoint='seed-0/teach/best.pth')
    labelled_by = {name[7:]: found[1] for name, found in done.items() if 'label' in name}
    assert labelled_by == {
        'label': 'seed-0/classify/best.pth',
        'relabel-1': 'seed-0/segment/best.pth',
        'relabel-2': 'seed-0/resegment-1/best.pth',
    }
    masks = {
        name[7:]: '/'.join(Path(cfg.train_dataloader.dataset.seg_map_dir).parts[-3:])
        for name, (cfg, *_) in done.items()
        if 'segment' in name or 'full' in name
    }
    assert masks == {
        'segment': 'seed-0/label/masks',
        'resegment-1': 'seed-0/relabel-1/masks',
        'resegment-2': 'seed-0/relabel-2/masks',
        'full': '{data_root}/masks',
    }


def test_a_classifier_may_begin_with_other_images(run_chain):
    pretrain = dict(config=CAM, options=dict(data_root='data/drawn'))
    one, done = run_chain(data_root='data/mine', pretrain=pretrain, classify=dict(config=CAM))
    assert one.stages[:2] == ['pretrain', 'classify']
    cfg, splits, threshold_split = done['seed-0/pretrain']
    assert cfg.train_dataloader.dataset.data_root == 'data/drawn'
    assert (splits, threshold_split) == (['val'], None)
    classifier = done['seed-0/classify'][0]
    assert classifier.train_dataloader.dataset.data_root == 'data/mine'
    start = dict(type='Pretrained', checkpoint='seed-0/pretrain/best.pth')
    assert classifier.model.init_cfg == start


@pytest.mark.parametrize('agreement', [True, False])
def test_a_round_of_self_training_may_ask_for_agreement_with_the_one_before(run_chain, agreement):
    _, done = run_chain(self_training=dict(rounds=2, agreement=agreement))
    asked = {
        name[7:]: '/'.join(Path(hook.agree_with).parts[-3:])
        for name, (cfg, *_) in done.items()
        for hook in cfg.get('custom_hooks', ())
        if 'agree_with' in hook
    }
    expected = {'relabel-1': 'seed-0/label/masks', 'relabel-2': 'seed-0/relabel-1/masks'}
    assert asked == (expected if agreement else {})


def test_a_round_may_ask_another_segmentor_that_has_learned_from_the_same_masks(run_chain):
    other = dict(config=OTHER, options={'train_cfg.max_epochs': 2})
    for given in (OTHER, other):
        one, done = run_chain(self_training=dict(rounds=2, agree_with=given))
        rounds = [
            f'{stage}-{number}'
            for number in (1, 2)
            for stage in ('other', 'otherlabel', 'relabel', 'resegment')
        ]
        assert one.stages == ['classify', 'label', 'segment', *rounds]
    for number, masks in ((1, 'label'), (2, 'relabel-1')):
        cfg, *_ = done[f'seed-0/other-{number}']
        assert cfg.model == load_config(OTHER).model and cfg.train_cfg.max_epochs == 2
        learned_from = cfg.train_dataloader.dataset.seg_map_dir
        assert learned_from.endswith(f'seed-0/{masks}/masks')
        segmentor = 'segment' if number == 1 else 'resegment-1'
        same = done[f'seed-0/{segmentor}'][0].train_dataloader.dataset.seg_map_dir
        assert same == learned_from
        made, checkpoint, _ = done[f'seed-0/otherlabel-{number}']
        assert checkpoint == f'seed-0/other-{number}/best.pth' and made.model == cfg.model
        assert label_hook(made).get('agree_with') is None
        relabelled, checkpoint, _ = done[f'seed-0/relabel-{number}']
        assert checkpoint == f'seed-0/{segmentor}/best.pth'
        asked = label_hook(relabelled).agree_with
        assert asked.endswith(f'seed-0/otherlabel-{number}/masks')


def test_the_other_segmentor_begins_with_its_own_weights(run_chain):
    segment = dict(config=SEGMENTOR, start_from_classifier=True)
    _, done = run_chain(
        classify=dict(config=CAM), segment=segment, self_training=dict(rounds=1, agree_with=OTHER)
    )
    assert done['seed-0/other-1'][0].model.backbone == load_config(OTHER).model.backbone


def test_a_few_true_masks_are_seen_by_segmentors_alone_unless_the_plan_says_more(run_chain):
    def seen(**plan):
        _, done = run_chain(
            3,
            teach=dict(config=CAM),
            self_training=dict(rounds=1, agree_with=OTHER),
            full=dict(),
            num_masks=25,
            **plan,
        )
        found = {}
        for name, (cfg, *_) in done.items():
            dataset = cfg.train_dataloader.dataset
            if 'num_masks' in dataset:
                found[name[7:]] = dataset.num_masks, dataset.mask_seed
        return found, done

    segmentors = ['segment', 'other-1', 'resegment-1']
    found, done = seen()
    assert found == dict.fromkeys(segmentors, (25, 3))
    assert done['seed-3/segment'][0].train_dataloader.sampler.true_masks == 5
    found, done = seen(classify=dict(config=DISTILLER, masks=True), mask_weight=2)
    assert found == dict.fromkeys(['classify', *segmentors], (25, 3))
    assert done['seed-3/classify'][0].train_dataloader.sampler.type == 'DefaultSampler'
    assert done['seed-3/segment'][0].train_dataloader.sampler.true_masks == 2


def test_the_upper_bound_sees_all_masks_whatever_its_config_says(run_chain):
    segment = dict(config=SEGMENTOR, options={'num_masks': 7})
    _, done = run_chain(segment=segment, full=dict())
    assert done['seed-0/segment'][0].train_dataloader.dataset.num_masks == 7
    full = done['seed-0/full'][0].train_dataloader
    assert 'num_masks' not in full.dataset and full.sampler.type == 'DefaultSampler'


@pytest.mark.parametrize(
    'seeing',
    [
        dict(classify=dict(config=DISTILLER, seed=1, masks=True)),
        dict(
            teach=dict(config=CAM, seed=1, masks=True), classify=dict(config=DISTILLER, masks=True)
        ),
    ],
)
def test_all_stages_of_a_chain_see_the_same_masks(run_chain, seeing):
    """Otherwise a segmentor would learn from more true masks than the plan says."""
    _, done = run_chain(5, **seeing, num_masks=25)
    seeds = {cfg.train_dataloader.dataset.mask_seed for name, (cfg, *_) in done.items()
             if '/label' not in name}  # fmt: skip
    assert seeds == {1} and done['seed-5/segment'][0].randomness.seed == 5


def test_self_training_is_off_unless_rounds_are_asked_for(run_chain):
    one, _ = run_chain(self_training=dict())
    assert one.stages == ['classify', 'label', 'segment']


def test_a_stage_with_a_seed_is_shared_by_all_chains(run_chain):
    one, done = run_chain(5, classify=dict(config=DISTILLER, seed=1))
    assert list(done) == ['seed-1/classify', 'seed-1/label', 'seed-5/segment']
    assert done['seed-1/label'][0].randomness.seed == 1
    masks = done['seed-5/segment'][0].train_dataloader.dataset.seg_map_dir
    assert masks.endswith('seed-1/label/masks')
    assert one.results['classify']['checkpoint']['path'] == 'seed-1/classify/best.pth'


def test_a_shared_classifier_has_one_teacher(run_chain):
    """Otherwise each chain would give it another one, and train it anew."""
    plan = dict(
        pretrain=dict(config=CAM),
        teach=dict(config=CAM),
        classify=dict(config=DISTILLER, seed=1),
    )
    _, first = run_chain(0, **plan)
    first = dict(first)
    _, both = run_chain(5, **plan)
    shared = [f'seed-1/{stage}' for stage in ('pretrain', 'teach', 'classify', 'label')]
    assert list(both) == [*shared, 'seed-0/segment', 'seed-5/segment']
    for stage in shared:
        assert first[stage][0].to_dict() == both[stage][0].to_dict()


@pytest.mark.parametrize(
    ('plan', 'stage', 'before'),
    [
        (dict(label=dict(seed=0)), 'label', 'classify'),
        (dict(segment=dict(config=SEGMENTOR, seed=0)), 'segment', 'label'),
        (
            dict(
                segment=dict(config=SEGMENTOR, start_from_classifier=True),
                full=dict(seed=0),
            ),
            'full',
            'classify',
        ),
    ],
)
def test_what_begins_with_another_run_in_each_chain_cannot_be_shared(
    run_chain, plan, stage, before
):
    """Each chain would train it anew, and put the one of the chain before aside."""
    with pytest.raises(UserError, match=f'{stage} has a seed .* begins with {before}, which'):
        run_chain(**plan)


def test_an_upper_bound_of_its_own_is_shared(run_chain):
    _, done = run_chain(5, full=dict(seed=0))
    assert list(done)[-1] == 'seed-0/full'


def test_each_result_names_the_seed_it_was_made_with(run_chain):
    one, _ = run_chain(5, classify=dict(config=DISTILLER, seed=1))
    seeds = {stage: result['seed'] for stage, result in one.results.items()}
    assert seeds == dict(classify=1, label=1, segment=5)


def test_rounds_have_the_seed_of_their_segmentor(run_chain):
    _, done = run_chain(
        5,
        classify=dict(config=DISTILLER, seed=2),
        segment=dict(config=SEGMENTOR, seed=2),
        self_training=dict(rounds=1),
    )
    assert list(done)[2:] == [
        f'seed-2/{stage}' for stage in ('segment', 'relabel-1', 'resegment-1')
    ]


def test_a_distiller_s_student_begins_with_other_images(run_chain, tmp_path):
    pretrain = dict(config='configs/cam/vit-xxs-cls_12e_smokestack-64.py')
    _, done = run_chain(pretrain=pretrain)
    model = done['seed-0/classify'][0].model
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        torch.manual_seed(1)
        weights = MODELS.build(done['seed-0/pretrain'][0].model).state_dict()
        checkpoint = tmp_path / 'pretrained.pth'
        torch.save(dict(state_dict=weights), checkpoint)
        assert model.student.init_cfg.checkpoint == 'seed-0/pretrain/best.pth'
        model.student.init_cfg.checkpoint = str(checkpoint)
        model.teacher.init_cfg = None
        built = MODELS.build(model)
        built.init_weights()
    student = built.student.state_dict()
    assert all(torch.equal(student[name], value) for name, value in weights.items())


def test_options_and_data_root_reach_every_stage(run_chain):
    _, done = run_chain(
        data_root='data/elsewhere', segment=dict(config=SEGMENTOR, options={'train_cfg.x': 7})
    )
    for cfg, *_ in done.values():
        assert cfg.train_dataloader.dataset.data_root == 'data/elsewhere'
    assert done['seed-0/segment'][0].train_cfg.x == 7


def test_backbones_begin_with_the_classifier_s_weights_if_asked(run_chain):
    start = dict(type='Pretrained', checkpoint='seed-0/classify/best.pth', prefix='backbone')
    segment = dict(config=SEGMENTOR, start_from_classifier=True)
    _, done = run_chain(classify=dict(config=CAM), segment=segment, full=dict())
    for stage in ('segment', 'full'):  # so that the masks are all that differs
        assert done[f'seed-0/{stage}'][0].model.backbone.init_cfg == start
    _, done = run_chain(segment=segment)
    start['prefix'] = 'student.backbone'
    assert done['seed-0/segment'][0].model.backbone.init_cfg == start
    _, done = run_chain()
    assert done['seed-0/segment'][0].model.backbone.get('init_cfg') is None


def test_without_a_split_to_choose_on_nothing_is_chosen(run_chain):
    _, done = run_chain(threshold_split=None, teach=dict(config=CAM))
    assert done['seed-0/classify'][1:] == (['test'], None)
    assert done['seed-0/label'][2] is None
    for stage in ('teach', 'classify'):  # maps are tested at the threshold of the label run
        metrics = done[f'seed-0/{stage}'][0].test_evaluator
        fixed = [one.threshold for one in metrics if 'threshold' in one]
        assert len(fixed) == 4 and set(fixed) == {0.3}


def test_a_label_run_has_the_model_and_options_of_its_maker_and_refiners_of_its_own(run_chain):
    _, done = run_chain(
        classify=dict(config=DISTILLER, options={'model.student.head.num_classes': 1, 'size': 96}),
        label=dict(refine=['multi_scale:acr', 'crf:translucent'], options={'size': 128}),
        segment=dict(config=SEGMENTOR, options={'model.decode_head.channels': 32}),
        self_training=dict(rounds=1, refine=['crf:psa'], threshold=0.7),
    )
    classify, label, relabel = (done[f'seed-0/{s}'][0] for s in ('classify', 'label', 'relabel-1'))
    assert [one.test_dataloader.dataset.pipeline[1].scale for one in (classify, label)] == [
        (96, 96), (128, 128)
    ]  # fmt: skip
    assert 'views' not in classify.model.student
    assert label.model.student.views.recipe == 'acr'
    assert [hook.type for hook in label.custom_hooks] == [
        'mmsmoke.CRFHook', 'mmsmoke.PseudoLabelHook'
    ]  # fmt: skip
    assert relabel.model.decode_head.channels == 32
    assert (relabel.custom_hooks[0].preset, relabel.custom_hooks[1].threshold) == ('psa', 0.7)


@pytest.mark.parametrize(
    'label',
    [{}, dict(refine=['multi_scale']), dict(refine=['crf:psa']), dict(options={'size': 128})],
)
def test_scores_that_were_not_tested_have_a_threshold_of_their_own(run_chain, label):
    one, _ = run_chain(label=label)
    assert ('search' in one.steps()['label'].inputs) == bool(label)
    one, _ = run_chain(label=label, threshold_split=None)
    assert 'search' not in one.steps()['label'].inputs


def test_the_overview_has_numbers_of_what_is_done(run_chain, capsys):
    run_chain()
    lines = capsys.readouterr().out.splitlines()
    assert '   (classify) | (label) | (segment)' in lines
    assert '   classify 12.3 | label 23.4 | (segment)' in lines


@pytest.mark.parametrize('path', PIPELINES, ids=lambda path: path.stem)
def test_every_pipeline_can_do_all_of_its_stages(path, tmp_path):
    plan = load_plan(path)
    if 'self_training' in plan:
        plan.self_training.rounds = 1
    one = Chain(plan, tmp_path, 0)
    for stage in one.stages:
        cfg = one.config(stage)
        assert (cfg.test_cfg.get('type') == 'mmsmoke.PseudoLabelLoop') == ('label' in stage)
    assert 'teach' not in one.stages or 'teacher' in one.config('classify').model
    configs = {stage: one.config(stage) for stage in one.stages}
    if one.start_from_classifier:
        require_fitting_backbones(configs)


def test_a_backbone_that_the_classifier_s_weights_do_not_fit_is_refused():
    """mmengine would leave its own, and pretrained ones would be lost."""
    other = load_config('configs/segmentors/segformer_b0_12e_ijmond-512.py')
    with pytest.raises(UserError, match=r'segformer_b0.* not take .*resnet18-s-pcm.*layers\.0\.'):
        require_fitting_backbones(dict(classify=load_config(CAM), segment=other))


def test_a_vit_s_positions_are_resized_so_another_size_of_images_fits():
    small = dict(arch='deit-tiny', img_size=224, patch_size=16, type='mmpretrain.VisionTransformer')
    configs = {}
    for name, size in (('classify', 224), ('segment', 512)):
        cfg = load_config('configs/cam/vit-tiny_12e_weakseg-224.py')
        cfg.model.backbone = {**small, 'img_size': size, 'out_type': 'featmap'}
        configs[name] = cfg
    require_fitting_backbones(configs)
    configs['segment'].model.backbone.patch_size = 8
    with pytest.raises(UserError, match='not take the weights'):
        require_fitting_backbones(configs)
