import pytest
from mmengine.config import Config

from mmsmoke.engine.labelling import label_run, load_label_run
from mmsmoke.engine.launch import load_config
from mmsmoke.utils import UserError

CNN = 'configs/cam/resnet18-s_12e_smokestack-128.py'
STUDENT = 'configs/crossarch/crossarch-own_lite0_dinov2-s_3e_weakseg-168.py'
SEGMENTOR = 'configs/segmentors/mlp_r18-s_6e_smokestack-128.py'
WRITER = 'mmsmoke.PseudoLabelHook'


def labelled(config, *refine, **settings):
    return label_run(load_config(config), refine, **settings)


def hooks_of(cfg):
    return [hook.type.removeprefix('mmsmoke.') for hook in cfg.custom_hooks]


@pytest.mark.parametrize(
    ('config', 'refine', 'threshold'),
    [
        (CNN, [], 0.3),
        (SEGMENTOR, [], 0.5),
        (CNN, ['crf:thesis'], 0.3),
        (CNN, ['crf:translucent'], 0.6),
        (CNN, ['crf:irn'], 0.5),
        (CNN, ['affinity:affinity/psa_resnet50_8e_ijmond-512.py:a.pth'], 0.5),
        (CNN, ['clip'], 0.5),
        (CNN, ['irn'], 0.25),
        (CNN, ['crf:translucent', dict(type=WRITER, threshold=0.2)], 0.2),
    ],
)
def test_the_threshold_suits_the_last_refiner_that_has_one(config, refine, threshold):
    cfg = labelled(config, *refine)
    assert cfg.custom_hooks[-1].threshold == threshold
    assert [hook.type for hook in cfg.custom_hooks].count(WRITER) == 1
    assert labelled(config, *refine, threshold=0.77).custom_hooks[-1].threshold == 0.77


def test_refiners_act_in_the_order_in_which_they_are_named():
    cfg = labelled(CNN, 'fusion', 'crf:psa', 'sam', dict(type='mmsmoke.RefineHook', stage='x'))
    assert hooks_of(cfg) == [
        'CAMFusionHook', 'CRFHook', 'SAMHook', 'RefineHook', 'PseudoLabelHook'
    ]  # fmt: skip
    assert cfg.custom_hooks[1].preset == 'psa'


@pytest.mark.parametrize(
    ('config', 'patch'), [(CNN, 16), (STUDENT, 14)], ids=['classifier', 'distiller']
)
def test_several_views_are_looked_at_by_the_network_that_reads_maps_out(config, patch):
    cfg = labelled(config, 'multi_scale:acr:1,1.25')
    learner = cfg.model.get('student', cfg.model)
    assert learner.views == dict(recipe='acr', scales=(1.0, 1.25), size_divisor=patch)
    assert 'views' not in cfg.model.get('teacher', {})
    assert labelled(CNN, 'multi_scale').model.views.recipe == 'thesis'


def test_what_the_test_of_a_model_has_a_label_run_has():
    cfg = load_config(CNN, options={'test_cfg.fp16': 'auto', 'test_dataloader.batch_size': 3})
    before = cfg.pretty_text
    run = label_run(cfg, ['crf'], split='val')
    assert cfg.pretty_text == before
    assert run.test_cfg == dict(type='mmsmoke.PseudoLabelLoop', fp16='auto')
    assert (run.test_dataloader.batch_size, run.test_dataloader.dataset.split) == (3, 'val')
    assert cfg.test_dataloader.dataset.pipeline == run.test_dataloader.dataset.pipeline


def test_a_file_of_hooks_may_be_named(tmp_path):
    own = tmp_path / 'mine.py'
    own.write_text(
        "custom_hooks = [dict(type='mmsmoke.CRFHook', preset='psa'),\n"
        f'                dict(type={WRITER!r}, threshold=0.4, ignore_above=0.2)]\n'
    )
    cfg = labelled(CNN, str(own))
    assert hooks_of(cfg) == ['CRFHook', 'PseudoLabelHook']
    assert cfg.custom_hooks[1].to_dict() == dict(type=WRITER, threshold=0.4, ignore_above=0.2)


@pytest.mark.parametrize('one', ['crff', 'crf:thesis:2', 'affinity:a.py', ''])
def test_what_is_no_refiner_is_named_with_those_there_are(one):
    with pytest.raises(UserError, match=f"'{one}' is no refiner; .*crf:PRESET.*psa_labels"):
        labelled(CNN, one)


@pytest.mark.parametrize('one', ['multi_scale:acr:large', 'multi_scale:acr:1:2'])
def test_views_that_cannot_be_read_are_named(one):
    with pytest.raises(UserError, match=f"'{one}': say multi_scale:RECIPE:SCALES"):
        labelled(CNN, one)


def test_a_file_without_hooks_is_named():
    with pytest.raises(UserError, match='has no custom_hooks: it is a plan, or a part of a config'):
        labelled(CNN, CNN)


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(UserError, match=r'config no\.py not found'):
        labelled(CNN, 'no.py')


def test_what_a_label_run_left_is_a_label_run_already(tmp_path):
    path = tmp_path / 'config.py'
    labelled(CNN, 'crf:psa', threshold=0.4).dump(str(path))
    again = load_label_run(str(path))
    assert hooks_of(again) == ['CRFHook', 'PseudoLabelHook']
    assert again.custom_hooks[-1].threshold == 0.4
    assert again.work_dir == Config.fromfile(str(path)).work_dir or 'labels' in again.work_dir
    assert hooks_of(load_label_run(str(path), refine=['fusion'])) == [
        'CAMFusionHook', 'PseudoLabelHook'
    ]  # fmt: skip
    other = load_label_run(str(path), threshold=0.7)  # which is all that changes
    assert hooks_of(other) == hooks_of(again) and other.custom_hooks[-1].threshold == 0.7
    assert load_label_run(CNN).work_dir == 'work_dirs/resnet18-s_12e_smokestack-128_labels'


def test_a_segmentor_has_no_maps_to_read_from_several_views():
    cfg = load_config('configs/segmentors/single_lite0_6e_smokestack-126.py')
    with pytest.raises(UserError, match='is no classifier: multi_scale reads its maps'):
        label_run(cfg, ['multi_scale'])
