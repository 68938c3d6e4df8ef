"""Checkpoints that try to run code: each, once executed, leaves a file that a test looks for."""

import json
import pickle
from pathlib import Path

import torch


class _Touch:
    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return exec, (f'import pathlib; pathlib.Path({str(self.path)!r}).touch()',)


KINDS = ('raw', 'archive', 'in meta', 'in optimizer', 'in weights')


def evil_checkpoint(kind: str, path: Path, traces: Path, weights: dict) -> Path:
    """Write weights that are good, with a function call hidden beside or among them."""
    bad, meta = _Touch(traces), dict(epoch=1, iter=1)
    content = dict(meta=meta, state_dict=dict(weights), optimizer={}, message_hub={})
    if kind == 'raw':
        path.write_bytes(pickle.dumps(bad, protocol=2))
        return path
    if kind == 'archive':
        content = bad
    elif kind == 'in meta':
        meta['x'] = bad
    elif kind == 'in optimizer':
        content['optimizer'] = dict(state=[bad])
    else:
        content['state_dict']['backbone.x'] = bad
    torch.save(content, path)
    return path


def evil_configs(path: Path, traces: Path, cfg, weights: dict) -> dict[str, tuple[Path, str]]:
    """Write good weights whose config runs code if one lets it.

    Returns:
        Of each kind of config the file, and what must be named when it is refused.
    """
    touch = f'open({str(traces)!r}, "w")'
    module = traces.with_name('foreign_module.py')
    module.write_text(f'{touch}\n')
    text, plain = cfg.pretty_text, cfg.to_dict()
    called = dict(type='pathlib.Path.touch')
    dumped = dict(type='mmengine.dump', obj='x', file_format='json')
    companions = _companions(path, traces)
    foreign = dict(imports=['foreign_module'])
    texts = {
        'a line before': (f'{touch}\n{text}', 'line 1 is code, not a value'),
        'a call in a value': (f'{text}\nx = dict(a=[{touch}])\n', 'is code, not a value'),
        'a call as an argument': (f'{text}\nx = dict(**{touch})\n', 'is code, not a value'),
        'an import': (f'import foreign_module\n{text}', 'line 1 is code'),
        'a foreign module': (f'{text}\ncustom_imports = {foreign}\n', 'module foreign_module'),
    }
    values = {
        'a foreign module': (dict(plain, custom_imports=foreign), 'module foreign_module'),
        'a function as type': (dict(plain, model=called), 'the component pathlib.Path.touch'),
        'a helper as type': (dict(plain, model=dumped), 'the component mmengine.dump'),
        'a module as type': (dict(plain, model=dict(type='foreign_module')), 'component foreign_'),
        'a foreign scope': (dict(plain, default_scope='foreign_module'), 'scope foreign_module'),
        'a foreign scope inside': (
            dict(plain, model=dict(plain['model'], _scope_='foreign_module')),
            'scope foreign_module',
        ),
    }
    values |= {
        f'a model with {key}': (dict(plain, model=model), named)
        for key, (model, named) in _models(plain['model'], companions).items()
    }
    cached = dict(backend='memcached', server_list_cfg='x', client_cfg='y', sys_path=str(path))
    for key in ('backend_args', 'file_client_args'):
        step = {'type': 'LoadImageFromFile', key: cached}
        values[f'a step with {key}'] = _with_step(plain, step), f'the {key} '
    dataset = dict(plain['test_dataloader']['dataset'], metainfo=dict(classes='/etc/hostname'))
    values['names in a file'] = (
        dict(plain, test_dataloader=dict(dataset=dataset)),
        'the classes /etc/hostname',
    )
    for step in _steps(traces):
        named = f'the component {step["type"]}'
        values[f'the step {step["type"]}'] = _with_step(plain, step), named
    metas = {f'text: {key}': (dict(cfg=text), named) for key, (text, named) in texts.items()}
    metas |= {
        f'JSON: {key}': (dict(mmsmoke_cfg=json.dumps(value)), named)
        for key, (value, named) in values.items()
    }
    files = {}
    for number, (key, (meta, named)) in enumerate(metas.items()):
        file = path / f'config-{number}.pth'
        torch.save(dict(state_dict=weights, meta=meta), file)
        files[key] = file, named
    return files


