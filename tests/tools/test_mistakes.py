"""One line for each mistake, last on the screen, before anything is trained."""

import os
import socket
import subprocess
import sys
import time

import pytest
import torch
from conftest import ROOT
from full_disk import files_up_to
from mmengine.config import Config

from mmsmoke.utils.locks import exclusive

TINY = (
    'train_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False)\n'
    'val_dataloader = dict(num_workers=0, persistent_workers=False)\n'
    'test_dataloader = dict(num_workers=0)\n'
    'train_cfg = dict(max_epochs=1)\n'
)
CNN = 'model = dict(backbone=dict(base_channels=8), head=dict(in_channels=32))\n'
BASES = dict(
    cnn='cam/resnet18-s_12e_smokestack-128.py',
    vit='cam/vit-xs_12e_smokestack-128.py',
    segmentor='segmentors/mlp_r18-s_6e_smokestack-128.py',
)


@pytest.fixture
def configs(tiny_dataset, tmp_path):
    root = tiny_dataset()
    for name, base in BASES.items():
        text = f"_base_ = '{ROOT}/configs/{base}'\n{TINY}" + CNN * (name == 'cnn')
        (tmp_path / f'{name}.py').write_text(text)
    return tmp_path, root


@pytest.fixture
def train(configs, load_tool, run_main):
    """Function that trains with options; returns exit code and the last line of the screen."""
    folder, root = configs
    tool = load_tool('train.py')

    def run(name, *options, arguments=(), work_dir=folder / 'work'):
        code, _, error = run_main(
            tool.main, folder / f'{name}.py', '--work-dir', work_dir, *arguments,
            '--cfg-options', f'data_root={root}', *options,
        )  # fmt: skip
        return code, (error.strip().splitlines() or [''])[-1]

    return run


DATA, BACKBONE = 'train_dataloader.dataset', 'model.backbone'
KWARG = 'got an unexpected keyword argument'
OF_CNN = {
    'modle.x=1': 'option modle.x: the config has no modle; did you mean model.x?',
    'epochs=3': 'the config has no epochs; did you mean train_cfg.max_epochs?',
    'train_pipeline=x': 'option train_pipeline would have no effect: ',
    'model=3': 'option model: several settings stand there; say model.type=…',
    'train_cfg.max_epochs=-1': 'must be a whole number of at least 1, got -1',
    f'{BACKBONE}.dpeth=9': f"{BACKBONE} (ResNet): {KWARG} 'dpeth'",
    f'{BACKBONE}.type=ResNett': 'no component is called ResNett; did you mean ResNet?',
    f'{BACKBONE}.init_cfg.type=Pretrained': f'{BACKBONE}.init_cfg (Pretrained): missing 1 required',
    'model.type=mmsmoke.CAMClasifier': 'model (mmsmoke.CAMClasifier): no component is called',
    'model.head.in_channels=64': 'model.head.in_channels is 64, but what comes in has 32 channels',
    'model.head.num_classes=2': (
        'model.head.num_classes is 2, but the data have 1 (smoke): '
        '--cfg-options model.head.num_classes=1'
    ),
    'optim_wrapper.optimizer.lrr=3': f"optim_wrapper.optimizer (AdamW): {KWARG} 'lrr'",
    'optim_wrapper.optimizer.type=Adamm': (
        'optim_wrapper.optimizer: no component is called Adamm; did you mean Adam?'
    ),
    'train_dataloader.batchsize=3': 'train_dataloader.batchsize: ',
    'train_dataloader.sampler.type=No': 'train_dataloader.sampler (No): no component is called No',
    f'{DATA}.spli=x': f"{DATA} (mmsmoke.WeakSegDataset): {KWARG} 'spli'",
    f'{DATA}.pipeline.1.type=Flipp': f'{DATA}.pipeline.1 (Flipp): no component is called Flipp',
    'val_evaluator.0.type=mmsmoke.LabelAcuracy': (
        'val_evaluator.0 (mmsmoke.LabelAcuracy): no component is called mmsmoke.LabelAcuracy; '
        'did you mean mmsmoke.LabelAccuracy?'
    ),
    'train_dataloader.batch_size=99': (
        '6 training images do not fill one batch: --cfg-options train_dataloader.batch_size=3'
    ),
    'param_scheduler.0.end=0.3': (
        '6 training images make 3 full batches an epoch, too few for the schedule: '
        '--cfg-options train_dataloader.batch_size=1'
    ),
    'load_from=nowhere.pth': 'nowhere.pth can not be found',
}
OF_VIT = {
    f'{BACKBONE}.out_type=cls_token': (
        f"{BACKBONE} gives no map of features (out_type='cls_token'): "
        f'--cfg-options {BACKBONE}.out_type=featmap'
    ),
}
TRUE = DATA + '.seg_map_dir={data_root}/masks'
OF_SEGMENTOR = {
    '': 'seg_map_dir work_dirs/resnet18-s_12e_smokestack-128_labels/masks does not exist',
    f'{DATA}.data_prefix.seg_map_path=x': (
        "data_prefix.seg_map_path is mmseg's: a WeakSegDataset reads masks from seg_map_dir, "
        'which tools/train.py CONFIG --masks DIR sets'
    ),
    f'model.decode_head.num_classes=3 {TRUE}': (
        'model.decode_head.num_classes is 3, but the data have 2 (smoke and the background)'
    ),
    'model.decode_head.in_channels=7': (
        'model.decode_head (SegformerHead): AssertionError: assert isinstance(in_channels'
    ),
}
MISTAKES = [
    (name, options, line)
    for name, lines in (('cnn', OF_CNN), ('vit', OF_VIT), ('segmentor', OF_SEGMENTOR))
    for options, line in lines.items()
]


