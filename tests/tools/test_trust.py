"""No tool runs what a checkpoint holds, unless its user says so."""

import json

import numpy as np
import pytest
import torch
from conftest import ROOT, save
from evil import KINDS, evil_checkpoint, evil_configs
from mmengine.config import Config
from mmengine.runner.checkpoint import load_checkpoint
from tiny_segmentor import on_disk, segmentor
from tiny_trained import PIPELINE, tiny_segmentor, trained

from mmsmoke.apis import SmokeInferencer
from mmsmoke.engine.launch import load_config
from mmsmoke.inference.predictor import build_model
from mmsmoke.utils import UserError
from mmsmoke.utils.checkpoints import TRUST
from mmsmoke.utils.stored_configs import config_to_json

BASES = dict(cam='cam/resnet18-s_12e_smokestack-128.py')
TINY = (
    'model = dict(backbone=dict(base_channels=8), head=dict(in_channels=32))\n'
    'train_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False)\n'
    'val_dataloader = dict(num_workers=0, persistent_workers=False)\n'
    'test_dataloader = dict(num_workers=0)\n'
)


@pytest.fixture(autouse=True)
def nobody_is_trusted(monkeypatch):
    monkeypatch.setenv(TRUST, '0')  # so that what a tool sets is put back


@pytest.fixture
def traces(tmp_path):
    return tmp_path / 'traces'


@pytest.fixture
def files(tiny_dataset, tmp_path):
    """Configs of all stages, by name, and a picture."""
    root = tiny_dataset()
    for name, base in BASES.items():
        text = f"_base_ = '{ROOT}/configs/{base}'\n{TINY}"
        (tmp_path / f'{name}.py').write_text(text)
    on_disk(tmp_path, root, segmentor())
    picture = save(tmp_path / 'picture.png', np.zeros((32, 32, 3), np.uint8))
    return dict(
        {name: tmp_path / f'{name}.py' for name in (*BASES, 'segmentor')},
        data=f'data_root={root}', picture=picture, out=tmp_path / 'out',
    )  # fmt: skip


def weights_of(config):
    return build_model(load_config(config)).state_dict()