def _companions(path: Path, traces: Path) -> dict[str, str]:
    """Write files that run code when they are read by those who trust them."""
    files = {name: path / f'companion.{name}' for name in ('py', 'yaml', 'pkl')}
    files['py'].write_text(f'open({str(traces)!r}, "w")\nmodel = dict()\n')
    files['yaml'].write_text(f'x: !!python/object/apply:os.system ["touch {traces}"]\n')
    files['pkl'].write_bytes(pickle.dumps(_Touch(traces)))
    return {name: str(file) for name, file in files.items()}


def _models(good: dict, files: dict[str, str]) -> dict[str, tuple[dict, str]]:
    """Return models that would read files which run code, and what must be named of each."""
    weighted = dict(type='CrossEntropyLoss', class_weight=files['pkl'])
    distiller = dict(type='mmsmoke.CrossArchDistiller', teacher=good)

    def with_backbone(kind: str, **settings) -> dict:
        return dict(good, backbone=dict(type=f'mmpretrain.{kind}', **settings))

    return {
        'pickled weights of classes': (
            dict(good, decode_head=dict(good['decode_head'], loss_decode=weighted)),
            f'the file {files["pkl"]}',
        ),
        'a config as student': (dict(distiller, student=files['py']), f'the file {files["py"]}'),
        'a YAML config as student': (
            dict(distiller, student=dict(config=files['yaml'])),
            f'the file {files["yaml"]}',
        ),
        'code of a hub': (dict(good, backbone=dict(trust_remote_code=True)), 'trust_remote_code'),
        'a scope in another setting': (
            dict(
                good,
                backbone=dict(
                    type='mmpretrain.SwinTransformer',
                    patch_cfg=dict(conv_type='foreign_module.Conv'),
                ),
            ),
            'the module foreign_module.registry',
        ),
        'a scope in an argument of timm': (
            dict(
                good,
                backbone=dict(
                    type='mmpretrain.TIMMBackbone',
                    model_name='resnet18',
                    norm_layer='foreign_module.BN',
                ),
            ),
            'the module foreign_module.registry',
        ),
        'a network of a hub': (
            with_backbone('TIMMBackbone', model_name='hf-hub:evil/x'),
            'the file hf-hub:evil/x',
        ),
        'a path without an ending': (
            dict(
                good,
                backbone=dict(
                    type='mmpretrain.TIMMBackbone', model_name='resnet18', checkpoint_path='srv'
                ),
            ),
            'the file srv',
        ),
        'a network that calls what it is told': (
            dict(good, backbone=dict(type='VPD', diffusion_cfg=dict(target='os.system'))),
            'the component VPD',
        ),
        'another package': (
            dict(good, backbone=dict(type='mmpretrain.BlipCaption')),
            'the component mmpretrain.BlipCaption',
        ),
    }


def _steps(traces: Path) -> list[dict]:
    """Return steps of a pipeline that evaluate text, call any function or read pickles."""
    text = f'float32 if open({str(traces)!r}, "w") else float32'
    return [
        dict(type='mmpretrain.torchvision/ConvertImageDtype', dtype=text),
        dict(
            type='RandomResize', scale=(8, 8), resize_type='logging.basicConfig',
            filename=str(traces), filemode='w',
        ),
        dict(type='LoadBiomedicalData', decode_backend='pickle'),
        dict(type='foreign_module.Resize', scale=(8, 8)),
    ]  # fmt: skip


def _with_step(cfg: dict, step: dict) -> dict:
    dataset = cfg['test_dataloader']['dataset']
    load, *others = dataset['pipeline']
    pipeline = [load, step, *others]
    return dict(cfg, test_dataloader=dict(dataset=dict(dataset, pipeline=pipeline)))