@pytest.mark.parametrize(('name', 'options', 'line'), MISTAKES)
def test_what_is_wrong_is_named_before_training(train, configs, monkeypatch, name, options, line):
    monkeypatch.chdir(configs[0])
    code, last = train(name, *options.split())
    assert code == 2 and last.startswith('error: '), last
    assert line in last
    assert not list(configs[0].glob('work/*.pth'))


def test_options_without_a_value_are_usage_errors(train):
    assert train('cnn', 'foo') == (2, "tool: error: --cfg-options: say key=value, not 'foo'")
    code, last = train('cnn', 'model.x=[1,(2]')
    assert code == 2 and 'error: --cfg-options: ' in last
    code, last = train('cnn', 'model.aux=[dict(type="A",b=1)]')
    assert code == 2 and 'a value is a number, a word, or a list or tuple of such' in last


def test_the_trial_changes_nothing(configs, monkeypatch):
    from mmsmoke.engine import launch

    folder, root = configs
    trainings = []
    for tried in (True, False):
        cfg = launch.load_config(folder / 'cnn.py', folder / f'{tried}', dict(data_root=str(root)))
        if not tried:
            monkeypatch.setattr(launch, 'require_fitting_model', lambda runner: None)
        launch.train(cfg)
        trainings.append(
            torch.load(folder / f'{tried}/epoch_1.pth', weights_only=False)['state_dict']
        )
    for name, value in trainings[0].items():
        assert torch.equal(value, trainings[1][name]), name


@pytest.mark.parametrize(
    'name', ['train.py', 'test.py', 'make_pseudo_labels.py', 'deploy/export.py']
)
def test_a_plan_is_no_config_to_run(load_tool, run_main, tmp_path, name):
    arguments = [ROOT / 'configs/pipelines/weakseg-112.py']
    arguments += [tmp_path / 'a.pth'] * (name != 'train.py')
    arguments += ['--out', tmp_path / 'out'] * (name == 'deploy/export.py')
    code, _, error = run_main(load_tool(name).main, *arguments)
    assert code == 2 and error.strip().endswith('has no model: it is a plan, or a part of a config')


def test_masks_are_named_by_the_folder_of_their_label_run(train, configs):
    folder, root = configs
    for masks in (root, root / 'masks'):  # a label run's folder holds masks/, as a data set does
        work_dir = folder / f'on_{masks.name}'
        code, last = train('segmentor', arguments=('--masks', masks), work_dir=work_dir)
        assert code == 0, last
        used = Config.fromfile(work_dir / 'segmentor.py').train_dataloader.dataset.seg_map_dir
        assert used == str(root / 'masks')
    code, last = train('segmentor', arguments=('--masks', folder / 'nowhere'))
    assert (code, last) == (2, f'error: folder of masks {folder}/nowhere not found')
    code, last = train('cnn', arguments=('--masks', root))
    assert code == 2 and 'learns from no masks; --masks is for segmentors' in last