COMMANDS = {
    'train.py': lambda f, c: (f['cam'], '--cfg-options', f['data'], f'load_from={c}'),
    'test.py': lambda f, c: (f['cam'], c, '--cfg-options', f['data']),
    'make_pseudo_labels.py': lambda f, c: (f['cam'], c, '--cfg-options', f['data']),
    'search_threshold.py': lambda f, c: (f['cam'], c, '--cfg-options', f['data']),
    'deploy/export.py': lambda f, c: (f['segmentor'], c, '--out', f['out']),
    'infer.py': lambda f, c: (c, f['picture'], '--out', f['out']),
    'infer.py --weights': lambda f, c: (f['cam'], f['picture'], '--weights', c),
    'model_converters/publish_student.py': lambda f, c: (c, f['out']),
}


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('command', COMMANDS)
def test_no_tool_runs_what_a_checkpoint_holds(
    command, kind, files, traces, tmp_path, load_tool, run_main, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    config = files['segmentor' if 'export' in command else 'cam']
    bad = evil_checkpoint(kind, tmp_path / 'bad.pth', traces, weights_of(config))
    tool = load_tool(command.split()[0])
    code, out, error = run_main(tool.main, *COMMANDS[command](files, bad))
    assert not traces.exists()
    assert code == 2, out + error
    last = error.strip().splitlines()[-1]
    assert last.startswith(f'error: {bad} is refused: it names exec, which could run code.')
    assert '--trust-checkpoint' in last
    assert not files['out'].exists()


@pytest.mark.parametrize('kind', KINDS[2:])
def test_no_training_is_resumed_from_what_runs_code(
    kind, files, traces, tmp_path, load_tool, run_main
):
    work_dir = tmp_path / 'work'
    work_dir.mkdir()
    evil_checkpoint(kind, work_dir / 'epoch_1.pth', traces, weights_of(files['cam']))
    code, _, error = run_main(
        load_tool('train.py').main, files['cam'], '--work-dir', work_dir, '--resume',
        '--cfg-options', files['data'],
    )  # fmt: skip
    assert code == 2 and not traces.exists()
    assert 'epoch_1.pth is refused: it names exec' in error.strip().splitlines()[-1]


def test_a_trusted_checkpoint_may(files, traces, tmp_path, load_tool, run_main, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bad = evil_checkpoint('in meta', tmp_path / 'a.pth', traces, weights_of(files['cam']))
    code, _, error = run_main(
        load_tool('infer.py').main, files['cam'], files['picture'], '--weights', bad,
        '--trust-checkpoint',
    )  # fmt: skip
    assert code == 0, error
    assert traces.exists()


def test_the_api_trusts_for_one_call_only(files, traces, tmp_path):
    bad = evil_checkpoint('in meta', tmp_path / 'a.pth', traces, weights_of(files['cam']))
    assert SmokeInferencer(files['cam'], bad, trust=True) and traces.exists()
    traces.unlink()
    with pytest.raises(UserError, match='is refused'):
        SmokeInferencer(files['cam'], bad)
    assert not traces.exists()


def test_mmengine_s_and_mmseg_s_own_loaders_refuse_it_too(files, traces, tmp_path):
    from mmseg.apis import init_model

    weights = weights_of(files['cam'])
    bad = evil_checkpoint('in meta', tmp_path / 'a.pth', traces, weights)
    model = build_model(load_config(files['cam']))
    with pytest.raises(UserError, match='it names exec'):
        load_checkpoint(model, str(bad))
    model.backbone.init_cfg = dict(type='Pretrained', checkpoint=str(bad))
    model._is_init = model.backbone._is_init = False
    with pytest.raises(UserError, match='it names exec'):
        model.init_weights()
    with pytest.raises(UserError, match='it names exec'):
        init_model(str(files['segmentor']), str(bad), device='cpu')
    assert not traces.exists()


def test_no_config_of_a_checkpoint_is_run(traces, tmp_path, monkeypatch, load_tool, run_main):
    monkeypatch.syspath_prepend(tmp_path)  # where the foreign module lies
    cfg, good = trained(tmp_path, tiny_segmentor())
    tool = load_tool('infer.py')
    picture = save(tmp_path / 'picture.png', np.zeros((32, 32, 3), np.uint8))
    found = evil_configs(tmp_path, traces, cfg, torch.load(good)['state_dict'])
    assert len(found) == 28
    for kind, (file, named) in found.items():
        code, _, error = run_main(tool.main, file, picture)
        last = error.strip().splitlines()[-1]
        assert code == 2 and not traces.exists(), kind
        assert last.startswith('error: ') and named in last, (kind, last)
        assert 'its config is refused: ' in last or 'a config in a checkpoint names' in last, kind
    assert run_main(tool.main, good, picture)[0] == 0  # the same weights with the same config


def test_the_config_that_mmengine_runs_at_resume_is_not_run(
    files, traces, tmp_path, load_tool, run_main
):
    tool, work_dir = load_tool('train.py'), tmp_path / 'work'
    arguments = (files['cam'], '--work-dir', work_dir, '--cfg-options', files['data'])
    assert run_main(tool.main, *arguments, 'train_cfg.max_epochs=1')[0] == 0
    content = torch.load(work_dir / 'epoch_1.pth', weights_only=False)
    content['meta']['config'] = f'open({str(traces)!r}, "w")\ngpu_ids = [0]\n'
    torch.save(content, work_dir / 'epoch_1.pth')
    code, _, error = run_main(
        tool.main, *arguments[:3], '--resume', *arguments[3:], 'train_cfg.max_epochs=2'
    )
    assert code == 0, error
    assert (work_dir / 'epoch_2.pth').is_file() and not traces.exists()


def test_an_ordinary_pipeline_of_mmcv_s_steps_is_built(tmp_path):
    load, *others = PIPELINE
    steps = [
        dict(type='mmcv.Resize', scale=(24, 16)),
        dict(type='Resize', scale=(16, 16)),
        dict(type='mmcv.Pad', size_divisor=8),
    ]
    for with_json in (True, False):
        cfg, path = trained(tmp_path, tiny_segmentor(), pipeline=[load, *steps, *others])
        if with_json:
            content = torch.load(path)
            content['meta'] = dict(mmsmoke_cfg=config_to_json(cfg))
            torch.save(content, path)
        found = SmokeInferencer(path)(np.zeros((32, 32, 3), np.uint8))
        assert found[0].mask.shape == (32, 32)


def test_weights_that_a_stored_config_names_are_not_fetched(tmp_path, monkeypatch):
    import mmengine.runner.checkpoint

    asked = []
    monkeypatch.setattr(mmengine.runner.checkpoint, 'load_url', lambda url, **_: asked.append(url))
    cfg, good = trained(tmp_path, tiny_segmentor())
    init_cfg = dict(type='Pretrained', checkpoint='http://nowhere.invalid/resnet50-0676ba61.pth')
    lora = dict(
        type='mmpretrain.LoRAModel', alpha=1, rank=1, drop_rate=0, targets=[],
        module=dict(type='mmpretrain.ResNet', depth=18, init_cfg=init_cfg),
    )  # fmt: skip
    meta = dict(mmsmoke_cfg=json.dumps(dict(cfg.to_dict(), model=lora)))
    torch.save(dict(state_dict=torch.load(good)['state_dict'], meta=meta), good)
    with pytest.raises(UserError):  # it fits no weights of ours
        SmokeInferencer(good)
    assert not asked


def test_a_trusted_config_may(traces, tmp_path):
    cfg, good = trained(tmp_path, tiny_segmentor())
    found = evil_configs(tmp_path, traces, cfg, torch.load(good)['state_dict'])
    assert SmokeInferencer(found['text: a line before'][0], trust=True) and traces.exists()


def test_a_training_leaves_a_config_that_is_data(files, tmp_path, load_tool, run_main):
    work_dir = tmp_path / 'work'
    code, _, error = run_main(
        load_tool('train.py').main, files['cam'], '--work-dir', work_dir, '--cfg-options',
        files['data'], 'train_cfg.max_epochs=1',
    )  # fmt: skip
    assert code == 0, error
    content = torch.load(work_dir / 'epoch_1.pth', weights_only=False)
    text = content['meta'].pop('cfg')
    torch.save(content, tmp_path / 'without_text.pth')
    assert SmokeInferencer(tmp_path / 'without_text.pth')(np.zeros((32, 32, 3), np.uint8))
    del content['meta']['mmsmoke_cfg']  # as mmseg leaves it
    content['meta']['cfg'] = text
    torch.save(content, tmp_path / 'text_alone.pth')
    assert SmokeInferencer(tmp_path / 'text_alone.pth')(np.zeros((32, 32, 3), np.uint8))
    assert isinstance(Config.fromstring(text, '.py'), Config)  # mmseg's users find it as ever