def test_two_trainings_do_not_share_a_work_dir(train, configs):
    folder, _ = configs
    code = (
        'import time; from mmsmoke.utils.locks import exclusive; from pathlib import Path\n'
        f'with exclusive(Path({str(folder / "work")!r})):\n'
        ' print("in", flush=True)\n'
        ' time.sleep(60)\n'
    )
    with subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE, cwd=ROOT) as other:
        assert other.stdout.readline() == b'in\n'
        found, last = train('cnn')
        other.kill()
        other.wait()
    assert found == 2
    owner = f'process {other.pid} on {socket.gethostname()}'
    assert last == f'error: another run is at work in {folder}/work: {owner}'
    for _ in range(50):
        if train('cnn')[0] == 0:  # the lock goes with the process
            return
        time.sleep(0.1)
    pytest.fail('the lock stayed')


def test_the_name_in_a_lock_is_that_of_its_last_holder(tmp_path):
    (tmp_path / '.owner').write_text('process 1 on elsewhere, a long name that must go\n')
    with exclusive(tmp_path):
        owner = (tmp_path / '.owner').read_text()
        assert owner == f'process {os.getpid()} on {socket.gethostname()}\n'


def commands(folder, root, checkpoint):
    data = f'data_root={root}'
    return {
        'train.py': (folder / 'cnn.py', '--cfg-options', data),
        'test.py': (folder / 'cnn.py', checkpoint, '--cfg-options', data),
        'make_pseudo_labels.py': (folder / 'cnn.py', checkpoint, '--cfg-options', data),
        'search_threshold.py': (folder / 'cnn.py', checkpoint, '--cfg-options', data),
    }


@pytest.fixture
def trained(train, configs):
    code, last = train('cnn', work_dir=configs[0] / 'good')
    assert code == 0, last
    return configs[0] / 'good/epoch_1.pth'


@pytest.mark.parametrize(
    'name', ['train.py', 'test.py', 'make_pseudo_labels.py', 'search_threshold.py']
)
def test_a_folder_that_cannot_be_made_is_named(name, trained, configs, load_tool, run_main):
    folder, root = configs
    (folder / 'file').write_text('in the way')
    arguments = commands(folder, root, trained)[name]
    code, _, error = run_main(load_tool(name).main, *arguments, '--work-dir', folder / 'file/work')
    last = error.strip().splitlines()[-1]
    assert code == 2 and last == f'error: {folder}/file/work: Not a directory'


@pytest.mark.parametrize('name', ['train.py', 'make_pseudo_labels.py', 'search_threshold.py'])
def test_a_full_disk_is_one_line_and_leaves_no_half_files(
    name, trained, configs, load_tool, run_main
):
    folder, root = configs
    arguments = commands(folder, root, trained)[name]
    main = load_tool(name).main
    # the log and the lock must fit, a checkpoint or a mask must not
    with files_up_to(60_000 if name == 'train.py' else 300):
        code, _, error = run_main(main, *arguments, '--work-dir', folder / 'full')
    last = error.strip().splitlines()[-1]
    assert code == 2 and last.startswith('error: ') and 'File too large' in last, error[-2000:]
    assert not list((folder / 'full').rglob('*.tmp*'))
    for path in (folder / 'full').rglob('*.pth'):
        torch.load(path, weights_only=False)


def test_a_full_disk_does_not_abort_an_export(tiny_dataset, tmp_path, load_tool, run_main):
    from tiny_segmentor import on_disk, segmentor

    files = on_disk(tmp_path, tiny_dataset(), segmentor())
    with files_up_to(4000):
        code, _, error = run_main(
            load_tool('deploy/export.py').main, *files, '--out', tmp_path / 'deploy'
        )
    last = error.strip().splitlines()[-1]
    assert code == 2 and 'File too large' in last and 'nothing was written' in last
    assert not list((tmp_path / 'deploy').iterdir())


def test_a_stack_trace_can_be_had(train, monkeypatch):
    monkeypatch.setenv('MMSMOKE_DEBUG', '1')
    with pytest.raises(ValueError, match='did you mean model'):
        train('cnn', 'modle.x=1')
